/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/columns.h"
#include "sql/viewed/parts.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <string.h>

/* ---- transactions ---- */

/* Everything is found by a key; statistics of tables that were empty a moment ago would only mislead the
 * planner. */
#define BEGIN                                                                                                \
    "BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = "  \
    "off; SET LOCAL jit = off; SET LOCAL lock_timeout = '10s'"

/* First key of the advisory lock of sessions, "view" in ASCII; the second is the store. Imports share it
 * (sql/sessions/sessions.c); who counts anew waits for it (sql/viewed/recount.c). */
#define TRY_LOCK "SELECT pg_try_advisory_xact_lock(1986618743, $1::integer)"

static aff_status fence(struct aff_connection *connection, const struct aff_viewed_work *work,
                        enum aff_viewed_fence *ret_fence, struct aff_error *reterr)
{
    PGresult *result = NULL;
    aff_status status = aff_query_columns(connection, TRY_LOCK, work->store, NULL, 0, &result, reterr);

    *ret_fence =
        status == AFF_OK && aff_result_whole(result, 0, 0, 0) == 0 ? AFF_VIEWED_BUSY : AFF_VIEWED_MINE;
    PQclear(result);
    if (status != AFF_OK || *ret_fence == AFF_VIEWED_BUSY)
        return status;
    result = NULL;
    status =
        aff_query_columns(connection, "SELECT epoch FROM affinity.state WHERE store = $1 FOR NO KEY UPDATE",
                          work->store, NULL, 0, &result, reterr);
    if (status == AFF_OK && (PQntuples(result) == 0 || aff_result_whole(result, 0, 0, -1) != work->epoch))
        *ret_fence = AFF_VIEWED_OVERTAKEN;
    PQclear(result);
    return status;
}

aff_status aff_viewed_begin(struct aff_connection *connection, const struct aff_viewed_work *work,
                            enum aff_viewed_fence *ret_fence, struct aff_error *reterr)
{
    aff_status status = aff_execute(connection, BEGIN, reterr);

    if (status != AFF_OK)
        return status;
    status = fence(connection, work, ret_fence, reterr);
    if (status != AFF_OK || *ret_fence != AFF_VIEWED_MINE)
        (void)!aff_execute(connection, "ROLLBACK", NULL); /* what failed before is what counts */
    return status;
}

aff_status aff_viewed_end(struct aff_connection *connection, aff_status status, struct aff_error *reterr)
{
    if (status == AFF_OK)
        return aff_execute(connection, "COMMIT", reterr);
    (void)!aff_execute(connection, "ROLLBACK", NULL); /* what failed before is what counts */
    return status;
}

/* ---- values ---- */

static uint32_t read32(const char *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return ntohl(value);
}

/* The server's array_send(): dimensions, null flag, element type; length and first index; then length and
 * bytes of each element. */
aff_status aff_viewed_products(const PGresult *result, int row, int column, int32_t *ret, uint32_t most,
                               uint32_t *ret_n)
{
    enum { EMPTY = 12, HEAD = 20, ELEMENT = 8 };
    const char *at = PQgetvalue(result, row, column);
    const size_t size = (size_t)PQgetlength(result, row, column);

    *ret_n = 0;
    if (size < EMPTY || read32(at + 4) != 0)
        return AFF_DATA;
    if (read32(at) == 0)
        return AFF_OK;
    if (read32(at) != 1 || size < HEAD)
        return AFF_DATA;
    const uint32_t n = read32(at + EMPTY);
    if (n > most || size != HEAD + (size_t)n * ELEMENT)
        return AFF_DATA;
    for (uint32_t i = 0; i < n; i++)
        ret[i] = (int32_t)read32(at + HEAD + (size_t)i * ELEMENT + 4);
    *ret_n = n;
    return AFF_OK;
}

/* ---- counts ---- */

static const char add_stats[] =
    "INSERT INTO affinity.viewed_stat AS t (store, product, sessions) SELECT $1::integer, d.*"
    " FROM unnest($2::integer[], $3::integer[]) AS d ON CONFLICT (store, product)"
    " DO UPDATE SET sessions = t.sessions + excluded.sessions";

static const char add_pairs[] =
    "INSERT INTO affinity.pair_viewed AS t (store, a, b, sessions) SELECT $1::integer, d.*"
    " FROM unnest($2::integer[], $3::integer[], $4::integer[]) AS d ON CONFLICT (store, a, b)"
    " DO UPDATE SET sessions = t.sessions + excluded.sessions";

/* Removes the rows named by the columns that count nothing; `statement` returns what they count. */
static aff_status sweep_out(struct aff_connection *connection, int store, const char *table,
                            const char *statement, struct aff_column *columns, size_t n_columns,
                            struct aff_error *reterr)
{
    PGresult *result = NULL;
    aff_status status = AFF_OK;

    if (columns[0].n == 0 && !columns[0].failed)
        return AFF_OK;
    status = aff_query_columns(connection, statement, store, columns, n_columns, &result, reterr);
    for (int row = 0; status == AFF_OK && row < PQntuples(result); row++)
        if (aff_result_whole(result, row, 0, -1) < 0)
            status = aff_error_set(reterr, AFF_DATA,
                                   "affinity.%s: a row would count %" PRId64 " sessions, so it did not count"
                                   " all that is taken back; run 'affinityctl rebuild'",
                                   table, aff_result_whole(result, row, 0, -1));
    PQclear(result);
    return status;
}

