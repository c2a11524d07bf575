/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a store's newest orders one by one (core/measure/orders.h). */
#pragma once

#include "core/catalogue/catalogue.h"
#include "core/measure/orders.h"
#include "sql/connection.h"

enum { AFF_MEASURE_LINES = 2000000 }; /* about so many of the newest lines are read */

/* Products that the catalogue does not have are left out. Set *ret to zero before. */
AFF_MUST_CHECK aff_status aff_measured_orders_read(struct aff_connection *connection, int store,
                                                   const struct aff_catalogue *catalogue,
                                                   struct aff_measured_orders *ret, struct aff_error *reterr);
