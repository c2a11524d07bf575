/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a store's exact pair counts back, for scoring them by another method. */
#pragma once

#include "core/base/status.h"
#include "core/learn/pairs.h"
#include "sql/connection.h"

/* Reads product_stat, pair_together and the totals of the store in one snapshot; waits for a swap that is
 * under way. Must not be called inside a transaction. Pairs whose products have no product_stat give
 * AFF_DATA. */
AFF_MUST_CHECK aff_status aff_read_pairs(struct aff_connection *connection, int store,
                                         struct aff_pairs **ret_pairs, struct aff_error *reterr);
