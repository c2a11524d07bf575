/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    (void)clock_gettime(id, &now); /* Both clocks exist on every Linux; the call cannot fail. */
    return (int64_t)now.tv_sec * AFF_SECOND_US + now.tv_nsec / 1000;
}

int64_t aff_clock_now_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t aff_clock_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 of a civil date (Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
static int64_t days_of_date(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

/* Reads exactly `digits` decimal digits at *at and moves past them; -1 if they are not there. */
static int take_number(struct aff_text *at, size_t digits)
{
    int value = 0;

    if (at->size < digits)
        return -1;
    for (size_t i = 0; i < digits; i++) {
        if (at->at[i] < '0' || at->at[i] > '9')
            return -1;
        value = value * 10 + (at->at[i] - '0');
    }
    *at = (struct aff_text){at->at + digits, at->size - digits};
    return value;
}

static bool take_character(struct aff_text *at, const char *any_of)
{
    if (at->size == 0 || strchr(any_of, at->at[0]) == NULL || at->at[0] == '\0')
        return false;
    *at = (struct aff_text){at->at + 1, at->size - 1};
    return true;
}

/* Reads ".123456" (1 to 9 digits, cut to microseconds); 0 if there is no fraction, -1 if it is malformed. */
static int64_t take_fraction(struct aff_text *at)
{
    int64_t value = 0, unit = 100000;
    size_t digits = 0;

    if (!take_character(at, "."))
        return 0;
    for (; at->size > 0 && at->at[0] >= '0' && at->at[0] <= '9' && digits < 9; digits++) {
        value += (at->at[0] - '0') * unit;
        unit /= 10;
        *at = (struct aff_text){at->at + 1, at->size - 1};
    }
    return digits == 0 ? -1 : value;
}

/* Reads the offset from UTC in seconds; false if it is malformed. */
static bool take_offset(struct aff_text *at, int64_t *ret_s)
{
    *ret_s = 0;
    if (at->size == 0 || take_character(at, "Zz"))
        return true;
    int sign = at->at[0] == '-' ? -1 : 1;
    if (!take_character(at, "+-"))
        return false;
    int hours = take_number(at, 2);
    bool colon = take_character(at, ":");
    int minutes = at->size == 0 && !colon ? 0 : take_number(at, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *ret_s = (int64_t)sign * (hours * 3600 + minutes * 60);
    return true;
}

aff_status aff_time_parse(struct aff_text text, int64_t *ret_us)
{
    struct aff_text at = text;
    int hour = 0, minute = 0, second = 0;
    int64_t fraction_us = 0, offset_s = 0;

    int year = take_number(&at, 4);
    bool dashes = take_character(&at, "-");
    int month = take_number(&at, 2);
    dashes = take_character(&at, "-") && dashes;
    int day = take_number(&at, 2);
    if (!dashes || year < 1900 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return AFF_INVALID;
    if (at.size > 0) {
        if (!take_character(&at, "Tt "))
            return AFF_INVALID;
        hour = take_number(&at, 2);
        bool colons = take_character(&at, ":");
        minute = take_number(&at, 2);
        if (take_character(&at, ":")) {
            second = take_number(&at, 2);
            fraction_us = take_fraction(&at);
        }
        if (!colons || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 ||
            fraction_us < 0 || !take_offset(&at, &offset_s) || at.size > 0)
            return AFF_INVALID;
    }
    int64_t seconds = days_of_date(year, month, day) * 86400 + hour * INT64_C(3600) + minute * INT64_C(60) +
                      second - offset_s;
    *ret_us = seconds * AFF_SECOND_US + fraction_us;
    return AFF_OK;
}

void aff_time_format(int64_t at_us, char ret_text[AFF_TIME_TEXT])
{
    int64_t seconds = at_us / AFF_SECOND_US - (at_us % AFF_SECOND_US < 0 ? 1 : 0);
    time_t time = (time_t)seconds;
    struct tm parts;

    if (gmtime_r(&time, &parts) == NULL || parts.tm_year > 8099 || parts.tm_year < -1900) {
        (void)snprintf(ret_text, AFF_TIME_TEXT, "1970-01-01T00:00:00Z");
        return;
    }
    (void)strftime(ret_text, AFF_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &parts);
}
