/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/intake/lock.h"

#include "core/base/clock.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <time.h>

/* First half of the lock's number; the second is the store. Any constant that no other lock of ours has. */
#define LOCK_CLASS "1634103657"
#define ORDERS_CLASS "1634103658"

enum { TRY_EVERY_MS = 100 };

static aff_status try_lock(struct aff_connection *connection, const char *store, int64_t *ret_got,
                           struct aff_error *reterr)
{
    const char *const parameters[] = {store};

    return aff_query_number(connection, "SELECT pg_try_advisory_lock(" LOCK_CLASS ", $1::int)::int", 1,
                            parameters, ret_got, reterr);
}

/* Says who has the lock; it may be gone by now. */
static aff_status busy(struct aff_connection *connection, const char *store, struct aff_error *reterr)
{
    static const char statement[] =
        "SELECT a.pid, a.application_name, to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS'),"
        "       coalesce(a.client_hostname, host(a.client_addr), 'this machine')"
        "  FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE l.locktype = 'advisory' AND l.granted AND l.classid = " LOCK_CLASS " AND l.objid = $1::int"
        "   AND l.objsubid = 2 AND l.database = (SELECT oid FROM pg_database WHERE datname = "
        "current_database())";
    const char *const parameters[] = {store};
    PGresult *result = NULL;
    aff_status status = aff_query(connection, statement, 1, parameters, &result, reterr);

    if (status != AFF_OK)
        return status;
    if (PQntuples(result) == 0)
        status = aff_error_set(reterr, AFF_BUSY, "another import into this store has just ended; try again");
    else
        status =
            aff_error_set(reterr, AFF_BUSY,
                          "another import into this store is running: %s from %s, connected since %s UTC, "
                          "database process %s; wait for its end",
                          PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 3), PQgetvalue(result, 0, 2),
                          PQgetvalue(result, 0, 0));
    PQclear(result);
    return status;
}

aff_status aff_intake_lock(struct aff_connection *connection, int store, int wait_ms,
                           struct aff_error *reterr)
{
    char number[16];
    int64_t got = 0;
    aff_status status = aff_execute(connection, "SET client_connection_check_interval = '1s'", reterr);

    (void)snprintf(number, sizeof number, "%d", store);
    for (int waited_ms = 0; status == AFF_OK; waited_ms += TRY_EVERY_MS) {
        struct timespec pause = {.tv_nsec = TRY_EVERY_MS * 1000000L};
        status = try_lock(connection, number, &got, reterr);
        if (status != AFF_OK || got != 0)
            return status;
        if (waited_ms >= wait_ms)
            return busy(connection, number, reterr);
        (void)nanosleep(&pause, NULL);
    }
    return status;
}

void aff_intake_unlock(struct aff_connection *connection, int store)
{
    char statement[96];

    (void)snprintf(statement, sizeof statement, "SELECT pg_advisory_unlock(" LOCK_CLASS ", %d)", store);
    aff_status ignored = aff_execute(connection, statement, NULL);
    (void)ignored; /* The end of the connection gives the lock back as well. */
}

aff_status aff_intake_lock_orders(struct aff_connection *connection, int store, bool alone,
                                  struct aff_error *reterr)
{
    char number[16];
    const char *const parameters[] = {number};

    (void)snprintf(number, sizeof number, "%d", store);
    return aff_query(connection,
                     alone ? "SELECT pg_advisory_xact_lock(" ORDERS_CLASS ", $1::int)"
                           : "SELECT pg_advisory_xact_lock_shared(" ORDERS_CLASS ", $1::int)",
                     1, parameters, NULL, reterr);
}

/* Statements of small batches go to rows by their keys. On tables that were filled just now the planner has
 * no statistics, takes keys for values that come often, and would read whole tables. */
aff_status aff_intake_begin_small(struct aff_connection *connection, struct aff_error *reterr)
{
    int64_t committed = 0;
    aff_status status =
        aff_query_number(connection,
                         "SELECT (current_setting('transaction_isolation') = 'read committed')::integer,"
                         " set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)",
                         0, NULL, &committed, reterr);

    if (status == AFF_OK && (committed == 0 || PQtransactionStatus(connection->pg) != PQTRANS_INTRANS))
        status =
            aff_error_set(reterr, AFF_INVALID, "writing is to be done inside a READ COMMITTED transaction");
    return status;
}
