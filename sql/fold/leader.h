/* SPDX-License-Identifier: Apache-2.0 */
/* Who folds a store: the one session that has the store's advisory lock. The lock saves work; what keeps the
 * tables right is the epoch, which grows with each new leader and which every fold compares under the lock of
 * the row of affinity.state. So a leader that was stopped, cut off or overtaken after a failover of the
 * database cannot change anything any more. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

#include <stdint.h>

/* Tries to take the lock on a connection of its own, which must not pass through a pooler. If it is taken by
 * another session, *ret_epoch is 0; else it is the new epoch, and `name` (for people) is written beside it.
 * The lock ends with the session, or with aff_leader_resign(). */
AFF_MUST_CHECK aff_status aff_leader_take(struct aff_connection *connection, int store, const char *name,
                                          int64_t *ret_epoch, struct aff_error *reterr);

/* Gives the lock back, so that another takes it at once. */
void aff_leader_resign(struct aff_connection *connection, int store);
