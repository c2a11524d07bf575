/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"
#include "sql/fold/columns.h"
#include "sql/viewed/parts.h"

#include <libpq-fe.h>

/* Sessions of one transaction: so many that its commit costs little, so few that whoever waits for one of
 * them does not wait long. */
enum { SLICE = 500 };

/* ---- the queue ---- */

/* Sessions that nobody is writing just now, oldest first. */
static const char claim[] =
    "WITH chosen AS (SELECT session_key FROM affinity.session_queue WHERE store = $1"
    " AND at <= now() - ($2::bigint[])[1] * interval '1 second' ORDER BY at LIMIT ($2::bigint[])[2]"
    " FOR UPDATE SKIP LOCKED) DELETE FROM affinity.session_queue q USING chosen c WHERE q.store = $1"
    " AND q.session_key = c.session_key RETURNING q.session_key";

/* What events tell of the sessions, in place of what was there. A session without events came otherwise and
 * stays. A product that was not known when the event came may be known by now. */
static const char write_sessions[] =
    "INSERT INTO affinity.session AS s (store, session_key, at, products)"
    " SELECT $1::integer, k.key, v.at, v.products FROM unnest($2::bigint[]) AS k(key) CROSS JOIN LATERAL"
    " (SELECT max(n.at), array_agg(n.product ORDER BY n.at, n.event_key) FROM (SELECT e.at, e.event_key,"
    "  coalesce(e.product, (SELECT p.product FROM affinity.product p WHERE p.store = $1"
    "   AND p.id = e.product_id)) AS product FROM affinity.event e WHERE e.store = $1 AND e.session = k.key"
    "  AND e.session IS NOT NULL AND e.kind IN (1, 3) AND (e.kind = 1 OR e.data ->> 'action' IS DISTINCT "
    "FROM 'remove')"
    "  AND (e.product IS NOT NULL OR e.product_id IS NOT NULL) ORDER BY e.at DESC, e.event_key DESC LIMIT "
    "200) n"
    "  WHERE n.product IS NOT NULL) AS v(at, products) WHERE v.products IS NOT NULL"
    " ON CONFLICT (store, session_key) DO UPDATE SET at = excluded.at, products = excluded.products"
    " WHERE (s.at, s.products) IS DISTINCT FROM (excluded.at, excluded.products)";

/* The sessions that count otherwise than before: what was counted, what counts from now on. */
static const char count_sessions[] =
    "WITH seen AS (SELECT s.session_key, s.counted, CASE WHEN s.at >= (SELECT max(n.at) FROM "
    "affinity.session "
    "n"
    "  WHERE n.store = $1) - ($3::bigint[])[1] * interval '1 microsecond'"
    "  THEN affinity.session_counts(s.products) ELSE '{}' END AS counts"
    "  FROM affinity.session s WHERE s.store = $1 AND s.session_key = ANY($2::bigint[])),"
    " written AS (UPDATE affinity.session s SET counted = n.counts FROM seen n WHERE s.store = $1"
    "  AND s.session_key = n.session_key AND n.counted <> n.counts)"
    " SELECT counted, counts FROM seen WHERE counted <> counts";

/* Gathers what each row of (counted, counts) changes; without the second column nothing counts any more. */
static aff_status gather(const PGresult *result, struct aff_viewed *viewed, struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    for (int row = 0; row < PQntuples(result) && status == AFF_OK; row++) {
        int32_t before[AFF_VIEWED_PRODUCTS], after[AFF_VIEWED_PRODUCTS];
        uint32_t n_before = 0, n_after = 0;
        status = aff_viewed_products(result, row, 0, before, AFF_VIEWED_PRODUCTS, &n_before);
        if (status == AFF_OK && PQnfields(result) > 1)
            status = aff_viewed_products(result, row, 1, after, AFF_VIEWED_PRODUCTS, &n_after);
        if (status == AFF_OK)
            status = aff_viewed_add(viewed, before, n_before, after, n_after);
    }
    if (status == AFF_DATA || status == AFF_LIMIT)
        return aff_error_set(reterr, AFF_DATA,
                             "affinity.session: a session counts more than %d products; run 'affinityctl"
                             " rebuild'",
                             AFF_VIEWED_PRODUCTS);
    return status == AFF_OK ? AFF_OK : aff_error_set(reterr, status, "%s", aff_status_text(status));
}

