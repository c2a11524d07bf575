/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/baskets.h"

#include "baskets_of.h"
#include "core/learn/decay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define DAY AFF_DAY_US
#define LINES(lines) lines, sizeof lines / sizeof *lines

static void lines_are_grouped_by_order_and_sorted_by_time(void **state)
{
    (void)state;
    const struct aff_line lines[] = {
        {.order_key = 9, .customer = 1, .at_us = 20 * DAY, .product = 30, .revenue = 100, .margin = 40},
        {.order_key = 5, .customer = 2, .at_us = 10 * DAY, .product = 20, .revenue = 50, .margin = -5},
        {.order_key = 9, .customer = 1, .at_us = 20 * DAY, .product = 10, .revenue = 7, .discounted = true},
        {.order_key = -3, .customer = AFF_NO_CUSTOMER, .at_us = 20 * DAY, .product = 20, .revenue = 1},
    };
    struct aff_baskets *baskets = baskets_of(LINES(lines));

    assert_int_equal(baskets->n_products, 3);
    assert_int_equal(baskets->products[0], 10);
    assert_int_equal(baskets->products[2], 30);
    assert_int_equal(baskets->n_baskets, 3);
    assert_int_equal(baskets->n_lines, 4);
    assert_int_equal(baskets->at_us[0], 10 * DAY); /* order 5, then -3 and 9 of the same time */
    assert_int_equal(baskets->starts[1], 1);
    assert_int_equal(baskets->starts[2], 2);
    assert_int_equal(baskets->starts[3], 4);
    assert_int_equal(baskets->lines[0].margin, -5);
    assert_int_equal(baskets->lines[2].row, 0);
    assert_int_equal(baskets->lines[2].discounted, 1);
    assert_int_equal(baskets->lines[3].row, 2);
    assert_int_equal(baskets->lines[3].revenue, 100);
    assert_int_equal(baskets->basket_of[3], 2);
    assert_int_equal(baskets->from_us, 10 * DAY);
    assert_int_equal(baskets->landmark_us, 20 * DAY);
    assert_int_equal(baskets->weight, baskets->weights[0] + baskets->weights[1] + baskets->weights[2]);
    assert_int_equal(baskets->weights[1], AFF_WEIGHT_ONE);
    assert_int_equal(baskets->weights[2], 741455); /* two products */
    aff_baskets_free(baskets);
}

static void repeated_product_of_an_order_becomes_one_line(void **state)
{
    (void)state;
    const struct aff_line lines[] = {
        {.order_key = 1, .at_us = DAY, .product = 4, .revenue = 10, .margin = 3},
        {.order_key = 1, .at_us = DAY, .product = 8, .revenue = 1},
        {.order_key = 1, .at_us = DAY, .product = 4, .revenue = 20, .margin = -7, .discounted = true},
    };
    struct aff_baskets *baskets = baskets_of(LINES(lines));

    assert_int_equal(baskets->n_lines, 2);
    assert_int_equal(baskets->lines[0].revenue, 30);
    assert_int_equal(baskets->lines[0].margin, -4);
    assert_int_equal(baskets->lines[0].discounted, 1);
    assert_int_equal(baskets->weights[0], 741455);
    aff_baskets_free(baskets);
}

static void product_and_customer_lists_are_by_time(void **state)
{
    (void)state;
    const struct aff_line lines[] = {
        {.order_key = 1, .customer = 70, .at_us = 30 * DAY, .product = 4},
        {.order_key = 2, .customer = -6, .at_us = 20 * DAY, .product = 4},
        {.order_key = 3, .customer = 70, .at_us = 10 * DAY, .product = 9},
        {.order_key = 4, .customer = AFF_NO_CUSTOMER, .at_us = 5 * DAY, .product = 4},
    };
    struct aff_baskets *baskets = baskets_of(LINES(lines));

    assert_int_equal(baskets->product_starts[1] - baskets->product_starts[0], 3);
    for (uint32_t i = 1; i < 3; i++)
        assert_true(baskets->positions[i - 1] < baskets->positions[i]);
    assert_int_equal(baskets->product_starts[2], 4);
    assert_int_equal(baskets->n_customers, 2);
    assert_int_equal(baskets->customers[0], -6);
    assert_int_equal(baskets->customers[1], 70);
    assert_int_equal(baskets->customer_starts[1], 1);
    assert_int_equal(baskets->customer_starts[2], 3);
    assert_int_equal(baskets->customer_baskets[1], 1); /* day 10 before day 30 */
    assert_int_equal(baskets->customer_baskets[2], 3);
    aff_baskets_free(baskets);
}

