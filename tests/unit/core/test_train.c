/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/train.h"
#include "measured_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct aff_train_settings settings = {
    .baskets = {.window_us = INT64_MAX / 4, .half_life_s = 120 * 86400, .cap = 512},
    .rows = {.method = AFF_METHOD_COSINE, .neighbours = 20, .others = 50, .lambda = 2},
    .session_holders = 500,
    .n_threads = 1,
};

static void later_orders_are_not_known(void **state)
{
    (void)state;
    struct aff_random random = {.state = 1};
    struct measured_store store;
    struct aff_train train = {0};
    struct aff_error error;
    uint64_t bought = 0;

    measured_store_make(&random, 40, 30, 200, 5, &store);
    assert_int_equal(aff_train(&store.whole, &store.orders, 100, 0, &settings, &train, &error), AFF_OK);
    assert_int_equal(aff_catalogue_size(train.model->catalogue), 40);
    for (uint32_t row = 0; row < 40; row++) {
        const struct aff_product *product = aff_catalogue_product(train.model->catalogue, row);
        uint32_t orders = 0;
        for (uint32_t i = 0; i < store.orders.orders[100].start; i++)
            orders += store.orders.rows[i] == row;
        assert_true(aff_text_equal(product->id, aff_catalogue_product(store.whole.catalogue, row)->id));
        assert_int_equal(product->orders, orders);
        bought += product->orders;
    }
    assert_int_equal(bought, store.orders.orders[100].start);
    assert_int_equal(train.model->totals.orders, 100);
    aff_train_done(&train);
    measured_store_done(&store);
}

static void what_does_not_fit_into_memory_is_the_oldest(void **state)
{
    (void)state;
    struct aff_random random = {.state = 2};
    struct measured_store store;
    uint32_t before = 200;

    measured_store_make(&random, 40, 30, 200, 5, &store);
    assert_int_equal(aff_train_first_order(&store.orders, 40, &settings, UINT64_MAX), 0);
    assert_int_equal(aff_train_first_order(&store.orders, 40, &settings, 1000), 200);
    for (uint64_t bytes = 1 << 14; bytes < 1 << 20; bytes *= 2) {
        const uint32_t first = aff_train_first_order(&store.orders, 40, &settings, bytes);
        assert_true(first <= before);
        before = first;
    }
    assert_int_equal(before, 0);
    measured_store_done(&store);
}

static void orders_that_are_dropped_leave_the_others_as_they_were(void **state)
{
    (void)state;
    struct aff_random random = {.state = 3};
    struct measured_store store, whole;

    measured_store_make(&random, 40, 30, 50, 5, &store);
    random.state = 3;
    measured_store_make(&random, 40, 30, 50, 5, &whole);
    aff_measured_orders_drop(&store.orders, 0);
    assert_int_equal(store.orders.n, 50);
    aff_measured_orders_drop(&store.orders, 20);
    assert_int_equal(store.orders.n, 30);
    for (uint32_t o = 0; o < 30; o++) {
        const uint32_t n = aff_measured_order_size(&whole.orders, o + 20);
        assert_int_equal(aff_measured_order_size(&store.orders, o), n);
        assert_true(store.orders.orders[o].customer == whole.orders.orders[o + 20].customer);
        assert_memory_equal(aff_measured_order_rows(&store.orders, o),
                            aff_measured_order_rows(&whole.orders, o + 20), n * sizeof(uint32_t));
    }
    aff_measured_orders_drop(&store.orders, 30);
    assert_int_equal(store.orders.n, 0);
    measured_store_done(&store);
    measured_store_done(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_orders_are_not_known),
        cmocka_unit_test(what_does_not_fit_into_memory_is_the_oldest),
        cmocka_unit_test(orders_that_are_dropped_leave_the_others_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
