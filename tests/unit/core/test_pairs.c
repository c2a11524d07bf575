/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/pairs.h"

#include "baskets_of.h"
#include "core/learn/decay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define DAY AFF_DAY_US

static void counts_of_a_pair_are_sums_over_its_baskets(void **state)
{
    (void)state;
    /* Half-life 100 days: order 1 weighs half of order 2. */
    const struct aff_line lines[] = {
        {.order_key = 1, .at_us = 100 * DAY, .product = 7, .revenue = 10, .margin = 4},
        {.order_key = 1, .at_us = 100 * DAY, .product = 3, .revenue = 20, .margin = 5, .discounted = true},
        {.order_key = 2, .at_us = 200 * DAY, .product = 3, .revenue = 100, .margin = -6},
        {.order_key = 2, .at_us = 200 * DAY, .product = 7, .revenue = 1000, .margin = 7},
        {.order_key = 3, .at_us = 150 * DAY, .product = 7, .revenue = 5, .discounted = true},
        {.order_key = 4, .at_us = 100 * DAY, .product = 9},
    };
    struct aff_baskets *baskets = baskets_of(lines, sizeof lines / sizeof *lines);
    struct aff_pairs *pairs = NULL;

    assert_int_equal(aff_pairs_count(baskets, 2, NULL, &pairs), AFF_OK);
    assert_int_equal(pairs->n_pairs, 1);
    assert_int_equal(pairs->orders, 4);
    assert_int_equal(pairs->weight, baskets->weight);

    const struct aff_pair *pair = aff_pairs_find(pairs, 1, 0);
    assert_non_null(pair);
    assert_ptr_equal(pair, aff_pairs_find(pairs, 0, 1));
    assert_null(aff_pairs_find(pairs, 0, 2));
    assert_int_equal(pair->orders, 2);
    assert_int_equal(pair->discounted, 1);
    assert_int_equal(pair->weight, 741455 + 370728);
    assert_int_equal(pair->revenue_a, 120);
    assert_int_equal(pair->revenue_b, 1010);
    assert_int_equal(pair->margin_a, -1);
    assert_int_equal(pair->margin_b, 11);

    const struct aff_product_stat *stat = &pairs->stats[1];
    assert_int_equal(stat->product, 7);
    assert_int_equal(stat->orders, 3);
    assert_int_equal(stat->discounted, 1);
    assert_int_equal(stat->revenue, 1015);
    assert_int_equal(stat->margin, 11);
    assert_int_equal(stat->weight, 741455 + 370728 + 741455);
    assert_int_equal(stat->last_at_us, 200 * DAY);
    assert_int_equal(aff_pairs_row_of(pairs, 9), 2);
    assert_int_equal(aff_pairs_row_of(pairs, 8), UINT32_MAX);
    aff_pairs_free(pairs);
    aff_baskets_free(baskets);
}

static const struct aff_product_stat three[] = {{.product = 1}, {.product = 5}, {.product = 6}};

static void added_pairs_are_found_whatever_their_order(void **state)
{
    (void)state;
    struct aff_pairs_builder *builder = NULL;
    struct aff_pairs *pairs = NULL;

    assert_int_equal(aff_pairs_builder_new(three, 3, 10, 99, &builder), AFF_OK);
    assert_int_equal(aff_pairs_builder_add(builder, 1, 2, &(struct aff_pair){.orders = 12}), AFF_OK);
    assert_int_equal(aff_pairs_builder_add(builder, 0, 2, &(struct aff_pair){.orders = 2}), AFF_OK);
    assert_int_equal(aff_pairs_builder_add(builder, 0, 1, &(struct aff_pair){.orders = 1}), AFF_OK);
    assert_int_equal(aff_pairs_builder_finish(builder, &pairs), AFF_OK);
    aff_pairs_builder_free(builder);
    assert_int_equal(pairs->n_pairs, 3);
    assert_int_equal(pairs->weight, 99);
    assert_int_equal(aff_pairs_find(pairs, 2, 1)->orders, 12);
    assert_int_equal(aff_pairs_find(pairs, 0, 2)->orders, 2);
    assert_int_equal(pairs->rows[2].n, 0);
    aff_pairs_free(pairs);
}

static void pairs_that_cannot_be_are_refused(void **state)
{
    (void)state;
    const struct aff_product_stat falling[] = {{.product = 5}, {.product = 1}};
    const struct aff_pair pair = {.orders = 1};
    struct aff_pairs_builder *builder = NULL;
    struct aff_pairs *pairs = NULL;

    assert_int_equal(aff_pairs_builder_new(falling, 2, 1, 1, &builder), AFF_INVALID);
    assert_int_equal(aff_pairs_builder_new(three, 3, 1, 1, &builder), AFF_OK);
    assert_int_equal(aff_pairs_builder_add(builder, 1, 1, &pair), AFF_INVALID);
    assert_int_equal(aff_pairs_builder_add(builder, 2, 1, &pair), AFF_INVALID);
    assert_int_equal(aff_pairs_builder_add(builder, 0, 3, &pair), AFF_INVALID);
    assert_int_equal(aff_pairs_builder_add(builder, 0, 1, &pair), AFF_OK);
    assert_int_equal(aff_pairs_builder_add(builder, 0, 1, &pair), AFF_OK);
    assert_int_equal(aff_pairs_builder_finish(builder, &pairs), AFF_INVALID);
    aff_pairs_builder_free(builder);
    aff_pairs_builder_free(NULL);
    aff_pairs_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_of_a_pair_are_sums_over_its_baskets),
        cmocka_unit_test(added_pairs_are_found_whatever_their_order),
        cmocka_unit_test(pairs_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
