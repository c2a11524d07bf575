/* SPDX-License-Identifier: Apache-2.0 */
/* Who may write a store's orders: one import at a time, and imports that apply apart from everybody else.
 * Advisory locks of PostgreSQL. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

#include <stdbool.h>

/* Takes the lock and asks the server to notice within a second when this client is gone, so that a killed
 * import does not hold it. Tries for `wait_ms`. AFF_BUSY: the text names the session that has it and since
 * when. The lock ends with aff_intake_unlock() or the connection. */
AFF_MUST_CHECK aff_status aff_intake_lock(struct aff_connection *connection, int store, int wait_ms,
                                          struct aff_error *reterr);
void aff_intake_unlock(struct aff_connection *connection, int store);

/* Inside a transaction, until its end: the right to write orders of the store, beside others who have it,
 * too, or
 * (`alone`) apart from all others. Taken before anything else is. Waits. */
AFF_MUST_CHECK aff_status aff_intake_lock_orders(struct aff_connection *connection, int store, bool alone,
                                                 struct aff_error *reterr);

/* Before small batches are written: AFF_INVALID unless a READ COMMITTED transaction is open, because the
 * locks are of no use when a later statement does not see what others committed before they let go. Until the
 * transaction ends, the planner goes by indexes. */
AFF_MUST_CHECK aff_status aff_intake_begin_small(struct aff_connection *connection, struct aff_error *reterr);
