/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/rebuild_lock.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

/* First key of the lock, "rebu" in ASCII; the second is the store. */
#define SPACE "1919246965"

static aff_status busy(struct aff_connection *connection, const char *store, const char *store_name,
                       struct aff_error *reterr)
{
    const char *parameters[] = {store};
    PGresult *result = NULL;
    aff_status status =
        aff_query(connection,
                  "SELECT a.application_name, a.pid,"
                  " to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
                  " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)"
                  " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = " SPACE
                  " AND l.objid = $1::integer AND l.database ="
                  " (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())",
                  1, parameters, &result, reterr);

    if (status != AFF_OK)
        return status;
    if (PQntuples(result) == 0)
        (void)aff_error_set(reterr, AFF_BUSY, "another rebuild of store '%s' was just running; try again",
                            store_name);
    else
        (void)aff_error_set(
            reterr, AFF_BUSY,
            "another rebuild of store '%s' is running: %s, database process %s, since %s; wait"
            " for it, or end it first",
            store_name, PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 2));
    PQclear(result);
    return AFF_BUSY;
}

aff_status aff_rebuild_lock(struct aff_connection *connection, int store, const char *store_name,
                            struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number};
    int64_t taken;

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status =
        aff_query_number(connection, "SELECT pg_try_advisory_lock(" SPACE ", $1::integer)::integer", 1,
                         parameters, &taken, reterr);
    if (status != AFF_OK || taken == 1)
        return status;
    return busy(connection, number, store_name, reterr);
}

void aff_rebuild_unlock(struct aff_connection *connection, int store)
{
    char number[16];
    const char *parameters[] = {number};

    (void)snprintf(number, sizeof number, "%d", store);
    /* The lock ends with the session at the latest. */
    (void)!aff_query(connection, "SELECT pg_advisory_unlock(" SPACE ", $1::integer)", 1, parameters, NULL,
                     NULL);
}
