/* SPDX-License-Identifier: Apache-2.0 */
/* The orders that stand right before and after changed ones in their customers' sequences: what the counts of
 * the relation `next` change with. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"
#include "sql/fold/changes.h"

/* Adds to *ret_beside, for each content of a changed order that counts and has a customer, the nearest order
 * that counts now on either side by time and order key, unless it is itself among `changes`. Each such order
 * comes once, with the same content before and after. Two of them that follow one another there need not do
 * so in the table; both did so before and after, or neither, so that what is counted for them cancels out.
 * Work and memory are in proportion to the changes, not to the orders of the customers. In a transaction that
 * is REPEATABLE READ. *ret_beside is zero before; aff_changes_done() ends it, after a failure, too. */
AFF_MUST_CHECK aff_status aff_changes_beside(struct aff_connection *connection, int store,
                                             const struct aff_changes *changes,
                                             struct aff_changes *ret_beside, struct aff_error *reterr);