static aff_status apply_stats(struct aff_connection *connection, int store, const struct aff_viewed *viewed,
                              struct aff_error *reterr)
{
    struct aff_column columns[2] = {{.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT32}};
    struct aff_column fewer = {.type = AFF_COLUMN_INT32};
    aff_status status = AFF_OK;

    for (size_t i = 0; i < viewed->n_products; i++) {
        aff_column_add(&columns[0], viewed->products[i].product);
        aff_column_add(&columns[1], viewed->products[i].sessions);
        if (viewed->products[i].sessions < 0)
            aff_column_add(&fewer, viewed->products[i].product);
    }
    if (viewed->n_products > 0)
        status = aff_query_columns(connection, add_stats, store, columns, 2, NULL, reterr);
    if (status == AFF_OK)
        status =
            sweep_out(connection, store, "viewed_stat",
                      "DELETE FROM affinity.viewed_stat WHERE store = $1 AND product = ANY($2::integer[])"
                      " AND sessions <= 0 RETURNING sessions",
                      &fewer, 1, reterr);
    aff_columns_done(columns, 2);
    aff_columns_done(&fewer, 1);
    return status;
}

static aff_status apply_pairs(struct aff_connection *connection, int store, const struct aff_viewed *viewed,
                              struct aff_error *reterr)
{
    struct aff_column columns[3] = {
        {.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT32}};
    struct aff_column fewer[2] = {{.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT32}};
    aff_status status = AFF_OK;

    for (size_t i = 0; i < viewed->n_pairs; i++) {
        const struct aff_viewed_pair *pair = &viewed->pairs[i];
        aff_column_add(&columns[0], pair->a);
        aff_column_add(&columns[1], pair->b);
        aff_column_add(&columns[2], pair->sessions);
        if (pair->sessions < 0) {
            aff_column_add(&fewer[0], pair->a);
            aff_column_add(&fewer[1], pair->b);
        }
    }
    if (viewed->n_pairs > 0)
        status = aff_query_columns(connection, add_pairs, store, columns, 3, NULL, reterr);
    if (status == AFF_OK)
        status = sweep_out(connection, store, "pair_viewed",
                           "DELETE FROM affinity.pair_viewed WHERE store = $1 AND ctid = ANY(ARRAY(SELECT "
                           "t.ctid"
                           " FROM unnest($2::integer[], $3::integer[]) AS d(a, b) CROSS JOIN LATERAL (SELECT"
                           " ctid, sessions FROM affinity.pair_viewed WHERE store = $1 AND a = d.a AND b = "
                           "d.b OFFSET 0) t WHERE t.sessions <= 0)) RETURNING sessions",
                           fewer, 2, reterr);
    aff_columns_done(columns, 3);
    aff_columns_done(fewer, 2);
    return status;
}

/* ---- what follows ---- */

/* Rows of products whose sessions, or whose pairs, are others now. */
static aff_status note_due(struct aff_connection *connection, int store, const struct aff_viewed *viewed,
                           struct aff_error *reterr)
{
    struct aff_column products = {.type = AFF_COLUMN_INT32};
    aff_status status = AFF_OK;

    for (size_t i = 0; i < viewed->n_products; i++)
        aff_column_add(&products, viewed->products[i].product);
    for (size_t i = 0; i < viewed->n_pairs; i++) {
        if (i == 0 || viewed->pairs[i].a != viewed->pairs[i - 1].a)
            aff_column_add(&products, viewed->pairs[i].a);
        aff_column_add(&products, viewed->pairs[i].b);
    }
    if (products.n > 0 || products.failed)
        status = aff_query_columns(connection,
                                   "INSERT INTO affinity.viewed_due AS t (store, product, counted)"
                                   " SELECT DISTINCT $1::integer, d.product, true"
                                   " FROM unnest($2::integer[]) AS d(product) ON CONFLICT (store, product)"
                                   " DO UPDATE SET counted = true WHERE NOT t.counted",
                                   store, &products, 1, NULL, reterr);
    aff_columns_done(&products, 1);
    return status;
}

aff_status aff_viewed_apply(struct aff_connection *connection, int store, struct aff_viewed *viewed,
                            struct aff_error *reterr)
{
    struct aff_column column = {.type = AFF_COLUMN_INT64};

    aff_viewed_sum(viewed);
    aff_column_add(&column, viewed->sessions);
    aff_status status = apply_stats(connection, store, viewed, reterr);
    if (status == AFF_OK)
        status = apply_pairs(connection, store, viewed, reterr);
    if (status == AFF_OK)
        status = note_due(connection, store, viewed, reterr);
    if (status == AFF_OK)
        status = aff_query_columns(connection,
                                   "UPDATE affinity.viewed_state SET sessions = sessions +"
                                   " ($2::bigint[])[1], changes = changes + 1, counted_at = now()"
                                   " WHERE store = $1",
                                   store, &column, 1, NULL, reterr);
    aff_columns_done(&column, 1);
    return status;
}
