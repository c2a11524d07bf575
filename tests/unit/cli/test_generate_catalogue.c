/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/catalogue.h"
#include "cli/generate/names.h"
#include "cli/generate/planted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct aff_demo_catalogue made(uint64_t seed, uint32_t n)
{
    struct aff_demo_catalogue catalogue;

    assert_int_equal(aff_demo_catalogue_init(&catalogue, seed, n), AFF_OK);
    return catalogue;
}

static void every_number_of_products_is_met_with_whole_families(void **state)
{
    const uint32_t least = aff_demo_catalogue_min(),
                   numbers[] = {least, least + 1, least + 2, 1000, 4567, 100000};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct aff_demo_catalogue catalogue = made(1, numbers[i]);
        assert_int_equal(catalogue.first[AFF_DEMO_TYPES], numbers[i]);
        for (uint32_t type = 0; type < AFF_DEMO_TYPES; type++) {
            uint32_t n = catalogue.first[type + 1] - catalogue.first[type];
            bool tiers = (aff_demo_types[type].flags & AFF_TYPE_TIERS) != 0;
            assert_true(n >= (tiers ? 3 : 1));
            assert_true(!tiers || n % 3 == 0);
        }
        aff_demo_catalogue_done(&catalogue);
    }
}

static void prices_rise_from_tier_to_tier_and_always_exceed_costs(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct aff_demo_catalogue catalogue = made(seed, 3000);
        for (uint32_t i = 0; i < catalogue.n; i++) {
            const struct aff_demo_product *product = &catalogue.products[i];
            int32_t most = aff_demo_discount_max(product);
            assert_true(product->cost > 0 && product->cost < product->price);
            assert_true(most >= 0);
            assert_true((int64_t)product->price * (100 - most) / 100 > product->cost);
            if (product->tier > AFF_TIER_BASIC)
                assert_true(product->price > catalogue.products[i - 1].price);
        }
        aff_demo_catalogue_done(&catalogue);
    }
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(left, right);
}

static void names_are_unique_also_in_a_large_catalogue(void **state)
{
    const uint32_t n = 100000;
    struct aff_demo_catalogue catalogue = made(1, n);
    char(*names)[AFF_DEMO_NAME] = malloc(n * sizeof *names);

    (void)state;
    assert_non_null(names);
    for (uint32_t i = 0; i < n; i++) {
        struct aff_demo_description description;
        uint32_t type = catalogue.products[i].type;
        aff_demo_describe(type, i - catalogue.first[type], &description);
        assert_true(strlen(description.name) < AFF_DEMO_NAME - 1);
        memcpy(names[i], description.name, AFF_DEMO_NAME);
    }
    qsort(names, n, sizeof *names, compare_names);
    for (uint32_t i = 1; i < n; i++)
        assert_string_not_equal(names[i - 1], names[i]);
    free(names);
    aff_demo_catalogue_done(&catalogue);
}

static void a_known_product_is_called_as_people_would(void **state)
{
    struct aff_demo_description description;

    (void)state;
    aff_demo_describe(AFF_TYPE_COFFEE_MACHINE, 1, &description);
    assert_string_equal(description.name, "Mirandol Select Coffee Machine Plus, Navy");
    assert_string_equal(description.tier, "plus");
    assert_int_equal(description.family, 1);
    assert_int_equal(description.price_level, 100);
    aff_demo_describe(AFF_TYPE_COFFEE_BEANS, 0, &description);
    assert_string_equal(description.name, "Caffora Essential Espresso Beans, 500 g");
    assert_string_equal(description.tier, "");
    assert_int_equal(description.family, 0);
}

static void companions_are_of_types_that_go_together(void **state)
{
    struct aff_demo_catalogue catalogue = made(3, 2000);

    (void)state;
    for (uint32_t i = 0; i < catalogue.n; i++)
        for (uint32_t slot = 0; slot < AFF_DEMO_COMPANIONS; slot++) {
            int32_t companion = catalogue.products[i].companions[slot];
            assert_in_range(companion, 0, catalogue.n - 1);
            assert_int_not_equal(companion, i);
            assert_int_equal(catalogue.products[companion].type,
                             aff_demo_types[catalogue.products[i].type].companions[slot % 3]);
        }
    aff_demo_catalogue_done(&catalogue);
}

static void watched_products_are_marked_once(void **state)
{
    struct aff_demo_catalogue catalogue = made(1, aff_demo_catalogue_min());
    uint32_t marked = 0;

    (void)state;
    for (uint32_t i = 0; i < catalogue.n; i++)
        marked += catalogue.products[i].watch != AFF_WATCH_NONE;
    assert_int_equal(marked, AFF_WATCHES - 1);
    for (unsigned watch = 1; watch < AFF_WATCHES; watch++) {
        struct aff_demo_place place = aff_demo_places[watch];
        assert_int_equal(catalogue.products[aff_demo_catalogue_at(&catalogue, place.type, place.rank)].watch,
                         watch);
    }
    aff_demo_catalogue_done(&catalogue);
}

/* What aff_demo_basket_add() relies on. */
static void no_product_is_both_ends_of_planted_pairs(void **state)
{
    (void)state;
    assert_true(AFF_PAIRS >= 20);
    for (int i = 0; i < AFF_PAIRS; i++)
        for (int j = 0; j < AFF_PAIRS; j++) {
            assert_int_not_equal(aff_demo_pairs[i].a, aff_demo_pairs[j].b);
            assert_true(i == j || aff_demo_pairs[i].b != aff_demo_pairs[j].b);
        }
    for (int i = 0; i < AFF_PAIRS; i++) {
        assert_false(aff_demo_is_independent(aff_demo_pairs[i].a));
        assert_false(aff_demo_is_independent(aff_demo_pairs[i].b));
        /* A b of a family could not be put in beside another tier. */
        assert_int_equal(aff_demo_types[aff_demo_places[aff_demo_pairs[i].b].type].flags & AFF_TYPE_TIERS, 0);
    }
}

static void what_comes_next_is_watched_in_the_first_64(void **state)
{
    (void)state;
    for (int i = 0; i < AFF_NEXTS; i++) {
        const struct aff_demo_next *next = &aff_demo_nexts[i];
        assert_true(next->a < 64 && next->b < 64);
        assert_int_equal(next->a == next->b, next->kind == AFF_NEXT_REPEAT);
        assert_true(next->gap_days - next->jitter_days >= 1);
        if (next->kind == AFF_NEXT_REPEAT)
            assert_int_equal(aff_demo_types[aff_demo_places[next->a].type].repeat_days, next->gap_days);
        if (next->kind == AFF_NEXT_UPGRADE) {
            assert_int_equal(aff_demo_places[next->a].type, aff_demo_places[next->b].type);
            assert_int_equal(aff_demo_places[next->a].rank + 1, aff_demo_places[next->b].rank);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_of_products_is_met_with_whole_families),
        cmocka_unit_test(prices_rise_from_tier_to_tier_and_always_exceed_costs),
        cmocka_unit_test(names_are_unique_also_in_a_large_catalogue),
        cmocka_unit_test(a_known_product_is_called_as_people_would),
        cmocka_unit_test(companions_are_of_types_that_go_together),
        cmocka_unit_test(watched_products_are_marked_once),
        cmocka_unit_test(no_product_is_both_ends_of_planted_pairs),
        cmocka_unit_test(what_comes_next_is_watched_in_the_first_64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
