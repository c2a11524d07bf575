/* SPDX-License-Identifier: Apache-2.0 */
/* How counts change when orders change: a full count of few orders as they are now, less a full count of the
 * same orders as they were. Counts are integers, so adding a delta to the tables leaves exactly what counting
 * all orders anew would give.
 *
 * For the relation `next` the orders beside a changed one matter, too. Both sides therefore hold, with the
 * same content, for each changed order and each of the two places that it has among its customer's counted
 * orders (by time, then order key), before and after the change: the nearest unchanged counted order before
 * that place and the nearest one behind it. More unchanged orders do no harm, since they cancel out. An order
 * counts if it holds a line whose units are above 0 and is not older than the frame's first moment. */
#pragma once

#include "core/base/status.h"
#include "core/learn/baskets.h"
#include "core/learn/gap.h"
#include "core/learn/months.h"

#include <stdint.h>

struct aff_delta_settings {
    int64_t half_life_s;
    uint32_t cap; /* as in struct aff_baskets_settings */
    struct aff_baskets_frame frame;
};

/* Change of a product's totals. Members are as in struct aff_product_stat. */
struct aff_delta_product {
    int32_t product; /* key */
    int32_t orders, discounted;
    int64_t weight, revenue, margin;
    /* Newest basket with the product on each side, INT64_MIN if there is none. If a product's `last_at` is
     * newest_before and newest_after is older, the newest basket that is left has to be looked for. */
    int64_t newest_before_us, newest_after_us;
};

/* Change of a pair a < b, by product key. Members are as in struct aff_pair. */
struct aff_delta_pair {
    int32_t a, b;
    int32_t orders, discounted;
    int64_t weight, revenue_a, revenue_b, margin_a, margin_b;
};

/* Change of an ordered pair: first a, then b. */
struct aff_delta_next {
    int32_t a, b;
    int32_t orders;
    uint32_t n_gaps;
    int64_t weight;
    const struct aff_gap_change *gaps; /* ascending by bucket; in the delta's memory */
};

/* Change of struct aff_next_stat. */
struct aff_delta_next_stat {
    int32_t product;
    int32_t firsts, seconds;
    int64_t firsts_weight;
};

/* Change of the baskets of one month that hold a product; AFF_EVERY_PRODUCT: of all baskets of the month. */
struct aff_delta_month {
    int32_t product;
    int32_t orders;
    int16_t month; /* core/learn/months.h */
};

/* Ascending by key and without entries that change nothing. Immutable; any number of threads may read. */
struct aff_delta {
    struct aff_delta_product *products;
    struct aff_delta_pair *pairs;
    struct aff_delta_next *next;
    struct aff_delta_next_stat *next_stats;
    struct aff_delta_month *months; /* by product, then month; AFF_EVERY_PRODUCT first */
    int64_t *customers; /* keys of all customers on either side: their histories may have changed */
    size_t n_products, n_pairs, n_next, n_next_stats, n_months, n_customers;
    struct aff_gap_change *gaps; /* memory of `next` */
    int64_t orders, lines, weight, next_orders, truncated_orders, truncated_lines;
    int64_t from_us, to_us; /* oldest and newest basket of the side after; 0 without */
};

/* Makes the delta. Time and memory in proportion to the lines (pairs: to the squares of their baskets), never
 * to the catalogue. AFF_DATA and AFF_LIMIT as in aff_baskets_builder_add(). */
AFF_MUST_CHECK aff_status aff_delta_build(const struct aff_delta_settings *settings,
                                          const struct aff_line *before, size_t n_before,
                                          const struct aff_line *after, size_t n_after,
                                          struct aff_delta **ret_delta);
void aff_delta_free(struct aff_delta *delta); /* NULL is a no-op */
