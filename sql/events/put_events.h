/* SPDX-License-Identifier: Apache-2.0 */
/* Stores events, each once by (store, event_key), many at a time: the columns go as arrays with one
 * statement, which finds the numbers of products and customers itself. */
#pragma once

#include "core/event/event.h"
#include "sql/connection.h"

#include <stddef.h>

/* Columns of events that are waiting to be stored; each is a PostgreSQL array in binary form. */
enum { AFF_EVENT_COLUMNS = 11 };
struct aff_event_column {
    unsigned char *bytes;
    size_t size, capacity;
};

/* Events of one store. Set to zero before first use; the memory is kept. */
struct aff_event_rows {
    struct aff_event_column columns[AFF_EVENT_COLUMNS];
    uint32_t n;
};

/* Empties the rows. */
void aff_event_rows_reset(struct aff_event_rows *rows);
void aff_event_rows_done(struct aff_event_rows *rows);

/* Adds an event, whose texts are copied. AFF_NOMEM: the rows can only be reset. */
AFF_MUST_CHECK aff_status aff_event_rows_add(struct aff_event_rows *rows, const struct aff_event *event);

/* Bytes of all columns. */
size_t aff_event_rows_bytes(const struct aff_event_rows *rows);

/* Prepares the statement on a new connection, and asks for commits that outlive a crash of the database if
 * its own setting does not. */
AFF_MUST_CHECK aff_status aff_events_prepare(struct aff_connection *connection, struct aff_error *reterr);

/* The descriptor of the connection's socket, by which another thread can end a wait (shutdown(2)). */
int aff_events_socket(const struct aff_connection *connection);

/* True if the server has ended the connection while nothing was asked, as a restart does. */
bool aff_events_is_lost(struct aff_connection *connection);

/* The number of a store. AFF_NOTFOUND: there is no store of that name. */
AFF_MUST_CHECK aff_status aff_events_store(struct aff_connection *connection, struct aff_text name,
                                           int *ret_store, struct aff_error *reterr);

/* Stores the rows, by itself or in the transaction that is open. `writer` is the number of this run of the
 * service. Calls `visit` with the key of each event that was not there before; the others are duplicates. */
AFF_MUST_CHECK aff_status aff_events_put(struct aff_connection *connection, int store, int writer,
                                         const struct aff_event_rows *rows,
                                         void (*visit)(void *context, const unsigned char *key),
                                         void *context, struct aff_error *reterr);
