/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a store's order lines that count and makes baskets of them. */
#pragma once

#include "core/base/parallel.h"
#include "core/base/status.h"
#include "core/learn/baskets.h"
#include "sql/connection.h"

#include <stdint.h>

struct aff_read_baskets {
    struct aff_baskets *baskets;
    int64_t *costs;          /* of each product row of the baskets: affinity.product.cost; AFF_COST_UNKNOWN */
    uint64_t lines;          /* read */
    int64_t counted_from_us; /* the window's first moment; INT64_MIN if there are no lines */
};

/* Reads without joins and without sorting: product costs first, then the lines with quantity > returned of
 * the window. Revenue is (quantity - returned) x unit_price; margin takes the line's cost, else the
 * product's, and is 0 where neither is known. The watch is told lines read and lines there are. To be called
 * inside a transaction that is REPEATABLE READ, so that all is of one moment. The caller ends *ret with
 * aff_read_baskets_done(). AFF_LIMIT: amounts that do not fit. */
AFF_MUST_CHECK aff_status aff_read_baskets(struct aff_connection *connection, int store,
                                           const struct aff_baskets_settings *settings,
                                           const struct aff_watch *watch, struct aff_read_baskets *ret,
                                           struct aff_error *reterr);

/* Frees what it points to; one that is zero is fine. */
void aff_read_baskets_done(struct aff_read_baskets *read);
