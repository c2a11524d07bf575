/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/live_pairs.h"

#include "core/learn/decay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const int32_t keys[] = {10, 20, 30};

static struct aff_live_pairs *loaded(void)
{
    struct aff_live_pairs *live = NULL;
    const struct aff_pair pair = {.orders = 3, .weight = 2 * AFF_WEIGHT_ONE, .revenue_a = 7, .revenue_b = 9};

    assert_int_equal(aff_live_pairs_new(keys, 3, &live), AFF_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            aff_live_pairs_set_stat(
                live,
                &(struct aff_product_stat){.product = keys[i], .orders = 5, .weight = 4 * AFF_WEIGHT_ONE}),
            AFF_OK);
    assert_int_equal(aff_live_pairs_add(live, 10, 30, &pair), AFF_OK);
    assert_int_equal(aff_live_pairs_add(live, 20, 30, &pair), AFF_OK);
    aff_live_pairs_set_totals(live, 50, 50 * AFF_WEIGHT_ONE);
    return live;
}

static void loaded_pairs_are_found_from_both_sides(void **state)
{
    (void)state;
    struct aff_live_pairs *live = loaded();

    assert_int_equal(aff_live_pairs_find(live, 30, 10)->orders, 3);
    assert_ptr_equal(aff_live_pairs_find(live, 10, 30), aff_live_pairs_find(live, 30, 10));
    assert_null(aff_live_pairs_find(live, 10, 20));
    assert_null(aff_live_pairs_find(live, 10, 99));
    assert_int_equal(aff_live_pairs_count(live), 2);
    assert_int_equal(aff_live_pairs_stat(live, 20)->orders, 5);
    aff_live_pairs_free(live);
    aff_live_pairs_free(NULL);
}

static void what_cannot_be_loaded_is_refused(void **state)
{
    (void)state;
    struct aff_live_pairs *live = loaded();
    const struct aff_pair pair = {.orders = 1};
    const int32_t falling[] = {2, 1};

    assert_int_equal(aff_live_pairs_add(live, 10, 20, &pair), AFF_INVALID); /* behind (10, 30) */
    assert_int_equal(aff_live_pairs_add(live, 30, 20, &pair), AFF_INVALID);
    assert_int_equal(aff_live_pairs_add(live, 10, 11, &pair), AFF_NOTFOUND);
    assert_int_equal(aff_live_pairs_set_stat(live, &(struct aff_product_stat){.product = 11}), AFF_NOTFOUND);
    aff_live_pairs_set_residual(live, 11, 1); /* nobody's */
    aff_live_pairs_free(live);
    assert_int_equal(aff_live_pairs_new(falling, 2, &live), AFF_INVALID);
}

static void products_that_come_later_find_their_place(void **state)
{
    (void)state;
    struct aff_live_pairs *live = loaded();
    struct aff_delta_product products[] = {
        {.product = 5, .orders = 1, .weight = 1, .newest_before_us = INT64_MIN, .newest_after_us = 4},
        {.product = 25, .orders = 1, .weight = 1, .newest_before_us = INT64_MIN, .newest_after_us = 4},
        {.product = 40, .orders = 1, .weight = 1, .newest_before_us = INT64_MIN, .newest_after_us = 4}};
    struct aff_delta_pair pairs[] = {{.a = 5, .b = 25, .orders = 1, .weight = 1},
                                     {.a = 25, .b = 30, .orders = 1, .weight = 1}};
    const struct aff_delta delta = {
        .products = products, .n_products = 3, .pairs = pairs, .n_pairs = 2, .orders = 1};

    assert_int_equal(aff_live_pairs_apply(live, &delta), AFF_OK);
    assert_int_equal(aff_live_pairs_size(live), 6);
    for (uint32_t row = 1; row < 6; row++)
        assert_true(aff_live_pairs_key(live, row - 1) < aff_live_pairs_key(live, row));
    assert_int_equal(aff_live_pairs_find(live, 10, 30)->orders, 3);
    assert_int_equal(aff_live_pairs_find(live, 30, 20)->orders, 3);
    assert_int_equal(aff_live_pairs_find(live, 25, 5)->orders, 1);
    assert_int_equal(aff_live_pairs_find(live, 25, 30)->orders, 1);
    assert_int_equal(aff_live_pairs_stat(live, 40)->last_at_us, 4);
    aff_live_pairs_free(live);
}

static void pairs_without_orders_go_and_their_memory_is_used_again(void **state)
{
    (void)state;
    struct aff_live_pairs *live = loaded();
    struct aff_delta_pair pair = {
        .a = 10, .b = 30, .orders = -3, .weight = -2 * AFF_WEIGHT_ONE, .revenue_a = -7, .revenue_b = -9};
    const struct aff_delta delta = {.pairs = &pair, .n_pairs = 1};
    size_t bytes = aff_live_pairs_bytes(live);

    for (int turn = 0; turn < 1000; turn++) {
        assert_int_equal(aff_live_pairs_apply(live, &delta), AFF_OK);
        assert_int_equal(aff_live_pairs_count(live), turn % 2 == 0 ? 1 : 2);
        pair.orders = -pair.orders;
        pair.weight = -pair.weight;
        pair.revenue_a = -pair.revenue_a;
        pair.revenue_b = -pair.revenue_b;
    }
    assert_true(aff_live_pairs_bytes(live) < bytes + 1024);
    aff_live_pairs_free(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loaded_pairs_are_found_from_both_sides),
        cmocka_unit_test(what_cannot_be_loaded_is_refused),
        cmocka_unit_test(products_that_come_later_find_their_place),
        cmocka_unit_test(pairs_without_orders_go_and_their_memory_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
