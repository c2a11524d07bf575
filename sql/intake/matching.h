/* SPDX-License-Identifier: Apache-2.0 */
/* Matching the returns of many customers and products: lines come in group by group, what differs from the
 * tables comes out. Used by one thread. */
#pragma once

#include "core/base/status.h"
#include "core/intake/returns.h"

#include <stddef.h>
#include <stdint.h>

/* A line whose `returned` is another than the tables have. */
struct aff_returned_change {
    int64_t order_key;
    int32_t line, returned;
};

/* Set to zero before first use. */
struct aff_matching {
    struct aff_return_line *lines; /* of the current customer and product */
    size_t n, capacity;
    int64_t customer;
    int32_t product;
    struct aff_returned_change *changes;
    size_t n_changes, changes_capacity;
    int64_t matched, partly; /* return lines marked `ours` that found all, or some, of their units */
};

/* What aff_return_line.content holds. */
int64_t aff_matching_content(int64_t unit_price, int64_t unit_cost, bool discounted);

/* Adds a line; those of one customer and product come one after the other. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_matching_add(struct aff_matching *matching, int64_t customer, int32_t product,
                                           const struct aff_return_line *line);

/* Ends the last group. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_matching_end(struct aff_matching *matching);

void aff_matching_done(struct aff_matching *matching);