static void cap_keeps_the_highest_revenue_and_counts_the_rest(void **state)
{
    (void)state;
    const struct aff_line lines[] = {
        {.order_key = 1, .at_us = DAY, .product = 1, .revenue = 5},
        {.order_key = 1, .at_us = DAY, .product = 2, .revenue = 9},
        {.order_key = 1, .at_us = DAY, .product = 3, .revenue = 5},
        {.order_key = 1, .at_us = DAY, .product = 4, .revenue = 4},
        {.order_key = 1, .at_us = DAY, .product = 4, .revenue = 4},
        {.order_key = 2, .at_us = DAY, .product = 3, .revenue = 5},
    };
    struct aff_baskets_settings settings = plain_settings();
    settings.cap = 3;
    struct aff_baskets *baskets = baskets_with(LINES(lines), settings);

    assert_int_equal(baskets->starts[1], 3);
    assert_int_equal(baskets->lines[0].row, 0); /* 5 of product 1 comes before 5 of product 3 */
    assert_int_equal(baskets->lines[1].row, 1);
    assert_int_equal(baskets->lines[2].row, 3); /* 4 + 4 */
    assert_int_equal(baskets->truncated_orders, 1);
    assert_int_equal(baskets->truncated_lines, 1);
    assert_int_equal(baskets->weights[0], 605396); /* of three products: the cap comes first */
    aff_baskets_free(baskets);
}

static void orders_before_the_window_are_left_out(void **state)
{
    (void)state;
    const struct aff_line lines[] = {
        {.order_key = 1, .at_us = 100 * DAY, .product = 1},
        {.order_key = 2, .at_us = 90 * DAY, .product = 1},
        {.order_key = 3, .at_us = 90 * DAY - 1, .product = 2},
    };
    struct aff_baskets_settings settings = plain_settings();
    settings.window_us = 10 * DAY;
    struct aff_baskets *baskets = baskets_with(LINES(lines), settings);

    assert_int_equal(baskets->n_baskets, 2);
    assert_int_equal(baskets->old_orders, 1);
    assert_int_equal(baskets->from_us, 90 * DAY);
    assert_int_equal(baskets->product_starts[2] - baskets->product_starts[1], 0);
    aff_baskets_free(baskets);
}

static void no_lines_make_no_baskets(void **state)
{
    (void)state;
    struct aff_baskets *baskets = baskets_of(NULL, 0);

    assert_int_equal(baskets->n_baskets, 0);
    assert_int_equal(baskets->n_products, 0);
    assert_int_equal(baskets->n_customers, 0);
    assert_int_equal(baskets->from_us, 0);
    assert_int_equal(baskets->to_us, 0);
    aff_baskets_free(baskets);
    aff_baskets_free(NULL);
    aff_baskets_builder_free(NULL);
}

static void lines_that_cannot_be_counted_are_refused(void **state)
{
    (void)state;
    struct aff_baskets_builder *builder = NULL;
    struct aff_line line = {.order_key = 1, .product = -1};

    assert_int_equal(aff_baskets_builder_new(&builder), AFF_OK);
    assert_int_equal(aff_baskets_builder_add(builder, &line), AFF_DATA);
    line.product = INT32_MAX;
    line.revenue = INT64_C(1) << 61;
    assert_int_equal(aff_baskets_builder_add(builder, &line), AFF_OK);
    assert_int_equal(aff_baskets_builder_add(builder, &line), AFF_LIMIT);
    aff_baskets_builder_free(builder);

    assert_int_equal(aff_baskets_builder_new(&builder), AFF_OK);
    line = (struct aff_line){.order_key = 1, .product = 1, .margin = INT64_MIN};
    assert_int_equal(aff_baskets_builder_add(builder, &line), AFF_LIMIT);
    aff_baskets_builder_free(builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_grouped_by_order_and_sorted_by_time),
        cmocka_unit_test(repeated_product_of_an_order_becomes_one_line),
        cmocka_unit_test(product_and_customer_lists_are_by_time),
        cmocka_unit_test(cap_keeps_the_highest_revenue_and_counts_the_rest),
        cmocka_unit_test(orders_before_the_window_are_left_out),
        cmocka_unit_test(no_lines_make_no_baskets),
        cmocka_unit_test(lines_that_cannot_be_counted_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
