/* SPDX-License-Identifier: Apache-2.0 */
/* Customers whose histories stand ready, for the snapshot file in core/index/. */
#pragma once

#include "core/customer/customers.h"

/* Makes customers of the `n` histories that stand at `offsets` in `borrowed`, which stays as long as they do.
 * They can be changed like those from a builder. AFF_DATA: an id comes twice or is none. */
AFF_MUST_CHECK aff_status aff_customers_freeze(char *borrowed, size_t borrowed_bytes, const uint64_t *offsets,
                                               uint32_t n, struct aff_customers **ret_customers);

/* The history of a row below aff_customers_size(). */
const struct aff_history *aff_customers_at(const struct aff_customers *customers, uint32_t row);

/* What aff_customers_bytes will be of frozen customers, at most. */
uint64_t aff_customers_frozen_bytes(uint32_t n);
