/* SPDX-License-Identifier: Apache-2.0 */
/* When the demo store's customers buy: growth, months, weekdays, hours, and seasons of the products. */
#pragma once

#include "core/base/random.h"
#include "core/base/status.h"

#include <stdint.h>

/* Seasons of types of product (types.def). */
enum aff_demo_season {
    AFF_SEASON_ALL,
    AFF_SEASON_SPRING,
    AFF_SEASON_SUMMER,
    AFF_SEASON_AUTUMN,
    AFF_SEASON_WINTER,
    AFF_SEASON_GIFTS,
    AFF_SEASON_SCHOOL,
    AFF_SEASON_NEW_YEAR,
};

struct aff_demo_date {
    int year, month, day; /* month and day from 1 */
};

/* The days of the store, numbered from 0. */
struct aff_demo_calendar {
    int64_t first_day; /* since 1970-01-01 */
    int32_t n_days;
    uint64_t *shares; /* [n_days]: weight of all days up to and with this one */
};

AFF_MUST_CHECK aff_status aff_demo_calendar_init(struct aff_demo_calendar *calendar, int64_t first_day,
                                                 int32_t n_days);
void aff_demo_calendar_done(struct aff_demo_calendar *calendar);

struct aff_demo_date aff_demo_calendar_date(const struct aff_demo_calendar *calendar, int32_t day);

/* Of `lines` order lines, how many are due by the end of `day`; all of them on the last day. */
uint64_t aff_demo_calendar_due(const struct aff_demo_calendar *calendar, int32_t day, uint64_t lines);

/* How well a season sells in a month (1 to 12), in per cent of the year's average. */
uint32_t aff_demo_season_weight(enum aff_demo_season season, int month);

/* A second of the day: few orders at night, most in the evening. */
int32_t aff_demo_second(struct aff_random *random);
