/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/basket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct bench {
    struct aff_demo_catalogue catalogue;
    struct aff_demo_market market;
    struct aff_demo_shop shop;
    struct aff_random random;
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);

    assert_non_null(bench);
    assert_int_equal(aff_demo_catalogue_init(&bench->catalogue, 1, 1000), AFF_OK);
    aff_demo_market_set(&bench->market, 7);
    bench->shop = (struct aff_demo_shop){&bench->catalogue, &bench->market, 220};
    bench->random.state = 99;
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    aff_demo_catalogue_done(&bench->catalogue);
    free(bench);
    return 0;
}

static int32_t product_of(const struct bench *bench, unsigned watch)
{
    return (int32_t)aff_demo_catalogue_at(&bench->catalogue, aff_demo_places[watch].type,
                                          aff_demo_places[watch].rank);
}

static bool holds(const struct aff_demo_basket *basket, int32_t product)
{
    for (uint32_t i = 0; i < basket->n; i++)
        if (basket->products[i] == product)
            return true;
    return false;
}

static bool add(struct bench *bench, struct aff_demo_basket *basket, unsigned watch)
{
    return aff_demo_basket_add(basket, &bench->catalogue, &bench->random, product_of(bench, watch), false);
}

static void a_planted_product_brings_its_partner_with_the_planted_chance(void **state)
{
    struct bench *bench = *state;
    const int trials = 10000;

    for (int i = 0; i < AFF_PAIRS; i++) {
        int met = 0, expected = trials / 100 * (int)aff_demo_pairs[i].per_cent;
        for (int trial = 0; trial < trials; trial++) {
            struct aff_demo_basket basket = {.n = 0};
            assert_true(add(bench, &basket, aff_demo_pairs[i].a));
            met += holds(&basket, product_of(bench, aff_demo_pairs[i].b));
        }
        assert_true(abs(met - expected) < 250); /* five standard deviations at most */
    }
}

static void a_product_does_not_come_after_its_partner(void **state)
{
    struct bench *bench = *state;
    struct aff_demo_basket basket = {.n = 0};

    assert_true(add(bench, &basket, AFF_WATCH_COFFEE_BEANS));
    assert_false(add(bench, &basket, AFF_WATCH_COFFEE_MACHINE));
    assert_int_equal(basket.n, 1);
}

static void a_partner_that_was_drawn_out_stays_out(void **state)
{
    struct bench *bench = *state;

    for (int trial = 0; trial < 200; trial++) {
        struct aff_demo_basket basket = {.n = 0};
        assert_true(add(bench, &basket, AFF_WATCH_TENT));
        bool came = holds(&basket, product_of(bench, AFF_WATCH_SLEEPING_BAG));
        assert_false(add(bench, &basket, AFF_WATCH_SLEEPING_BAG));
        assert_int_equal(holds(&basket, product_of(bench, AFF_WATCH_SLEEPING_BAG)), came);
    }
}

static void two_tiers_of_one_type_are_not_bought_together(void **state)
{
    struct bench *bench = *state;
    struct aff_demo_basket basket = {.n = 0};

    assert_true(add(bench, &basket, AFF_WATCH_MONITOR));
    assert_false(add(bench, &basket, AFF_WATCH_MONITOR_PLUS));
}

static void independent_products_come_only_by_their_own_chance(void **state)
{
    struct bench *bench = *state;
    struct aff_demo_basket basket = {.n = 0};

    assert_false(add(bench, &basket, AFF_BESTSELLER));
    assert_false(add(bench, &basket, AFF_NOISE_A));
    assert_int_equal(basket.n, 0);
}

static void baskets_hold_no_product_twice_and_nothing_to_avoid(void **state)
{
    struct bench *bench = *state;
    const int32_t avoid[] = {product_of(bench, AFF_WATCH_COFFEE_BEANS), product_of(bench, AFF_WATCH_MUESLI)};

    for (int trial = 0; trial < 20000; trial++) {
        struct aff_demo_traits traits = aff_demo_traits_of(1, (uint32_t)trial % 500, 0);
        struct aff_demo_basket basket = {.n = 0};
        uint32_t size = trial % 100 == 0 ? AFF_DEMO_BASKET_MAX : aff_demo_basket_size(&bench->random, 3500);
        aff_demo_basket_fill(&basket, &bench->shop, &traits, &bench->random, size, avoid, 2);
        assert_in_range(basket.n, 1, AFF_DEMO_BASKET_MAX);
        for (uint32_t i = 0; i < basket.n; i++) {
            assert_in_range(basket.products[i], 0, bench->catalogue.n - 1);
            assert_true(basket.products[i] != avoid[0] && basket.products[i] != avoid[1]);
            for (uint32_t j = 0; j < i; j++)
                assert_int_not_equal(basket.products[i], basket.products[j]);
        }
    }
}

static void the_bestseller_is_independent_of_what_else_is_in_the_basket(void **state)
{
    struct bench *bench = *state;
    const int trials = 60000;
    int with = 0, summer = 0;

    for (int trial = 0; trial < trials; trial++) {
        struct aff_demo_traits traits = aff_demo_traits_of(1, AFF_DEMO_GUEST, (uint64_t)trial);
        struct aff_demo_basket basket = {.n = 0};
        aff_demo_basket_fill(&basket, &bench->shop, &traits, &bench->random, 3, NULL, 0);
        with += holds(&basket, product_of(bench, AFF_BESTSELLER));
        summer += holds(&basket, product_of(bench, AFF_NOISE_A));
    }
    assert_true(abs(with - trials * AFF_BESTSELLER_OF_THOUSAND / 1000) < 350);
    assert_true(abs(summer - trials * AFF_NOISE_SUMMER_OF_THOUSAND / 1000) < 330);
}

static void basket_sizes_have_the_mean_asked_for(void **state)
{
    struct bench *bench = *state;
    uint64_t sum = 0;
    const int trials = 200000;

    for (int trial = 0; trial < trials; trial++) {
        uint32_t size = aff_demo_basket_size(&bench->random, 3500);
        assert_in_range(size, 1, AFF_DEMO_BASKET_MAX);
        sum += size;
        assert_int_equal(aff_demo_basket_size(&bench->random, 1000), 1);
    }
    assert_true(llabs((int64_t)sum - INT64_C(700000)) < 7000);
}

static void seasonal_types_sell_in_their_season(void **state)
{
    struct bench *bench = *state;
    int july = 0, january = 0;

    for (int i = 0; i < 100000; i++)
        july += aff_alias_draw(&bench->market.types, &bench->random) == AFF_TYPE_CHARCOAL;
    aff_demo_market_set(&bench->market, 1);
    for (int i = 0; i < 100000; i++)
        january += aff_alias_draw(&bench->market.types, &bench->random) == AFF_TYPE_CHARCOAL;
    assert_true(july > 4 * january && january > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_planted_product_brings_its_partner_with_the_planted_chance, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_product_does_not_come_after_its_partner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_partner_that_was_drawn_out_stays_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_tiers_of_one_type_are_not_bought_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(independent_products_come_only_by_their_own_chance, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(baskets_hold_no_product_twice_and_nothing_to_avoid, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_bestseller_is_independent_of_what_else_is_in_the_basket, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(basket_sizes_have_the_mean_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(seasonal_types_sell_in_their_season, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
