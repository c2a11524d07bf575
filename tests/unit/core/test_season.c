/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/season.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_near(double actual, double expected)
{
    if (!(fabs(actual - expected) < 1e-9 * (1 + fabs(expected))))
        fail_msg("%.15g is not %.15g", actual, expected);
}

/* Two strata, counted by hand:
 *   month 3: N 100, a 40, b 30: expected 12, variance 40 * 30 * 60 * 70 / (100^2 * 99) = 504 / 99
 *   month 7: N 50, a 5, b 20:   expected 2,  variance 5 * 20 * 45 * 30 / (50^2 * 49) = 54 / 49 */
static void two_tables_are_as_counted_by_hand(void **state)
{
    const struct aff_month_row a = {2, (int16_t[]){3, 7}, (int32_t[]){40, 5}};
    const struct aff_month_row b = {2, (int16_t[]){3, 7}, (int32_t[]){30, 20}};
    const struct aff_month_row all = {2, (int16_t[]){3, 7}, (int32_t[]){100, 50}};
    struct aff_season season = aff_season_of(a, b, all, 20);

    (void)state;
    assert_near(season.expected, 14);
    assert_near(season.variance, 504.0 / 99 + 54.0 / 49);
    assert_near(season.z, 6 / sqrt(504.0 / 99 + 54.0 / 49));
    struct aff_season other = aff_season_of(b, a, all, 20);
    assert_near(other.expected, season.expected);
    assert_near(other.z, season.z);
}

/* One stratum: the square of z is Pearson's chi-squared of the 2 x 2 table times (N - 1) / N. */
static void with_one_table_it_is_the_chi_squared_test(void **state)
{
    const struct aff_month_row a = {1, (int16_t[]){1}, (int32_t[]){30}};
    const struct aff_month_row b = {1, (int16_t[]){1}, (int32_t[]){20}};
    const struct aff_month_row all = {1, (int16_t[]){1}, (int32_t[]){90}};
    double n = 90, both = 12,
           chi = n * pow(both * (n - 30 - 20 + both) - (30 - both) * (20 - both), 2) / (30.0 * 60 * 20 * 70);
    struct aff_season season = aff_season_of(a, b, all, 12);

    (void)state;
    assert_near(season.z * season.z, chi * (n - 1) / n);
}

static void only_months_in_which_both_sell_count(void **state)
{
    const struct aff_month_row a = {3, (int16_t[]){1, 4, 9}, (int32_t[]){7, 10, 3}};
    const struct aff_month_row b = {3, (int16_t[]){2, 4, 8}, (int32_t[]){5, 20, 9}};
    const struct aff_month_row all = {6, (int16_t[]){1, 2, 3, 4, 8, 9}, (int32_t[]){50, 50, 50, 40, 50, 50}};
    struct aff_season season = aff_season_of(a, b, all, 5);

    (void)state;
    assert_near(season.expected, 5);
    assert_near(season.z, 0);
    season = aff_season_of(a, (struct aff_month_row){1, b.months, b.orders}, all, 0);
    assert_near(season.expected, 0);
    assert_near(season.z, 0);
    season = aff_season_of((struct aff_month_row){0}, b, all, 0);
    assert_near(season.expected, 0);
}

static void months_that_contradict_their_sum_are_left_out(void **state)
{
    const struct aff_month_row a = {2, (int16_t[]){1, 4}, (int32_t[]){70, 10}};
    const struct aff_month_row b = {2, (int16_t[]){1, 4}, (int32_t[]){5, 20}};
    const struct aff_month_row all = {2, (int16_t[]){1, 4}, (int32_t[]){50, 40}};

    (void)state;
    assert_near(aff_season_of(a, b, all, 5).expected, 5);
    assert_near(aff_season_of(a, b, (struct aff_month_row){1, all.months, all.orders}, 5).expected, 0);
}

/* Summer: 100 orders, umbrellas in 50, sun screen in 50. Winter: 900, neither. */
static void a_pair_that_only_shares_its_season_is_marked(void **state)
{
    const struct aff_month_row summer = {1, (int16_t[]){6}, (int32_t[]){50}};
    const struct aff_month_row all = {2, (int16_t[]){6, 12}, (int32_t[]){100, 900}};
    struct aff_evidence plain = aff_evidence_of(25, 50, 50, 1000);
    struct aff_season chance = aff_season_of(summer, summer, all, 25);
    struct aff_season true_pair = aff_season_of(summer, summer, all, 40);

    (void)state;
    assert_true(plain.lift > 9 && plain.lift_low > 1);
    assert_near(chance.expected, 25);
    assert_true(aff_season_marks(&plain, chance.expected, chance.z));
    plain = aff_evidence_of(40, 50, 50, 1000);
    assert_true(true_pair.z > 5);
    assert_false(aff_season_marks(&plain, true_pair.expected, true_pair.z));
}

static void unknown_months_mark_nothing_nor_does_a_pair_that_never_looked_related(void **state)
{
    struct aff_evidence plain = aff_evidence_of(25, 50, 50, 1000),
                        unrelated = aff_evidence_of(2, 50, 50, 1000);

    (void)state;
    assert_false(aff_season_marks(&plain, 0, 0));
    assert_false(aff_season_marks(&unrelated, 2.5, -0.3));
}

static void the_interval_leaves_one_out_exactly_if_the_test_does(void **state)
{
    (void)state;
    for (uint64_t orders = 1; orders < 40; orders++) {
        double expected = 14, z = ((double)orders - expected) / 3;
        struct aff_season_lift lift = aff_season_lift_of(orders, expected, z);
        assert_near(lift.lift, (double)orders / expected);
        assert_true(lift.low < lift.lift && lift.lift < lift.high);
        assert_true((lift.low > 1) == (z > AFF_SEASON_Z));
        assert_true((lift.high < 1) == (z < -AFF_SEASON_Z));
    }
    struct aff_season_lift none = aff_season_lift_of(0, 3, -2), unknown = aff_season_lift_of(3, 0, 0);
    assert_true(none.lift == 0 && none.low == 0 && none.high == 0);
    assert_true(unknown.lift == 0 && unknown.low == 0 && unknown.high == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_tables_are_as_counted_by_hand),
        cmocka_unit_test(with_one_table_it_is_the_chi_squared_test),
        cmocka_unit_test(only_months_in_which_both_sell_count),
        cmocka_unit_test(months_that_contradict_their_sum_are_left_out),
        cmocka_unit_test(a_pair_that_only_shares_its_season_is_marked),
        cmocka_unit_test(unknown_months_mark_nothing_nor_does_a_pair_that_never_looked_related),
        cmocka_unit_test(the_interval_leaves_one_out_exactly_if_the_test_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
