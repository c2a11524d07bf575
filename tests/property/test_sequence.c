/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences, successors and sessions alike against slow references that follow the formulas of the headers
 * one by one, on seeded random sequences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/base/random.h"
#include "core/sequence/alike.h"
#include "core/sequence/successors.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 60, PRODUCTS = 25, SEQUENCES = 120, LENGTH = 9, NOW_S = 2000000 };

/* What was added, in the order of time. */
struct plain {
    uint32_t n, lengths[SEQUENCES], rows[SEQUENCES][LENGTH], at_s[SEQUENCES];
};

static struct aff_sequences *random_sequences(struct aff_random *random, struct plain *plain,
                                              uint32_t holders)
{
    struct aff_sequences_builder *builder;
    struct aff_sequences *sequences;

    assert_int_equal(aff_sequences_builder_new(&builder), AFF_OK);
    plain->n = 0;
    for (uint32_t s = 0; s < 1 + aff_random_below(random, SEQUENCES); s++) {
        uint32_t n = (uint32_t)aff_random_below(random, LENGTH + 1), rows[LENGTH];
        uint32_t at_s = (uint32_t)aff_random_below(random, NOW_S);
        for (uint32_t i = 0; i < n; i++)
            rows[i] = (uint32_t)aff_random_below(random, PRODUCTS);
        assert_int_equal(aff_sequences_builder_add(builder, rows, n, at_s), AFF_OK);
        if (n == 0 || plain->n == SEQUENCES)
            continue;
        uint32_t at = plain->n++;
        for (; at > 0 && plain->at_s[at - 1] > at_s; at--) {
            plain->at_s[at] = plain->at_s[at - 1];
            plain->lengths[at] = plain->lengths[at - 1];
            memcpy(plain->rows[at], plain->rows[at - 1], sizeof plain->rows[at]);
        }
        plain->at_s[at] = at_s;
        plain->lengths[at] = n;
        memcpy(plain->rows[at], rows, n * sizeof *rows);
    }
    assert_int_equal(aff_sequences_builder_finish(builder, PRODUCTS, holders, &sequences), AFF_OK);
    aff_sequences_builder_free(builder);
    return sequences;
}

static bool holds(const struct plain *plain, uint32_t s, uint32_t row)
{
    for (uint32_t i = 0; i < plain->lengths[s]; i++)
        if (plain->rows[s][i] == row)
            return true;
    return false;
}

static void sequences_are_kept_by_time_with_their_newest_holders(void **state)
{
    struct aff_random random = {.state = 11};
    struct plain plain;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        const uint32_t most = 1 + (uint32_t)aff_random_below(&random, 20);
        struct aff_sequences *sequences = random_sequences(&random, &plain, most);
        assert_int_equal(sequences->n, plain.n);
        for (uint32_t s = 0; s < plain.n; s++) {
            assert_int_equal(sequences->starts[s + 1] - sequences->starts[s], plain.lengths[s]);
            assert_int_equal(sequences->at_s[s], plain.at_s[s]);
            assert_memory_equal(sequences->rows + sequences->starts[s], plain.rows[s],
                                plain.lengths[s] * sizeof(uint32_t));
        }
        for (uint32_t row = 0; row < PRODUCTS; row++) {
            uint32_t at = sequences->product_starts[row], n = 0;
            for (uint32_t s = plain.n; s-- > 0;) {
                if (!holds(&plain, s, row) || n == most)
                    continue;
                assert_int_equal(sequences->holders[at++], s);
                n++;
            }
            assert_int_equal(at, sequences->product_starts[row + 1]);
        }
        aff_sequences_free(sequences);
    }
}

