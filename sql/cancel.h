/* SPDX-License-Identifier: Apache-2.0 */
/* Stops what another thread is doing in the database. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

struct aff_cancel;

/* What is needed to cancel statements of `connection`; NULL if memory is out. It stays valid when the
 * connection is used by another thread, but not beyond its end. */
struct aff_cancel *aff_cancel_new(struct aff_connection *connection);
void aff_cancel_free(struct aff_cancel *cancel); /* NULL is a no-op */

/* Asks the server to cancel the statement that runs now, if one does. Any thread. Blocks for as long as it
 * takes to tell the server. */
void aff_cancel_send(struct aff_cancel *cancel);
