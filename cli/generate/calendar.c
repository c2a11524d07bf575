/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/calendar.h"

#include <stdlib.h>

enum { MONTHS = 12, WEEKDAYS = 7, HOURS = 24, GROWTH_FROM = 800, GROWTH_TO = 1200 };

/* The civil date of a day since 1970-01-01 (Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
static struct aff_demo_date date_of(int64_t day)
{
    int64_t z = day + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t march = (5 * of_year + 2) / 153;

    return (struct aff_demo_date){.year = (int)(year + era * 400 + (march >= 10)),
                                  .month = (int)(march < 10 ? march + 3 : march - 9),
                                  .day = (int)(of_year - (153 * march + 2) / 5 + 1)};
}

static uint64_t day_weight(int64_t day, int32_t number, int32_t n_days)
{
    static const uint32_t months[MONTHS] = {88, 84, 94, 98, 100, 97, 92, 90, 98, 106, 128, 132};
    static const uint32_t weekdays[WEEKDAYS] = {104, 96, 92, 118,
                                                100, 98, 100}; /* from Thursday, 1970-01-01 */
    struct aff_demo_date date = date_of(day);
    uint64_t growth = GROWTH_FROM + (uint64_t)(GROWTH_TO - GROWTH_FROM) * (uint64_t)number / (uint64_t)n_days;
    uint64_t weight = growth * months[date.month - 1] * weekdays[((day % WEEKDAYS) + WEEKDAYS) % WEEKDAYS];

    if (date.month == 11 && date.day >= 23)
        return weight * 3 / 2; /* the November sale */
    if (date.month == 12 && date.day >= 21)
        return weight / 2; /* too late for a parcel */
    return weight;
}

aff_status aff_demo_calendar_init(struct aff_demo_calendar *calendar, int64_t first_day, int32_t n_days)
{
    uint64_t sum = 0;
    uint64_t *shares = malloc((size_t)n_days * sizeof *shares);

    if (shares == NULL)
        return AFF_NOMEM;
    for (int32_t i = 0; i < n_days; i++)
        shares[i] = sum += day_weight(first_day + i, i, n_days);
    *calendar = (struct aff_demo_calendar){.first_day = first_day, .n_days = n_days, .shares = shares};
    return AFF_OK;
}

void aff_demo_calendar_done(struct aff_demo_calendar *calendar)
{
    free(calendar->shares);
    calendar->shares = NULL;
}

struct aff_demo_date aff_demo_calendar_date(const struct aff_demo_calendar *calendar, int32_t day)
{
    return date_of(calendar->first_day + day);
}

uint64_t aff_demo_calendar_due(const struct aff_demo_calendar *calendar, int32_t day, uint64_t lines)
{
    return (uint64_t)((aff_u128)lines * calendar->shares[day] / calendar->shares[calendar->n_days - 1]);
}

uint32_t aff_demo_season_weight(enum aff_demo_season season, int month)
{
    static const uint32_t weights[][MONTHS] = {
        [AFF_SEASON_ALL] = {100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100},
        [AFF_SEASON_SPRING] = {40, 70, 160, 210, 190, 110, 70, 60, 80, 70, 60, 60},
        [AFF_SEASON_SUMMER] = {30, 35, 60, 100, 160, 220, 230, 180, 80, 40, 35, 50},
        [AFF_SEASON_AUTUMN] = {90, 80, 70, 60, 50, 50, 55, 80, 170, 200, 180, 110},
        [AFF_SEASON_WINTER] = {180, 150, 100, 60, 40, 30, 30, 40, 80, 130, 180, 200},
        [AFF_SEASON_GIFTS] = {60, 60, 70, 75, 80, 75, 70, 70, 80, 110, 210, 280},
        [AFF_SEASON_SCHOOL] = {80, 70, 70, 70, 75, 90, 150, 240, 170, 80, 80, 85},
        [AFF_SEASON_NEW_YEAR] = {260, 170, 120, 90, 80, 80, 70, 70, 110, 90, 80, 90},
    };

    return weights[season][month - 1];
}

int32_t aff_demo_second(struct aff_random *random)
{
    /* Orders of each hour and all before it, of 1000. */
    static const uint32_t until[HOURS] = {14,  20,  24,  27,  30,  36,  52,  83,  126, 178, 236, 296,
                                          356, 412, 466, 520, 576, 634, 698, 770, 848, 916, 964, 1000};
    uint32_t place = (uint32_t)aff_random_below(random, until[HOURS - 1]);
    int32_t hour = 0;

    while (until[hour] <= place)
        hour++;
    return hour * 3600 + (int32_t)aff_random_below(random, 3600);
}
