/* SPDX-License-Identifier: Apache-2.0 */
/* Which stores the database holds, and how new their learned tables are: the poll of whoever follows them. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

#include <stdint.h>

/* Calls `visit` for each store in the order of its number, with affinity.state.published (0: never learned).
 * One statement, whatever the number of stores. `visit` must not use the connection. */
AFF_MUST_CHECK aff_status aff_stores_list(struct aff_connection *connection,
                                          void (*visit)(void *context, const char *name, uint64_t published),
                                          void *context, struct aff_error *reterr);
