/* SPDX-License-Identifier: Apache-2.0 */
/* Writes what was learned into the new tables of a store, on several lanes at once. Every function begins and
 * ends the writing of its table, except that neighbour rows of both relations go into one writing that the
 * caller begins and ends. After a failure the caller ends all lanes with `abandon`. */
#pragma once

#include "core/base/parallel.h"
#include "core/learn/baskets.h"
#include "core/learn/next.h"
#include "core/learn/pairs.h"
#include "core/learn/rows.h"
#include "sql/lane.h"

#include <stdint.h>

/* The products kept of one customer. */
enum { AFF_HISTORY_LIMIT = 1000 };

/* A customer with more baskets is no person but a till or a marketplace: its products are not kept. */
enum { AFF_HISTORY_ORDERS = 1000 };

struct aff_learned_counts {
    uint64_t products, pairs, next_pairs, rows, neighbours, customers;
};

struct aff_write {
    int store;
    int n_threads;
    struct aff_lane *lanes;     /* n_threads */
    struct aff_lane *row_lanes; /* n_threads, for neighbour rows; else NULL */
    const struct aff_baskets *baskets;
    const int64_t *costs; /* by product row, AFF_COST_UNKNOWN where there is none */
    const struct aff_rows_settings *settings;
    const struct aff_watch *watch;
    struct aff_error *reterr;
    struct aff_learned_counts counts; /* rises as tables are written */
};

/* product_stat: products that are in a basket. */
AFF_MUST_CHECK aff_status aff_write_stats(struct aff_write *write, const struct aff_pairs *pairs);

/* product_month: the same products, and all baskets. */
AFF_MUST_CHECK aff_status aff_write_months(struct aff_write *write, const struct aff_pairs *pairs);

/* pair_together: each pair once. */
AFF_MUST_CHECK aff_status aff_write_pairs(struct aff_write *write, const struct aff_pairs *pairs);

/* neighbour, relation 1. */
AFF_MUST_CHECK aff_status aff_write_together_rows(struct aff_write *write, const struct aff_pairs *pairs);

/* pair_next, and neighbour, relation 2. */
AFF_MUST_CHECK aff_status aff_write_next(struct aff_write *write, const struct aff_next *next);

/* next_stat: products that are in a first or a second of two consecutive baskets. */
AFF_MUST_CHECK aff_status aff_write_next_stats(struct aff_write *write, const struct aff_next *next);

/* customer_history. */
AFF_MUST_CHECK aff_status aff_write_histories(struct aff_write *write);
