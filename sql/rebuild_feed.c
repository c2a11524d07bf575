/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/rebuild_feed.h"

#include "sql/rebuild_lock.h"

#include <stdio.h>

enum { NUMBER = 16 };

/* Ends a transaction that failed; what failed before is what is reported. */
static aff_status end(struct aff_connection *connection, aff_status status, struct aff_error *reterr)
{
    if (status == AFF_OK)
        return aff_execute(connection, "COMMIT", reterr);
    (void)!aff_execute(connection, "ROLLBACK", NULL);
    return status;
}

static aff_status lock_state(struct aff_connection *connection, const char *store, int64_t *ret_rebuilding,
                             struct aff_error *reterr)
{
    const char *parameters[] = {store};

    return aff_query_number(
        connection, "SELECT rebuilding::integer FROM affinity.state WHERE store = $1::integer FOR UPDATE", 1,
        parameters, ret_rebuilding, reterr);
}

/* Inside a transaction that has the row of affinity.state. */
static aff_status drop_folded(struct aff_connection *connection, const char *store, const char *rebuilding,
                              struct aff_error *reterr)
{
    const char *parameters[] = {store, rebuilding};
    aff_status status =
        aff_query(connection, "DELETE FROM affinity.order_outbox WHERE store = $1::integer AND folded", 1,
                  parameters, NULL, reterr);

    if (status == AFF_OK)
        status = aff_query(connection,
                           "UPDATE affinity.state SET rebuilding = $2::boolean WHERE store = $1::integer", 2,
                           parameters, NULL, reterr);
    return status;
}

aff_status aff_rebuild_feed_open(struct aff_connection *connection, int store, struct aff_error *reterr)
{
    char number[NUMBER];
    int64_t rebuilding = 0;

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status = aff_execute(connection,
                                    "CREATE TEMPORARY TABLE IF NOT EXISTS rebuild_seen"
                                    " (order_key bigint NOT NULL, change bigint NOT NULL);"
                                    "CREATE TEMPORARY TABLE IF NOT EXISTS rebuild_review"
                                    " (a integer NOT NULL, b integer NOT NULL, verdict text NOT NULL);"
                                    "TRUNCATE pg_temp.rebuild_seen, pg_temp.rebuild_review; BEGIN",
                                    reterr);
    if (status != AFF_OK)
        return status;
    status = lock_state(connection, number, &rebuilding, reterr);
    if (status == AFF_OK)
        status = drop_folded(connection, number, "true", reterr);
    return end(connection, status, reterr);
}

aff_status aff_rebuild_feed_see(struct aff_connection *connection, int store, struct aff_error *reterr)
{
    char number[NUMBER];
    const char *parameters[] = {number};

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status =
        aff_query(connection,
                  "INSERT INTO pg_temp.rebuild_seen SELECT order_key, change FROM affinity.order_outbox"
                  " WHERE store = $1::integer",
                  1, parameters, NULL, reterr);
    if (status == AFF_OK)
        status = aff_query(connection,
                           "INSERT INTO pg_temp.rebuild_review SELECT a, b, verdict FROM affinity.pair_review"
                           " WHERE store = $1::integer",
                           1, parameters, NULL, reterr);
    return status;
}

/* Waiting for the row of affinity.state makes nobody else wait, unlike waiting for the tables. */
aff_status aff_rebuild_feed_swap(struct aff_connection *connection, int store, struct aff_error *reterr)
{
    char number[NUMBER];
    const char *parameters[] = {number};
    int64_t rebuilding = 0;

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status = aff_execute(connection, "SET LOCAL lock_timeout = '10s'", reterr);
    if (status == AFF_OK)
        status = lock_state(connection, number, &rebuilding, reterr);
    if (status == AFF_OK && rebuilding == 0)
        status =
            aff_error_set(reterr, AFF_DATA,
                          "another program has ended this rebuild (state.rebuilding of store %d is off), so"
                          " that its counts may miss changes of orders; start it again",
                          store);
    if (status == AFF_OK)
        status = aff_execute(connection, "ANALYZE pg_temp.rebuild_seen", reterr);
    if (status == AFF_OK)
        status =
            aff_query(connection,
                      "DELETE FROM affinity.order_outbox q USING pg_temp.rebuild_seen s"
                      " WHERE q.store = $1::integer AND q.order_key = s.order_key AND q.change = s.change",
                      1, parameters, NULL, reterr);
    if (status == AFF_OK)
        status =
            aff_query(connection,
                      "UPDATE affinity.order_outbox SET folded = false WHERE store = $1::integer AND folded",
                      1, parameters, NULL, reterr);
    /* Decisions that came meanwhile are in none of the new rows, even if they were in the old ones. */
    if (status == AFF_OK)
        status =
            aff_query(connection,
                      "UPDATE affinity.pair_review r SET queued = NOT EXISTS (SELECT FROM"
                      " pg_temp.rebuild_review s WHERE s.a = r.a AND s.b = r.b AND s.verdict = r.verdict)"
                      " WHERE r.store = $1::integer AND r.queued IS DISTINCT FROM NOT EXISTS (SELECT FROM"
                      " pg_temp.rebuild_review s WHERE s.a = r.a AND s.b = r.b AND s.verdict = r.verdict)",
                      1, parameters, NULL, reterr);
    return status;
}

aff_status aff_rebuild_feed_recover(struct aff_connection *connection, int store, struct aff_error *reterr)
{
    char number[NUMBER];
    int64_t rebuilding = 0;

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status = aff_execute(connection, "BEGIN", reterr);
    if (status != AFF_OK)
        return status;
    status = lock_state(connection, number, &rebuilding, reterr);
    if (status == AFF_OK && rebuilding != 0)
        status = drop_folded(connection, number, "false", reterr);
    return end(connection, status, reterr);
}

aff_status aff_rebuild_feed_tidy(struct aff_connection *connection, int store, bool *ret_running,
                                 struct aff_error *reterr)
{
    aff_status status = aff_rebuild_lock(connection, store, "", reterr);

    if (status != AFF_OK && status != AFF_BUSY)
        return status;
    *ret_running = status == AFF_BUSY;
    if (status == AFF_BUSY)
        return AFF_OK;
    status = aff_rebuild_feed_recover(connection, store, reterr);
    aff_rebuild_unlock(connection, store);
    return status;
}
