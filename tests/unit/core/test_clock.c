/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct known {
    const char *text;
    int64_t at_s;
};

/* Seconds from `date -u -d TEXT +%s`. */
static void known_times_are_read(void **state)
{
    (void)state;
    static const struct known known[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01", 0},
        {"1969-12-31T23:59:59Z", -1},
        {"1900-01-01T00:00:00Z", -2208988800},
        {"2000-02-29T12:00:00Z", 951825600},
        {"2024-02-29", 1709164800},
        {"2026-11-21T09:00:00Z", 1795251600},
        {"2038-01-19T03:14:08Z", 2147483648},
        {"9999-12-31T23:59:59Z", 253402300799},
        {"2011-12-09 12:50:00", 1323435000},
        {"2011-12-09T12:50", 1323435000},
        {"2011-12-09t12:50:00z", 1323435000},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        int64_t at_us = -1;
        assert_int_equal(aff_time_parse(aff_text_of(known[i].text), &at_us), AFF_OK);
        assert_int_equal(at_us, known[i].at_s * AFF_SECOND_US);
    }
}

static void offsets_are_taken_off(void **state)
{
    (void)state;
    static const char *const same[] = {
        "2026-11-21T09:00:00Z",      "2026-11-21T10:00:00+01:00", "2026-11-21T04:30:00-04:30",
        "2026-11-21 10:00:00+0100",  "2026-11-21T10:00:00+01",    "2026-11-22T08:59:00+23:59",
        "2026-11-21T09:00:00-00:00",
    };

    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        int64_t at_us = 0;
        assert_int_equal(aff_time_parse(aff_text_of(same[i]), &at_us), AFF_OK);
        assert_int_equal(at_us, INT64_C(1795251600) * AFF_SECOND_US);
    }
}

static void fractions_are_cut_to_microseconds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } known[] = {
        {"1970-01-01T00:00:00.5Z", 500000},         {"1970-01-01T00:00:00.000001Z", 1},
        {"1970-01-01T00:00:00.123456789Z", 123456}, {"1970-01-01T00:00:00.999999999+00:00", 999999},
        {"1969-12-31T23:59:59.25Z", -750000},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        int64_t at_us = 7;
        assert_int_equal(aff_time_parse(aff_text_of(known[i].text), &at_us), AFF_OK);
        assert_int_equal(at_us, known[i].us);
    }
}

static void what_is_no_time_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "now",
        "1970",
        "1970-01",
        "1970-1-1",
        "70-01-01",
        "1970/01/01",
        "19700101",
        "1899-12-31",
        "10000-01-01",
        "2023-02-29",
        "1900-02-29",
        "2024-02-30",
        "2024-04-31",
        "2024-13-01",
        "2024-00-01",
        "2024-01-00",
        "2024-01-32",
        "2024-01-01T",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:61Z",
        "2024-01-01T00",
        "2024-01-01T0:00:00Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00,5Z",
        "2024-01-01T00:00:00.1234567890Z",
        "2024-01-01T00:00:00+",
        "2024-01-01T00:00:00+1",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+01:60",
        "2024-01-01T00:00:00+01:",
        "2024-01-01T00:00:00ZZ",
        "2024-01-01T00:00:00Z ",
        " 2024-01-01",
        "2024-01-01x",
        "-024-01-01",
        "2024-01-01T-1:00:00Z",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t at_us = 42;
        if (aff_time_parse(aff_text_of(bad[i]), &at_us) != AFF_INVALID)
            fail_msg("'%s' was taken for a time", bad[i]);
        assert_int_equal(at_us, 42);
    }
    int64_t at_us = 42;
    assert_int_equal(aff_time_parse((struct aff_text){"2024-01-01\0", 11}, &at_us), AFF_INVALID);
}

static void nothing_behind_the_end_is_read(void **state)
{
    (void)state;
    int64_t at_us = 0;

    assert_int_equal(aff_time_parse((struct aff_text){"1970-01-02T99:99:99", 10}, &at_us), AFF_OK);
    assert_int_equal(at_us, AFF_DAY_US);
}

/* Each day from 1900 to 2200 is one day after the day before, and reads back from its own text. */
static void every_day_follows_the_day_before(void **state)
{
    (void)state;
    int64_t first_us = 0, last_us = 0;

    assert_int_equal(aff_time_parse(aff_text_of("1900-01-01"), &first_us), AFF_OK);
    assert_int_equal(aff_time_parse(aff_text_of("2200-12-31"), &last_us), AFF_OK);
    assert_int_equal((last_us - first_us) / AFF_DAY_US, 109937);
    for (int64_t at_us = first_us; at_us <= last_us; at_us += AFF_DAY_US) {
        char text[AFF_TIME_TEXT];
        int64_t back_us = 0;
        aff_time_format(at_us, text);
        assert_int_equal(aff_time_parse(aff_text_of(text), &back_us), AFF_OK);
        assert_int_equal(back_us, at_us);
    }
}

static void times_are_written_in_whole_seconds_rounded_down(void **state)
{
    (void)state;
    char text[AFF_TIME_TEXT];

    aff_time_format(INT64_C(1795251600999999), text);
    assert_string_equal(text, "2026-11-21T09:00:00Z");
    aff_time_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59Z");
    aff_time_format(-AFF_SECOND_US, text);
    assert_string_equal(text, "1969-12-31T23:59:59Z");
    aff_time_format(INT64_MAX, text);
    assert_int_equal(strlen(text), 20);
}

static void clocks_go_on(void **state)
{
    (void)state;
    int64_t before_us = aff_clock_monotonic_us();

    assert_true(aff_clock_now_us() > INT64_C(1700000000) * AFF_SECOND_US);
    assert_true(aff_clock_monotonic_us() >= before_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times_are_read),
        cmocka_unit_test(offsets_are_taken_off),
        cmocka_unit_test(fractions_are_cut_to_microseconds),
        cmocka_unit_test(what_is_no_time_is_refused_and_changes_nothing),
        cmocka_unit_test(nothing_behind_the_end_is_read),
        cmocka_unit_test(every_day_follows_the_day_before),
        cmocka_unit_test(times_are_written_in_whole_seconds_rounded_down),
        cmocka_unit_test(clocks_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