static void successors_equal_a_count_of_all_places(void **state)
{
    struct aff_random random = {.state = 12};
    struct plain plain;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct aff_sequences *sequences = random_sequences(&random, &plain, 5);
        const struct aff_successors_settings settings = {
            .reach = 1 + (uint32_t)aff_random_below(&random, 4),
            .keep = 1 + (uint32_t)aff_random_below(&random, PRODUCTS),
            .half_life_days = 1 + 20 * aff_random_unit(&random),
            .shrink = 0.1 + aff_random_unit(&random),
            .repeats = aff_random_below(&random, 2) == 0,
        };
        struct aff_successors *successors;
        assert_int_equal(aff_successors_build(sequences, &settings, &successors), AFF_OK);
        for (uint32_t a = 0; a < PRODUCTS; a++) {
            double sums[PRODUCTS] = {0}, places = 0;
            uint32_t n, named = 0;
            for (uint32_t s = 0; s < plain.n; s++) {
                double age_days = (plain.at_s[plain.n - 1] - plain.at_s[s]) / 86400.0;
                double weight = exp2(-age_days / settings.half_life_days);
                for (uint32_t i = 0; i < plain.lengths[s]; i++) {
                    if (plain.rows[s][i] != a)
                        continue;
                    places += weight;
                    for (uint32_t j = i + 1; j < plain.lengths[s] && j <= i + settings.reach; j++)
                        if (plain.rows[s][j] != a || settings.repeats)
                            sums[plain.rows[s][j]] += weight / (j - i);
                }
            }
            for (uint32_t b = 0; b < PRODUCTS; b++)
                named += sums[b] > 0;
            const struct aff_neighbour *entries = aff_successors_of(successors, a, &n);
            assert_int_equal(n, named < settings.keep ? named : settings.keep);
            for (uint32_t i = 0; i < n; i++) {
                const double expected = sums[entries[i].row] / (places + settings.shrink);
                uint32_t better = 0;
                assert_true(fabs((double)entries[i].score - expected) < 1e-6);
                for (uint32_t b = 0; b < PRODUCTS; b++)
                    better += (float)(sums[b] / (places + settings.shrink)) > entries[i].score;
                assert_true(better <= i);
            }
        }
        aff_successors_free(successors);
        aff_sequences_free(sequences);
    }
}

/* What the newest `holders` sequences of product a say of product b. */
static double heard(const struct plain *plain, const struct aff_alike_settings *settings, uint32_t holders,
                    uint32_t a, uint32_t b)
{
    double sum = 0;

    for (uint32_t s = plain->n; s-- > 0 && holders > 0;) {
        uint32_t last = 0;
        if (!holds(plain, s, a))
            continue;
        holders--;
        for (uint32_t i = 0; i < plain->lengths[s]; i++)
            last = plain->rows[s][i] == a ? i : last;
        for (uint32_t i = 0; i < plain->lengths[s]; i++) {
            const double fade = exp(-fabs((double)i - last) / settings->around);
            const double place =
                i == last ? settings->own : (i > last ? fade : settings->before * fade) + settings->even;
            sum += plain->rows[s][i] == b ? pow(plain->lengths[s], -settings->length_power) * place : 0;
        }
    }
    return sum;
}

static void check_alike(const struct plain *plain, const struct aff_alike_settings *settings,
                        uint32_t holders, const struct aff_successors *alike, uint32_t a)
{
    double sums[PRODUCTS];
    uint32_t n, named = 0;
    const struct aff_neighbour *entries = aff_successors_of(alike, a, &n);

    for (uint32_t b = 0; b < PRODUCTS; b++) {
        sums[b] = heard(plain, settings, holders, a, b);
        named += sums[b] > 0;
    }
    assert_int_equal(n, named < settings->keep ? named : settings->keep);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t better = 0;
        assert_true(fabs((double)entries[i].score - sums[entries[i].row]) <
                    1e-5 * (1 + sums[entries[i].row]));
        for (uint32_t b = 0; b < PRODUCTS; b++)
            better += sums[b] > sums[entries[i].row] + 1e-9;
        assert_true(better <= i);
    }
}

static void what_comes_in_sessions_equals_a_look_at_every_session(void **state)
{
    struct aff_random random = {.state = 13};
    struct plain plain;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        const uint32_t holders = 1 + (uint32_t)aff_random_below(&random, 30);
        struct aff_sequences *sequences = random_sequences(&random, &plain, holders);
        struct aff_successors *alike;
        const struct aff_alike_settings settings = {
            .keep = 1 + (uint32_t)aff_random_below(&random, PRODUCTS),
            .length_power = aff_random_below(&random, 2) == 0 ? 0.5 : 0.25,
            .around = 0.5 + aff_random_unit(&random),
            .even = aff_random_below(&random, 3) == 0 ? 0 : 0.1,
            .own = aff_random_below(&random, 3) == 0 ? 0 : 0.5,
            .before = aff_random_unit(&random),
        };
        assert_int_equal(aff_alike_build(sequences, &settings, &alike), AFF_OK);
        for (uint32_t a = 0; a < PRODUCTS; a++)
            check_alike(&plain, &settings, holders, alike, a);
        aff_successors_free(alike);
        aff_sequences_free(sequences);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_are_kept_by_time_with_their_newest_holders),
        cmocka_unit_test(successors_equal_a_count_of_all_places),
        cmocka_unit_test(what_comes_in_sessions_equals_a_look_at_every_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
