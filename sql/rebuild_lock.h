/* SPDX-License-Identifier: Apache-2.0 */
/* Only one rebuild of a store at a time, in the whole database. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

/* Takes the store's advisory lock for as long as the connection lives. AFF_BUSY, with application, process
 * and starting time of who has it in the text, if it is taken. */
AFF_MUST_CHECK aff_status aff_rebuild_lock(struct aff_connection *connection, int store,
                                           const char *store_name, struct aff_error *reterr);

void aff_rebuild_unlock(struct aff_connection *connection, int store);
