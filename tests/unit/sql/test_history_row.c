/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/history_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct aff_customer_history added(const int32_t *products, const int32_t *counts, const int64_t *first,
                                         const int64_t *last, uint32_t n)
{
    return (struct aff_customer_history){
        .n = n, .products = products, .counts = counts, .first_at_us = first, .last_at_us_of = last};
}

static void expect(const struct aff_history_row *row, uint32_t at, int32_t product, int32_t count,
                   int64_t first_us, int64_t last_us)
{
    assert_int_equal(row->products[at], product);
    assert_int_equal(row->counts[at], count);
    assert_int_equal(row->first_at_us[at], first_us);
    assert_int_equal(row->last_at_us[at], last_us);
}

static void purchases_are_added_up_and_sorted_by_time_then_product(void **state)
{
    struct aff_history_row kept = {0}, merged = {0};
    const int32_t products[] = {7, 3}, counts[] = {1, 2};
    const int64_t first[] = {50, 20}, last[] = {50, 30};
    const int32_t new_products[] = {3, 9, 1}, new_counts[] = {1, 1, 1};
    const int64_t new_times[] = {10, 50, 40};
    struct aff_customer_history one = added(products, counts, first, last, 2);
    struct aff_customer_history more = added(new_products, new_counts, new_times, new_times, 3);

    (void)state;
    assert_int_equal(aff_history_row_merge(&kept, &merged, &one, 10), AFF_OK); /* onto nothing */
    assert_int_equal(aff_history_row_merge(&merged, &kept, &more, 10), AFF_OK);
    assert_int_equal(merged.n, 4);
    expect(&merged, 0, 7, 1, 50, 50);
    expect(&merged, 1, 9, 1, 50, 50);
    expect(&merged, 2, 1, 1, 40, 40);
    expect(&merged, 3, 3, 3, 10, 30); /* a late order moves the first time, not the last */
    aff_history_row_done(&kept);
    aff_history_row_done(&merged);
}

static void the_oldest_purchases_go_beyond_the_limit(void **state)
{
    struct aff_history_row nothing = {0}, merged = {0};
    const int32_t products[] = {1, 2, 3}, counts[] = {1, 1, 1};
    const int64_t times[] = {30, 10, 20};
    struct aff_customer_history one = added(products, counts, times, times, 3);

    (void)state;
    assert_int_equal(aff_history_row_merge(&merged, &nothing, &one, 2), AFF_OK);
    assert_int_equal(merged.n, 2);
    expect(&merged, 0, 1, 1, 30, 30);
    expect(&merged, 1, 3, 1, 20, 20);
    aff_history_row_done(&merged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(purchases_are_added_up_and_sorted_by_time_then_product),
        cmocka_unit_test(the_oldest_purchases_go_beyond_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
