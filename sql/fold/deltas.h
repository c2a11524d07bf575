/* SPDX-License-Identifier: Apache-2.0 */
/* How much counts change when orders change: the orders are counted as they were and as they are, by the very
 * functions that count all orders (core/learn), and the difference is taken. So a fold can count nothing
 * that a rebuild would count otherwise. */
#pragma once

#include "core/base/status.h"
#include "sql/fold/changes.h"
#include "sql/fold/costs.h"
#include "sql/fold/recount.h"

#include <stdbool.h>
#include <stdint.h>

/* Changes of a product's row of product_stat; products whose counts stay the same are left out. */
struct aff_stat_delta {
    int32_t product;
    int32_t orders, discounted;
    int64_t weight, revenue, margin;
    int64_t newest_us; /* of the orders as they are; INT64_MIN: none of them holds the product */
    int64_t older_us;  /* of the orders as they were, likewise */
};

/* Of pair_together, a < b. */
struct aff_pair_delta {
    int32_t a, b;
    int32_t orders, discounted;
    int64_t weight, revenue_a, revenue_b, margin_a, margin_b;
};

/* Of pair_next: `n_gaps` changes of its histogram from `first_gap` on. */
struct aff_next_delta {
    int32_t a, b;
    int32_t orders;
    int64_t weight;
    uint32_t first_gap, n_gaps;
};

struct aff_gap_delta {
    uint8_t bucket;
    int32_t times;
};

struct aff_next_stat_delta {
    int32_t product;
    int32_t firsts, seconds;
    int64_t firsts_weight;
};

/* Arrays ascend by product or by a, b. */
struct aff_deltas {
    struct aff_stat_delta *stats;
    struct aff_pair_delta *pairs;
    struct aff_next_delta *nexts;
    struct aff_gap_delta *gaps;
    struct aff_next_stat_delta *next_stats;
    uint32_t n_stats, n_pairs, n_nexts, n_gaps, n_next_stats;
    int64_t orders, lines, weight, next_orders, truncated_orders, truncated_lines;
    int64_t from_us, to_us;               /* of the orders as they are; INT64_MIN without any */
    int64_t earlier_from_us, older_to_us; /* of the orders as they were */
};

/* `beside` are the orders between which the changed ones stand in time (sql/fold/beside.h). *deltas is zero
 * before; aff_deltas_done() ends it, after a failure, too. AFF_LIMIT: amounts that do not fit. */
AFF_MUST_CHECK aff_status aff_deltas_make(const struct aff_changes *changes, const struct aff_changes *beside,
                                          const struct aff_costs *costs, const struct aff_count_state *state,
                                          struct aff_deltas *deltas, struct aff_error *reterr);
void aff_deltas_done(struct aff_deltas *deltas);