/* Runs a statement whose rows say what changes, and applies them. */
static aff_status change(struct aff_connection *connection, int store, const char *statement,
                         struct aff_column *columns, size_t n_columns, uint32_t *ret_n,
                         struct aff_error *reterr)
{
    struct aff_viewed viewed = {0};
    PGresult *result = NULL;
    aff_status status = aff_query_columns(connection, statement, store, columns, n_columns, &result, reterr);

    if (status == AFF_OK)
        status = gather(result, &viewed, reterr);
    if (status == AFF_OK) {
        *ret_n = (uint32_t)PQntuples(result);
        status = aff_viewed_apply(connection, store, &viewed, reterr);
    }
    PQclear(result);
    aff_viewed_done(&viewed);
    return status;
}

static aff_status count(struct aff_connection *connection, const struct aff_viewed_work *work,
                        uint32_t *ret_n, struct aff_error *reterr)
{
    struct aff_column wanted = {.type = AFF_COLUMN_INT64};
    struct aff_column columns[2] = {{.type = AFF_COLUMN_INT64}, {.type = AFF_COLUMN_INT64}};
    PGresult *result = NULL;
    uint32_t changed = 0;

    aff_column_add(&wanted, work->settings->quiet_s);
    aff_column_add(&wanted, SLICE);
    aff_status status = aff_query_columns(connection, claim, work->store, &wanted, 1, &result, reterr);
    if (status == AFF_OK)
        for (int row = 0; row < PQntuples(result); row++)
            aff_column_add(&columns[0], aff_result_whole(result, row, 0, 0));
    aff_column_add(&columns[1], work->settings->window_us);
    if (status == AFF_OK && PQntuples(result) > 0)
        status = aff_query_columns(connection, write_sessions, work->store, columns, 1, NULL, reterr);
    if (status == AFF_OK && PQntuples(result) > 0)
        status = change(connection, work->store, count_sessions, columns, 2, &changed, reterr);
    if (status == AFF_OK)
        *ret_n = (uint32_t)PQntuples(result);
    PQclear(result);
    aff_columns_done(&wanted, 1);
    aff_columns_done(columns, 2);
    return status;
}

aff_status aff_viewed_count(struct aff_connection *connection, const struct aff_viewed_work *work,
                            enum aff_viewed_fence *ret_fence, uint32_t *ret_n, struct aff_error *reterr)
{
    aff_status status = aff_viewed_begin(connection, work, ret_fence, reterr);

    *ret_n = 0;
    if (status != AFF_OK || *ret_fence != AFF_VIEWED_MINE)
        return status;
    status = count(connection, work, ret_n, reterr);
    return aff_viewed_end(connection, status, reterr);
}

/* ---- the window ---- */

static const char remove_old[] =
    "WITH old AS (SELECT session_key FROM affinity.session WHERE store = $1 AND at < (SELECT max(n.at)"
    " FROM affinity.session n WHERE n.store = $1) - ($2::bigint[])[1] * interval '1 microsecond'"
    " ORDER BY at LIMIT ($2::bigint[])[2] FOR UPDATE SKIP LOCKED)"
    " DELETE FROM affinity.session s USING old o WHERE s.store = $1 AND s.session_key = o.session_key"
    " RETURNING s.counted";

aff_status aff_viewed_expire(struct aff_connection *connection, const struct aff_viewed_work *work,
                             enum aff_viewed_fence *ret_fence, uint32_t *ret_n, struct aff_error *reterr)
{
    struct aff_column column = {.type = AFF_COLUMN_INT64};
    aff_status status = aff_viewed_begin(connection, work, ret_fence, reterr);

    *ret_n = 0;
    if (status != AFF_OK || *ret_fence != AFF_VIEWED_MINE)
        return status;
    aff_column_add(&column, work->settings->window_us);
    aff_column_add(&column, SLICE);
    status = change(connection, work->store, remove_old, &column, 1, ret_n, reterr);
    aff_columns_done(&column, 1);
    return aff_viewed_end(connection, status, reterr);
}
