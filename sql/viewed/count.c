/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"
#include "sql/fold/columns.h"
#include "sql/viewed/parts.h"

#include <libpq-fe.h>

/* Views, or old sessions, of one transaction: so many that its commit costs little, so few that other work of
 * the leader does not wait long. */
enum { SLICE = 500, OLD_SLICE = 200 };

/* ---- views ---- */

/* Takes the oldest views and adds each to its session, at its time; those of equal times stay in the order in
 * which they came. Of each session the newest 200 are kept. A product that was not known when the event came
 * may be known by now; if not, the view is left out. Gives all sessions that were heard of. */
static const char take_views[] =
    "WITH gone AS (DELETE FROM affinity.session_heard WHERE ctid = ANY(ARRAY(SELECT ctid"
    "  FROM affinity.session_heard WHERE store = $1 AND received_at <= ($2::timestamptz[])[1]"
    "  ORDER BY received_at LIMIT ($3::bigint[])[1])) RETURNING ctid, session_key, at, coalesce(product,"
    "  (SELECT p.product FROM affinity.product p WHERE p.store = $1 AND p.id = product_id)) AS product),"
    " heard AS (SELECT DISTINCT session_key FROM gone),"
    " views AS (SELECT session_key, at, product, row_number() OVER (ORDER BY ctid) AS place, 1 AS is_new"
    "  FROM gone WHERE product IS NOT NULL UNION ALL SELECT h.session_key, coalesce(v.at, s.at), v.product,"
    "  v.place, 0 FROM heard h JOIN affinity.session s ON s.store = $1 AND s.session_key = h.session_key"
    "  CROSS JOIN LATERAL unnest(s.products, s.times) WITH ORDINALITY AS v(product, at, place)),"
    " newest AS (SELECT *, row_number() OVER (PARTITION BY session_key ORDER BY at DESC, is_new DESC, place "
    "DESC)"
    "  AS age FROM views),"
    " written AS (INSERT INTO affinity.session (store, session_key, at, products, times)"
    "  SELECT $1::integer, session_key, max(at), array_agg(product ORDER BY age DESC),"
    "  array_agg(at ORDER BY age DESC) FROM newest WHERE age <= 200 GROUP BY session_key"
    "  HAVING bool_or(is_new = 1) ON CONFLICT (store, session_key) DO UPDATE SET at = excluded.at,"
    "  products = excluded.products, times = excluded.times)"
    " SELECT session_key FROM heard";

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
    struct aff_column wanted[2] = {{.type = AFF_COLUMN_TIME}, {.type = AFF_COLUMN_INT64}};
    struct aff_column columns[2] = {{.type = AFF_COLUMN_INT64}, {.type = AFF_COLUMN_INT64}};
    PGresult *result = NULL;
    uint32_t changed = 0;

    aff_column_add(&wanted[0], work->until_us);
    aff_column_add(&wanted[1], SLICE);
    aff_status status = aff_query_columns(connection, take_views, work->store, wanted, 2, &result, reterr);
    if (status == AFF_OK)
        for (int row = 0; row < PQntuples(result); row++)
            aff_column_add(&columns[0], aff_result_whole(result, row, 0, 0));
    aff_column_add(&columns[1], work->settings->window_us);
    if (status == AFF_OK && PQntuples(result) > 0)
        status = change(connection, work->store, count_sessions, columns, 2, &changed, reterr);
    if (status == AFF_OK)
        *ret_n = (uint32_t)PQntuples(result);
    PQclear(result);
    aff_columns_done(wanted, 2);
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
    " ORDER BY at LIMIT ($2::bigint[])[2])"
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
    aff_column_add(&column, OLD_SLICE);
    status = change(connection, work->store, remove_old, &column, 1, ret_n, reterr);
    aff_columns_done(&column, 1);
    return aff_viewed_end(connection, status, reterr);
}
