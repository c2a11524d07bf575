/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 64 };

struct table {
    struct aff_alias alias;
    uint32_t keep[MOST], other[MOST];
    uint64_t scratch[MOST];
};

static void make(struct table *table, const uint64_t *weights, uint32_t n)
{
    table->alias.keep = table->keep;
    table->alias.other = table->other;
    aff_alias_make(&table->alias, weights, n, table->scratch);
}

/* The chance of each entry in units of 2^-32 / n, added up from the table itself. */
static uint64_t chance_of(const struct table *table, uint32_t entry)
{
    uint64_t chance = 0;

    for (uint32_t slot = 0; slot < table->alias.n; slot++) {
        if (slot == entry)
            chance += table->keep[slot];
        if (table->other[slot] == entry)
            chance += (UINT64_C(1) << 32) - table->keep[slot];
    }
    return chance;
}

static void assert_chances(const uint64_t *weights, uint32_t n)
{
    struct table table;
    uint64_t total = 0;

    make(&table, weights, n);
    for (uint32_t i = 0; i < n; i++)
        total += weights[i];
    for (uint32_t i = 0; i < n; i++) {
        uint64_t wanted = (uint64_t)(((aff_u128)weights[i] * n << 32) / total);
        uint64_t got = chance_of(&table, i);
        assert_true((got > wanted ? got - wanted : wanted - got) <= n);
    }
}

static void alias_table_gives_each_entry_the_chance_of_its_weight(void **state)
{
    const uint64_t known[] = {1, 2, 3, 4};
    const uint64_t lopsided[] = {0, 1000000, 0, 1, 7};
    uint64_t weights[MOST];
    struct aff_random random = {17};

    (void)state;
    assert_chances(known, 4);
    assert_chances(lopsided, 5);
    for (int round = 0; round < 2000; round++) {
        uint32_t n = 1 + (uint32_t)aff_random_below(&random, MOST);
        for (uint32_t i = 0; i < n; i++)
            weights[i] = aff_random_next(&random) >> (24 + aff_random_below(&random, 40));
        weights[aff_random_below(&random, n)] += 1;
        assert_chances(weights, n);
    }
}

static void an_entry_without_weight_is_never_drawn(void **state)
{
    const uint64_t weights[] = {0, 5, 0, 5};
    struct table table;
    struct aff_random random = {3};

    (void)state;
    make(&table, weights, 4);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(aff_alias_draw(&table.alias, &random) % 2, 1);
}

static void draws_follow_the_chances(void **state)
{
    const uint64_t weights[] = {1, 2, 3, 4};
    struct table table;
    struct aff_random random = {3};
    int64_t seen[4] = {0};

    (void)state;
    make(&table, weights, 4);
    for (int i = 0; i < 100000; i++)
        seen[aff_alias_draw(&table.alias, &random)]++;
    for (int64_t i = 0; i < 4; i++) /* a standard deviation is at most 155 */
        assert_true(llabs(seen[i] - (i + 1) * 10000) < 700);
}

static void drawing_around_a_middle_is_symmetric_and_bounded(void **state)
{
    struct aff_random random = {5};
    int64_t sum = 0;
    int32_t least = 1000, most = 0;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        int32_t value = aff_draw_around(&random, 30, 8);
        sum += value;
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    assert_int_equal(least, 22);
    assert_int_equal(most, 38);
    assert_true(llabs(sum - 3000000) < 6000);
    assert_int_equal(aff_draw_around(&random, 30, 0), 30);
}

static void hashes_depend_on_seed_kind_and_number(void **state)
{
    (void)state;
    assert_int_equal(aff_draw_hash(1, 2, 3), aff_draw_hash(1, 2, 3));
    assert_int_not_equal(aff_draw_hash(1, 2, 3), aff_draw_hash(2, 2, 3));
    assert_int_not_equal(aff_draw_hash(1, 2, 3), aff_draw_hash(1, 3, 3));
    assert_int_not_equal(aff_draw_hash(1, 2, 3), aff_draw_hash(1, 2, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alias_table_gives_each_entry_the_chance_of_its_weight),
        cmocka_unit_test(an_entry_without_weight_is_never_drawn),
        cmocka_unit_test(draws_follow_the_chances),
        cmocka_unit_test(drawing_around_a_middle_is_symmetric_and_bounded),
        cmocka_unit_test(hashes_depend_on_seed_kind_and_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
