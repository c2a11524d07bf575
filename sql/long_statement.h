/* SPDX-License-Identifier: Apache-2.0 */
/* A statement that may run for minutes, such as building an index. */
#pragma once

#include "core/base/parallel.h"
#include "core/base/status.h"
#include "sql/connection.h"

/* aff_execute() that asks the watch several times a second (done 0 of 0: how far it is, is not known) and has
 * the server cancel the statement when the watch says no: AFF_CANCELLED. */
AFF_MUST_CHECK aff_status aff_execute_long(struct aff_connection *connection, const char *script,
                                           const struct aff_watch *watch, struct aff_error *reterr);
