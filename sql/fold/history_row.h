/* SPDX-License-Identifier: Apache-2.0 */
/* The products of one customer as affinity.customer_history keeps them, and adding new baskets to them. */
#pragma once

#include "core/base/status.h"
#include "core/learn/history.h"
#include "sql/connection.h"

#include <stdint.h>

/* Parallel arrays, most recently bought first, then by product. Zero before use. */
struct aff_history_row {
    uint32_t n, capacity;
    int32_t *products, *counts;
    int64_t *first_at_us, *last_at_us;
};

void aff_history_row_done(struct aff_history_row *row);

/* Reads products, counts, first_at and last_at_of from four columns of a binary result. AFF_DATA: they differ
 * in length. */
AFF_MUST_CHECK aff_status aff_history_row_take(struct aff_history_row *row, const PGresult *result, int at,
                                               int column, struct aff_error *reterr);

/* Puts what is kept and what baskets add together, at most `limit` products. `kept` must be whole. */
AFF_MUST_CHECK aff_status aff_history_row_merge(struct aff_history_row *merged,
                                                const struct aff_history_row *kept,
                                                const struct aff_customer_history *added, uint32_t limit);
