/* SPDX-License-Identifier: Apache-2.0 */
#include "core/intake/returns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct aff_return_line at(int64_t day, int64_t order_key, int32_t quantity)
{
    return (struct aff_return_line){.ordered_at_us = day, .order_key = order_key, .quantity = quantity};
}

static void the_newest_purchase_is_taken_back_first(void **state)
{
    struct aff_return_line lines[] = {at(1, 1, 5), at(2, 2, 3), at(3, 3, -4)};

    (void)state;
    aff_returns_match(lines, 3);
    assert_int_equal(lines[0].returned, 1);
    assert_int_equal(lines[1].returned, 3);
    assert_int_equal(lines[2].returned, 0);
}

static void later_purchases_are_not_touched(void **state)
{
    struct aff_return_line lines[] = {at(3, 3, 7), at(2, 2, -4), at(1, 1, 1)};

    (void)state;
    aff_returns_match(lines, 3);
    assert_int_equal(lines[0].order_key, 1);
    assert_int_equal(lines[0].returned, 1);
    assert_int_equal(lines[1].returned, 3); /* found no purchase */
    assert_int_equal(lines[2].returned, 0);
}

static void a_purchase_of_the_same_moment_counts_as_earlier(void **state)
{
    struct aff_return_line lines[] = {at(1, 1, -2), at(1, 2, 2)};

    (void)state;
    aff_returns_match(lines, 2);
    assert_int_equal(lines[0].quantity, 2);
    assert_int_equal(lines[0].returned, 2);
    assert_int_equal(lines[1].returned, 0);
}

static void several_returns_share_what_is_left(void **state)
{
    struct aff_return_line lines[] = {at(1, 1, 4), at(2, 2, -3), at(3, 3, 1), at(4, 4, -3)};

    (void)state;
    aff_returns_match(lines, 4);
    assert_int_equal(lines[0].returned, 4);
    assert_int_equal(lines[1].returned, 0);
    assert_int_equal(lines[2].returned, 1);
    assert_int_equal(lines[3].returned, 1);
}

static void stored_values_do_not_matter(void **state)
{
    struct aff_return_line lines[] = {at(1, 1, 4), at(2, 2, -1)};

    (void)state;
    lines[0].returned = 4;
    lines[1].returned = 9;
    aff_returns_match(lines, 2);
    assert_int_equal(lines[0].returned, 1);
    assert_int_equal(lines[1].returned, 0);
}

static void the_largest_quantities_do_not_overflow(void **state)
{
    struct aff_return_line lines[] = {at(1, 1, INT32_MAX), at(2, 2, INT32_MAX), at(3, 3, -INT32_MAX),
                                      at(4, 4, -INT32_MAX), at(5, 5, -INT32_MAX)};

    (void)state;
    aff_returns_match(lines, 5);
    assert_int_equal(lines[0].returned, INT32_MAX);
    assert_int_equal(lines[1].returned, INT32_MAX);
    assert_int_equal(lines[4].returned, INT32_MAX);
    aff_returns_match(lines, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_purchase_is_taken_back_first),
        cmocka_unit_test(later_purchases_are_not_touched),
        cmocka_unit_test(a_purchase_of_the_same_moment_counts_as_earlier),
        cmocka_unit_test(several_returns_share_what_is_left),
        cmocka_unit_test(stored_values_do_not_matter),
        cmocka_unit_test(the_largest_quantities_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
