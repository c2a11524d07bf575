/* SPDX-License-Identifier: Apache-2.0 */
/* What customers buy in their next order: exact counts of ordered pairs, first a, then b.
 *
 * Two baskets are consecutive if they follow one another in the list of one customer's baskets (by time, then
 * order key) and differ in time. For each two consecutive baskets, each a of the first, and each b of the
 * second that the first did not hold: `orders` + 1, `weight` + the second basket's weight, and the time
 * between them into the histogram of gaps. */
#pragma once

#include "core/base/parallel.h"
#include "core/base/status.h"
#include "core/index/neighbours.h"
#include "core/learn/baskets.h"
#include "core/learn/floors.h"

#include <stdint.h>

/* For each product row, the consecutive baskets that a count of the product is to be compared with. */
struct aff_next_stat {
    uint32_t firsts;       /* whose first holds the product */
    uint32_t seconds;      /* whose second holds it and whose first does not */
    int64_t firsts_weight; /* sum of the weights of the second baskets of `firsts` */
};

struct aff_next {
    const struct aff_baskets *baskets; /* borrowed */
    uint32_t *following; /* of each basket: the consecutive one, AFF_NO_BASKET if there is none */
    uint8_t *gaps;       /* of each basket: bucket of the time to the following one (core/learn/gap.h) */
    struct aff_next_stat *stats; /* by product row */
    uint64_t consecutive;        /* consecutive baskets counted */
};

/* Finds the consecutive baskets; `baskets` must outlive the result. */
AFF_MUST_CHECK aff_status aff_next_new(const struct aff_baskets *baskets, struct aff_next **ret_next);
void aff_next_free(struct aff_next *next); /* NULL is a no-op */

/* One ordered pair. */
struct aff_next_pair {
    uint32_t b; /* product row */
    uint32_t orders;
    int64_t weight;
    const uint8_t *gaps; /* `orders` buckets, ascending */
};

/* Takes the pairs of product row `a`, ascending by b; borrowed for the call. Products without pairs are not
 * reported. Called by several threads at once, at most one call a thread number; a failure stops the work. */
typedef aff_status (*aff_next_sink)(void *context, int thread, uint32_t a, const struct aff_next_pair *pairs,
                                    uint32_t n);

/* Counts all ordered pairs and hands them on row by row; nothing is kept. Takes 24 bytes a product and
 * thread. */
AFF_MUST_CHECK aff_status aff_next_count(const struct aff_next *next, int n_threads,
                                         const struct aff_watch *watch, aff_next_sink sink, void *context);

struct aff_next_row_settings {
    uint32_t neighbours; /* kept, at most; at least 1 */
    struct aff_floors floors;
};

/* The best products to offer for the order after one with `a`, by weight / (firsts_weight + shrinkage): the
 * recency-weighted confidence, drawn towards 0 where a was seen little (shrinkage: the weight of five new
 * one-product baskets). Floors compare `orders` with `firsts` of a, `seconds` of b and all consecutive
 * baskets. Writes at most `neighbours` entries, best first, with their counts (gap_days: the median; no
 * money). `ret_` arrays have room for `neighbours` entries. */
AFF_MUST_CHECK aff_status aff_next_row(const struct aff_next *next, uint32_t a,
                                       const struct aff_next_pair *pairs, uint32_t n_pairs,
                                       const struct aff_next_row_settings *settings,
                                       struct aff_neighbour *ret_neighbours,
                                       struct aff_pair_counts *ret_counts, uint32_t *ret_n);
