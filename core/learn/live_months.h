/* SPDX-License-Identifier: Apache-2.0 */
/* Months of one product (core/learn/months.h) that change with the orders. Zero is a product without any.
 * Memory: 6 bytes a month, with room for up to an eighth and two more. */
#pragma once

#include "core/learn/months.h"

#include <stdbool.h>
#include <stddef.h>

struct aff_live_months {
    int32_t *orders; /* the months stand behind them in the same block */
    uint16_t n, capacity;
};

/* Adds `by` baskets of the month; an entry that comes to 0 is removed. AFF_DATA: it would be negative. */
AFF_MUST_CHECK aff_status aff_live_months_add(struct aff_live_months *live, int16_t month, int32_t by);
void aff_live_months_done(struct aff_live_months *live);

struct aff_month_row aff_live_months_row(const struct aff_live_months *live);
size_t aff_live_months_bytes(const struct aff_live_months *live); /* behind the struct */
