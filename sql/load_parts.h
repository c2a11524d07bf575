/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of aff_model_load(), for sql/load_*.c only. All run inside its read-only snapshot. */
#pragma once

#include "core/catalogue/catalogue.h"
#include "core/customer/customers.h"
#include "core/index/neighbours.h"
#include "sql/connection.h"

/* The bytes that the store's model will take, from counts and text sizes in the tables; within some percent.
 */
AFF_MUST_CHECK aff_status aff_load_estimate(struct aff_connection *connection, int store, uint64_t *ret_bytes,
                                            struct aff_error *reterr);

AFF_MUST_CHECK aff_status aff_load_products(struct aff_connection *connection, int store,
                                            struct aff_catalogue **ret_catalogue, struct aff_error *reterr);

AFF_MUST_CHECK aff_status aff_load_customers(struct aff_connection *connection, int store,
                                             const struct aff_catalogue *catalogue,
                                             struct aff_customers **ret_customers, struct aff_error *reterr);

/* Both relations, by the rows of `catalogue`. */
AFF_MUST_CHECK aff_status aff_load_neighbours(struct aff_connection *connection, int store,
                                              const struct aff_catalogue *catalogue,
                                              struct aff_neighbours **ret_together,
                                              struct aff_neighbours **ret_next, struct aff_error *reterr);
