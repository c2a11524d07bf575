/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { DAY_2024_01_01 = 19723, TWO_YEARS = 731 };

static void assert_date(struct aff_demo_date date, int year, int month, int day)
{
    assert_int_equal(date.year, year);
    assert_int_equal(date.month, month);
    assert_int_equal(date.day, day);
}

static void days_have_their_dates(void **state)
{
    struct aff_demo_calendar calendar;

    (void)state;
    assert_int_equal(aff_demo_calendar_init(&calendar, DAY_2024_01_01, TWO_YEARS), AFF_OK);
    assert_date(aff_demo_calendar_date(&calendar, 0), 2024, 1, 1);
    assert_date(aff_demo_calendar_date(&calendar, 59), 2024, 2, 29);
    assert_date(aff_demo_calendar_date(&calendar, 60), 2024, 3, 1);
    assert_date(aff_demo_calendar_date(&calendar, 366), 2025, 1, 1);
    assert_date(aff_demo_calendar_date(&calendar, TWO_YEARS - 1), 2025, 12, 31);
    assert_date(aff_demo_calendar_date(&calendar, -DAY_2024_01_01 - 1), 1969, 12, 31);
    aff_demo_calendar_done(&calendar);
}

static void all_lines_are_due_on_the_last_day_and_some_every_day(void **state)
{
    const uint64_t lines[] = {1, 999, UINT64_C(10000000000)};
    struct aff_demo_calendar calendar;

    (void)state;
    assert_int_equal(aff_demo_calendar_init(&calendar, DAY_2024_01_01, TWO_YEARS), AFF_OK);
    for (int i = 0; i < 3; i++) {
        uint64_t before = 0;
        for (int32_t day = 0; day < TWO_YEARS; day++) {
            uint64_t due = aff_demo_calendar_due(&calendar, day, lines[i]);
            assert_true(due >= before);
            assert_true(i < 2 || due > before);
            before = due;
        }
        assert_int_equal(before, lines[i]);
    }
    aff_demo_calendar_done(&calendar);
}

static uint64_t lines_between(const struct aff_demo_calendar *calendar, int32_t from, int32_t to)
{
    const uint64_t lines = 1000000;

    return aff_demo_calendar_due(calendar, to, lines) - aff_demo_calendar_due(calendar, from - 1, lines);
}

static void sales_grow_and_peak_in_the_last_week_of_november(void **state)
{
    struct aff_demo_calendar calendar;

    (void)state;
    assert_int_equal(aff_demo_calendar_init(&calendar, DAY_2024_01_01, TWO_YEARS), AFF_OK);
    assert_true(lines_between(&calendar, 31 + 366, 58 + 366) >
                lines_between(&calendar, 31, 58)); /* February */
    uint64_t sale = lines_between(&calendar, 328, 334), easy = lines_between(&calendar, 307, 313);
    assert_true(sale * 2 > easy * 2 + easy / 2);
    aff_demo_calendar_done(&calendar);
}

static void seasons_average_to_one_hundred_per_cent_or_so(void **state)
{
    (void)state;
    for (int season = AFF_SEASON_ALL; season <= AFF_SEASON_NEW_YEAR; season++) {
        uint32_t sum = 0;
        for (int month = 1; month <= 12; month++)
            sum += aff_demo_season_weight((enum aff_demo_season)season, month);
        assert_in_range(sum, 1000, 1350);
    }
    assert_true(aff_demo_season_weight(AFF_SEASON_SUMMER, 7) >
                5 * aff_demo_season_weight(AFF_SEASON_SUMMER, 1));
    assert_true(aff_demo_season_weight(AFF_SEASON_WINTER, 12) >
                5 * aff_demo_season_weight(AFF_SEASON_WINTER, 7));
}

static void orders_come_in_the_evening_rather_than_at_night(void **state)
{
    struct aff_random random = {1};
    int hours[24] = {0};

    (void)state;
    for (int i = 0; i < 100000; i++) {
        int32_t second = aff_demo_second(&random);
        assert_in_range(second, 0, 86399);
        hours[second / 3600]++;
    }
    for (int hour = 0; hour < 24; hour++)
        assert_true(hours[hour] > 0);
    assert_true(hours[20] > 15 * hours[3]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_have_their_dates),
        cmocka_unit_test(all_lines_are_due_on_the_last_day_and_some_every_day),
        cmocka_unit_test(sales_grow_and_peak_in_the_last_week_of_november),
        cmocka_unit_test(seasons_average_to_one_hundred_per_cent_or_so),
        cmocka_unit_test(orders_come_in_the_evening_rather_than_at_night),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
