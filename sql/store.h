/* SPDX-License-Identifier: Apache-2.0 */
/* Making a store: its row, its state rows and its own partition of every table that is kept by store. This is
 * the only place that makes partitions; who replaces one later makes a table of the same shape and swaps it
 * in under the same name (aff_partition_name). */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

#include <stdbool.h>

/* The tables that have one partition a store, each named aff_partition_name(table, store, ""). */
#define AFF_PARTITIONED_LIST(X)                                                                              \
    X(product_stat)                                                                                          \
    X(product_month)                                                                                         \
    X(pair_together)                                                                                         \
    X(pair_next)                                                                                             \
    X(next_stat)                                                                                             \
    X(neighbour)                                                                                             \
    X(customer_history)

/* Makes the store `name` if it is not there, its rows of affinity.state and affinity.catalogue_state and its
 * empty partitions, all in one transaction; what is there stays as it is, and nothing is written when nothing
 * is missing. `currency` is an ISO 4217 code; NULL means the store's own, the store must then exist. Safe
 * when several programs do it at once. Must not be called inside a transaction. `ret_created` (may be NULL):
 * whether the store is new. AFF_INVALID: the name is no id (aff_text_is_id), the currency no code, or the
 * store keeps its money in another currency. AFF_NOTFOUND: no currency given and no such store. */
AFF_MUST_CHECK aff_status aff_store_ensure(struct aff_connection *connection, const char *name,
                                           const char *currency, int *ret_store, bool *ret_created,
                                           struct aff_error *reterr);
