/* SPDX-License-Identifier: Apache-2.0 */
/* A rebuild beside the feed of changed orders (sql/migrations/002_feed.sql), so that orders that are written
 * and folded while it reads and counts are neither lost nor counted twice.
 *
 * From aff_rebuild_feed_open() on, folds keep the rows of order_outbox that they have counted. The rebuild
 * notes which rows its snapshot sees: what these stand for, it counts itself. At the swap those rows go, and
 * all others are queued again, to be folded into the new tables: the content before an order's first change
 * after the snapshot is the content that the snapshot has. A rebuild that dies leaves state.rebuilding set;
 * aff_rebuild_feed_recover() then drops what was folded into the tables that stayed. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

#include <stdbool.h>

/* The following are for the session that has the rebuild lock (sql/rebuild_lock.h). */

/* Tidies up after a rebuild that died, sets state.rebuilding and commits. Not inside a transaction. */
AFF_MUST_CHECK aff_status aff_rebuild_feed_open(struct aff_connection *connection, int store,
                                                struct aff_error *reterr);

/* Inside the transaction that reads the orders, whose snapshot is REPEATABLE READ and may be READ ONLY: notes
 * the rows that are queued in it. The transaction has to be committed. */
AFF_MUST_CHECK aff_status aff_rebuild_feed_see(struct aff_connection *connection, int store,
                                               struct aff_error *reterr);

/* Inside the transaction of the swap: locks the row of affinity.state, then removes the rows that were seen
 * and queues the others again. SQLSTATE 55P03: a fold had the row for ten seconds. */
AFF_MUST_CHECK aff_status aff_rebuild_feed_swap(struct aff_connection *connection, int store,
                                                struct aff_error *reterr);

/* The rebuild has ended without a swap: the tables stay, and with them what was folded into them. Nothing
 * happens if state.rebuilding is not set. Not inside a transaction. */
AFF_MUST_CHECK aff_status aff_rebuild_feed_recover(struct aff_connection *connection, int store,
                                                   struct aff_error *reterr);

/* For whoever folds, without the rebuild lock: if no rebuild runs, aff_rebuild_feed_recover(); *ret_running
 * says that one does. Not inside a transaction. */
AFF_MUST_CHECK aff_status aff_rebuild_feed_tidy(struct aff_connection *connection, int store,
                                                bool *ret_running, struct aff_error *reterr);
