/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/live_months.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRY_BYTES = sizeof(int32_t) + sizeof(int16_t) };

static int16_t *months_of(const struct aff_live_months *live)
{
    return (int16_t *)(void *)(live->orders + live->capacity);
}

static aff_status grow(struct aff_live_months *live)
{
    uint32_t capacity = live->capacity + live->capacity / 8u + 2u;

    if (capacity > UINT16_MAX)
        return AFF_LIMIT;
    struct aff_live_months bigger = {malloc((size_t)capacity * ENTRY_BYTES), live->n, (uint16_t)capacity};
    if (bigger.orders == NULL)
        return AFF_NOMEM;
    if (live->n > 0) {
        memcpy(bigger.orders, live->orders, live->n * sizeof *live->orders);
        memcpy(months_of(&bigger), months_of(live), live->n * sizeof(int16_t));
    }
    free(live->orders);
    *live = bigger;
    return AFF_OK;
}

/* Most changes are of the newest months. */
static uint32_t place_of(const struct aff_live_months *live, int16_t month)
{
    const int16_t *months = months_of(live);
    uint32_t at = live->n;

    while (at > 0 && months[at - 1] >= month)
        at--;
    return at;
}

static void move(struct aff_live_months *live, uint32_t to, uint32_t from)
{
    int16_t *months = months_of(live);

    memmove(live->orders + to, live->orders + from, (live->n - from) * sizeof *live->orders);
    memmove(months + to, months + from, (live->n - from) * sizeof *months);
}

aff_status aff_live_months_add(struct aff_live_months *live, int16_t month, int32_t by)
{
    uint32_t at = live->n == 0 ? 0 : place_of(live, month);

    if (by == 0)
        return AFF_OK;
    if (at < live->n && months_of(live)[at] == month) {
        int64_t changed = (int64_t)live->orders[at] + by;
        if (changed < 0 || changed > INT32_MAX)
            return AFF_DATA;
        live->orders[at] = (int32_t)changed;
        if (changed == 0) {
            move(live, at, at + 1);
            live->n--;
        }
        return AFF_OK;
    }
    if (by < 0)
        return AFF_DATA;
    aff_status status = live->n == live->capacity ? grow(live) : AFF_OK;
    if (status != AFF_OK)
        return status;
    move(live, at + 1, at);
    live->orders[at] = by;
    months_of(live)[at] = month;
    live->n++;
    return AFF_OK;
}

void aff_live_months_done(struct aff_live_months *live)
{
    free(live->orders);
    *live = (struct aff_live_months){0};
}

struct aff_month_row aff_live_months_row(const struct aff_live_months *live)
{
    if (live->n == 0)
        return (struct aff_month_row){0};
    return (struct aff_month_row){live->n, months_of(live), live->orders};
}

size_t aff_live_months_bytes(const struct aff_live_months *live)
{
    return (size_t)live->capacity * ENTRY_BYTES;
}
