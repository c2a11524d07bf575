/* SPDX-License-Identifier: Apache-2.0 */
/* Stops what another thread is doing in the database, at once and whatever state the server is in: by ending
 * the connection under it. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

struct aff_cancel;

/* What is needed to end `connection`; NULL if memory or descriptors are out. Stays valid when the connection
 * is used by another thread, and after its end. */
struct aff_cancel *aff_cancel_new(struct aff_connection *connection);
void aff_cancel_free(struct aff_cancel *cancel); /* NULL is a no-op */

/* The statement that runs, and every later one, fails as on a lost connection. Any thread; never blocks. The
 * server notices within seconds (client_connection_check_interval) and rolls back. */
void aff_cancel_send(struct aff_cancel *cancel);
