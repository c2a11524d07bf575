/* SPDX-License-Identifier: Apache-2.0 */
/* The customers' side of a fold: what each customer of the changed orders has bought now. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"
#include "sql/fold/changes.h"
#include "sql/fold/columns.h"
#include "sql/fold/recount.h"

/* Brings affinity.customer_history up to date, and adds the customers concerned to `customers` (of numbers).
 * New orders are added to what is kept; where something is taken back, or an older purchase may have been cut
 * off, the history is made anew from the customer's orders, which are few: of a customer with more than
 * AFF_HISTORY_ORDERS (sql/write_learned.h) only number and time are kept. Inside the fold's transaction.
 * AFF_DATA: more orders would be taken back than were counted. */
AFF_MUST_CHECK aff_status aff_fold_histories(struct aff_connection *connection, int store,
                                             const struct aff_count_state *state,
                                             const struct aff_changes *changes, struct aff_column *customers,
                                             struct aff_error *reterr);
