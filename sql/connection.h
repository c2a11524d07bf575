/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to PostgreSQL: opened with the timeouts and the session settings that all our statements
 * expect. Used by one thread at a time. Statements are constant texts with parameters; no text is ever pasted
 * into SQL except the numbers of stores in table names made by aff_partition_name(). */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* libpq's own names for its handles. Declared here instead of including libpq-fe.h, which only files of sql/
 * can see: server and cli open, pass and close connections, but never speak libpq. */
typedef struct pg_conn PGconn;
typedef struct pg_result PGresult;

struct aff_connection {
    PGconn *pg;
    int patience_ms; /* statements and COPY out fail when the server says nothing for so long; 0: wait for
                        ever */
};

/* Connects to `url` (a libpq URI or keyword string). `application` is shown in pg_stat_activity. Connection
 * attempts end after `timeout_s` seconds; a dead peer is noticed by keepalives and tcp_user_timeout within 15
 * s. The session speaks UTF-8, UTC, ISO dates, and has an empty search_path. AFF_BACKEND: unreachable,
 * refused, wrong password, no such database; the text says which in one line, without the password. On
 * success the caller closes *ret. */
AFF_MUST_CHECK aff_status aff_connection_open(const char *url, const char *application, int timeout_s,
                                              struct aff_connection *ret, struct aff_error *reterr);

/* Closes; a connection that was never opened (pg == NULL) is fine. */
void aff_connection_close(struct aff_connection *connection);

/* False once the server has gone or was cut off. */
bool aff_connection_good(const struct aff_connection *connection);

/* Translates what libpq reports into *reterr: AFF_BACKEND for a lost or refused connection and for states
 * that pass (class 08, 53, 57P, 40 and a database that is read-only, 25006), AFF_SCHEMA for missing tables or
 * columns (42P01, 42703, 3F000), else AFF_DATA. Keeps the SQLSTATE. `result` may be NULL. */
aff_status aff_connection_error(struct aff_connection *connection, const PGresult *result,
                                struct aff_error *reterr);

/* Runs one statement with text parameters (NULL entries are SQL nulls) and checks that it succeeded.
 * `ret_result` may be NULL when no rows are wanted; else the caller clears it with PQclear. */
AFF_MUST_CHECK aff_status aff_query(struct aff_connection *connection, const char *statement,
                                    int n_parameters, const char *const parameters[], PGresult **ret_result,
                                    struct aff_error *reterr);

/* Waits until the server has something to say, at most patience_ms. AFF_BACKEND: it had not, the connection
 * is of no more use and is to be closed. */
AFF_MUST_CHECK aff_status aff_connection_await(struct aff_connection *connection, struct aff_error *reterr);

/* The results of what was sent with libpq's asynchronous calls, as its blocking ones would give them, but
 * with patience: the last result, or the first that is a failure, or that of a COPY that begins; NULL with
 * *reterr set if the server was silent for too long, else NULL without any. The caller clears it with
 * PQclear. */
PGresult *aff_connection_collect(struct aff_connection *connection, struct aff_error *reterr);

/* aff_query() without parameters and rows. `script` may hold several statements separated by semicolons. */
AFF_MUST_CHECK aff_status aff_execute(struct aff_connection *connection, const char *script,
                                      struct aff_error *reterr);

/* aff_query() for one whole number in the first column of the first row. AFF_NOTFOUND if there is no row or
 * it is null. */
AFF_MUST_CHECK aff_status aff_query_number(struct aff_connection *connection, const char *statement,
                                           int n_parameters, const char *const parameters[],
                                           int64_t *ret_number, struct aff_error *reterr);

/* Bytes of a partition's name: "affinity.pair_together_s2147483647_next" and its NUL fit. */
#define AFF_PARTITION_NAME 64

/* Writes "affinity.TABLE_sSTORE" + suffix (for example "" or "_next"): the only names made at run time. */
void aff_partition_name(const char *table, int store, const char *suffix, char ret_name[AFF_PARTITION_NAME]);
