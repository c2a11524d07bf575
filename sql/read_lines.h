/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a store's order lines that count and makes baskets of them. */
#pragma once

#include "core/base/parallel.h"
#include "core/base/status.h"
#include "core/learn/baskets.h"
#include "sql/connection.h"

#include <stdint.h>

/* Reads in one read-only snapshot, without joins and without sorting: product costs first, then the lines
 * with quantity > returned of the window. Revenue is (quantity - returned) x unit_price; margin takes the
 * line's cost, else the product's, and is 0 where neither is known. The watch is told lines read and lines
 * there are. Must not be called inside a transaction. *ret_lines: lines read. AFF_LIMIT: amounts that do not
 * fit. */
AFF_MUST_CHECK aff_status aff_read_baskets(struct aff_connection *connection, int store,
                                           const struct aff_baskets_settings *settings,
                                           const struct aff_watch *watch, struct aff_baskets **ret_baskets,
                                           uint64_t *ret_lines, struct aff_error *reterr);
