/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/decay.h"

#include "core/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct aff_decay decay = {.landmark_us = 1000 * AFF_DAY_US, .half_life_s = 10 * INT64_C(86400)};

static void basket_of_one_product_at_the_landmark_weighs_one(void **state)
{
    (void)state;
    assert_int_equal(aff_decay_weight(&decay, 1000 * AFF_DAY_US, 1), AFF_WEIGHT_ONE);
}

static void basket_weighs_half_after_each_half_life(void **state)
{
    (void)state;
    assert_int_equal(aff_decay_weight(&decay, 990 * AFF_DAY_US, 1), AFF_WEIGHT_ONE / 2);
    assert_int_equal(aff_decay_weight(&decay, 980 * AFF_DAY_US, 1), AFF_WEIGHT_ONE / 4);
    assert_int_equal(aff_decay_weight(&decay, 995 * AFF_DAY_US, 1), 741455); /* 2^20 / sqrt 2 = 741455.2 */
}

static void basket_after_the_landmark_weighs_more(void **state)
{
    (void)state;
    assert_int_equal(aff_decay_weight(&decay, 1010 * AFF_DAY_US, 1), 2 * AFF_WEIGHT_ONE);
}

static void weight_falls_with_the_square_root_of_the_size(void **state)
{
    (void)state;
    assert_int_equal(aff_decay_weight(&decay, 1000 * AFF_DAY_US, 4), AFF_WEIGHT_ONE / 2);
    assert_int_equal(aff_decay_weight(&decay, 1000 * AFF_DAY_US, 3), 605396); /* 2^20 / sqrt 3 = 605395.6 */
}

static void weight_is_bounded_on_both_sides(void **state)
{
    (void)state;
    assert_int_equal(aff_decay_weight(&decay, 100000 * AFF_DAY_US, 1), AFF_WEIGHT_MAX);
    assert_int_equal(aff_decay_weight(&decay, INT64_MAX, 1), AFF_WEIGHT_MAX);
    assert_int_equal(aff_decay_weight(&decay, INT64_MIN, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basket_of_one_product_at_the_landmark_weighs_one),
        cmocka_unit_test(basket_weighs_half_after_each_half_life),
        cmocka_unit_test(basket_after_the_landmark_weighs_more),
        cmocka_unit_test(weight_falls_with_the_square_root_of_the_size),
        cmocka_unit_test(weight_is_bounded_on_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
