/* SPDX-License-Identifier: Apache-2.0 */
/* How many baskets of each calendar month (UTC) hold a product: the margins of the strata in which a pair is
 * looked at again (core/learn/season.h). Months are counted from January 1970, which is 0; times beyond 16
 * bits of months count in the last one. */
#pragma once

#include "core/base/status.h"
#include "core/learn/baskets.h"

#include <stdint.h>

/* In the place of a product key: all baskets of the store. No product has it. */
#define AFF_EVERY_PRODUCT (-1)

/* The month of a time in microseconds. */
int16_t aff_month_of(int64_t at_us);

/* Baskets of one product, or of all, by ascending month; parallel arrays. No count is 0. */
struct aff_month_row {
    uint32_t n;
    const int16_t *months;
    const int32_t *orders;
};

/* Immutable once made; read by any number of threads. Memory: 6 bytes for each month of each product. */
struct aff_months;

/* Counts the months of all product rows of the baskets. */
AFF_MUST_CHECK aff_status aff_months_count(const struct aff_baskets *baskets, struct aff_months **ret_months);
void aff_months_free(struct aff_months *months); /* NULL is a no-op */

/* Of the product's row; of all baskets. Valid as long as the months. */
struct aff_month_row aff_months_row(const struct aff_months *months, uint32_t row);
struct aff_month_row aff_months_all(const struct aff_months *months);
