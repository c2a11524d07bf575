/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/copy.h"
#include "sql/fold/columns.h"
#include "sql/viewed/parts.h"

#include <libpq-fe.h>
#include <stdlib.h>

/* Products of one transaction: one that is popular has tens of thousands of pairs. */
enum { SLICE = 50 };

struct making {
    const struct aff_viewed_settings *settings;
    struct aff_copy_writer writer;
    struct aff_viewed_other *others; /* of one product */
    float *scores;
    int32_t *products, *sessions; /* of one row, for writing */
};

static const char claim[] =
    "WITH chosen AS (SELECT product FROM affinity.viewed_due WHERE store = $1 AND product > ($2::bigint[])[1]"
    " ORDER BY product LIMIT ($2::bigint[])[2]) DELETE FROM affinity.viewed_due d USING chosen c"
    " WHERE d.store = $1 AND d.product = c.product RETURNING d.product, d.counted";

/* Pairs below the floor of sessions can be left out before they travel: they are most. */
static const char read_pairs[] =
    "SELECT w.product, s.sessions, t.sessions, p.other, p.sessions, o.sessions"
    " FROM unnest($3::integer[]) AS w(product)"
    " JOIN affinity.viewed_state t ON t.store = $1"
    " JOIN affinity.viewed_stat s ON s.store = $1 AND s.product = w.product CROSS JOIN LATERAL"
    " (SELECT b AS other, sessions FROM affinity.pair_viewed WHERE store = $1 AND a = w.product"
    "  UNION ALL SELECT a, sessions FROM affinity.pair_viewed WHERE store = $1 AND b = w.product) p"
    " JOIN affinity.viewed_stat o ON o.store = $1 AND o.product = p.other"
    " WHERE p.sessions >= ($2::bigint[])[1] ORDER BY w.product, p.other";

/* Statements on the products whose counts or rows are others, in this sequence. */
static const char *const replace[] = {
    "UPDATE affinity.state SET version = version + 1 WHERE store = $1",
    "INSERT INTO affinity.touched AS t (store, what, key, version) SELECT $1::integer, 5, w.key,"
    " (SELECT version FROM affinity.state WHERE store = $1) FROM unnest($2::integer[]) AS w(key)"
    " ON CONFLICT (store, what, key) DO UPDATE SET version = excluded.version",
    "DELETE FROM affinity.neighbour_viewed WHERE store = $1 AND product = ANY($2::integer[])",
    ("INSERT INTO affinity.neighbour_viewed SELECT r.* FROM pg_temp.viewed_row r"
     " WHERE r.product = ANY($2::integer[])"),
};

static const char find_different[] =
    "SELECT w.product FROM unnest($2::integer[], $3::smallint[]) AS w(product, counted)"
    " LEFT JOIN pg_temp.viewed_row r ON r.product = w.product"
    " LEFT JOIN affinity.neighbour_viewed n ON n.store = $1 AND n.product = w.product"
    " WHERE w.counted <> 0 OR (r.others, r.scores, r.sessions) IS DISTINCT FROM"
    " (n.others, n.scores, n.sessions)";

/* The rows from .. to - 1 of the result are the others of one product. */
static aff_status make_row(struct making *making, int store, const PGresult *result, int from, int to)
{
    uint32_t n = 0;

    for (int row = from; row < to; row++)
        making->others[row - from] =
            (struct aff_viewed_other){.product = (int32_t)aff_result_whole(result, row, 3, 0),
                                      .sessions = (uint32_t)aff_result_whole(result, row, 4, 0),
                                      .in_all = (uint32_t)aff_result_whole(result, row, 5, 0)};
    aff_status status = aff_viewed_row(making->settings, (uint32_t)aff_result_whole(result, from, 1, 0),
                                       (uint64_t)aff_result_whole(result, from, 2, 0), making->others,
                                       (uint32_t)(to - from), making->scores, &n);
    if (status != AFF_OK || n == 0)
        return status;
    for (uint32_t i = 0; i < n; i++) {
        making->products[i] = making->others[i].product;
        making->sessions[i] = (int32_t)making->others[i].sessions;
    }
    aff_copy_row(&making->writer, 5);
    aff_copy_put_int32(&making->writer, store);
    aff_copy_put_int32(&making->writer, (int32_t)aff_result_whole(result, from, 0, 0));
    aff_copy_put_int32s(&making->writer, making->products, n);
    aff_copy_put_floats(&making->writer, making->scores, n);
    aff_copy_put_int32s(&making->writer, making->sessions, n);
    return making->writer.status;
}

static aff_status make_rows(struct making *making, int store, const PGresult *result)
{
    const size_t n = (size_t)PQntuples(result) + 1, most = making->settings->neighbours;
    aff_status status = AFF_OK;

    making->others = malloc(n * sizeof *making->others);
    making->scores = malloc(most * sizeof *making->scores);
    making->products = malloc(most * sizeof *making->products);
    making->sessions = malloc(most * sizeof *making->sessions);
    if (making->others == NULL || making->scores == NULL || making->products == NULL ||
        making->sessions == NULL)
        return AFF_NOMEM;
    for (int from = 0, to = 0; from < PQntuples(result) && status == AFF_OK; from = to) {
        const int64_t product = aff_result_whole(result, from, 0, 0);
        while (to < PQntuples(result) && aff_result_whole(result, to, 0, 0) == product)
            to++;
        status = make_row(making, store, result, from, to);
    }
    return status;
}

static aff_status write_rows(struct aff_connection *connection, struct making *making, int store,
                             const PGresult *result, struct aff_error *reterr)
{
    aff_status status = aff_execute(connection,
                                    "CREATE TEMPORARY TABLE IF NOT EXISTS viewed_row"
                                    " (LIKE affinity.neighbour_viewed) ON COMMIT DELETE ROWS",
                                    reterr);

    if (status == AFF_OK)
        status = aff_copy_write_begin(&making->writer, connection,
                                      "COPY pg_temp.viewed_row (store, product, others, scores, sessions)"
                                      " FROM STDIN (FORMAT binary)",
                                      reterr);
    if (status != AFF_OK)
        return status;
    status = make_rows(making, store, result);
    /* A lost connection says more when the COPY is ended than the status of the row that met it. */
    const bool abandon = status != AFF_OK && making->writer.status == AFF_OK;
    const aff_status ended = aff_copy_write_finish(&making->writer, abandon, abandon ? NULL : reterr);
    return abandon ? aff_error_set(reterr, status, "%s", aff_status_text(status)) : ended;
}

/* Puts the rows into place where they, or the counts behind them, are others than before. */
static aff_status put_rows(struct aff_connection *connection, int store, struct aff_column *columns,
                           uint32_t *ret_changed, struct aff_error *reterr)
{
    struct aff_column different = {.type = AFF_COLUMN_INT32};
    PGresult *result = NULL;
    aff_status status = aff_query_columns(connection, find_different, store, columns, 2, &result, reterr);

    for (int row = 0; status == AFF_OK && row < PQntuples(result); row++)
        aff_column_add(&different, aff_result_whole(result, row, 0, 0));
    PQclear(result);
    *ret_changed = different.n;
    for (size_t i = 0; status == AFF_OK && different.n > 0 && i < sizeof replace / sizeof replace[0]; i++)
        status = aff_query_columns(connection, replace[i], store, &different, 1, NULL, reterr);
    aff_columns_done(&different, 1);
    return status;
}

/* With the products in `columns`: the least sessions of a pair, their keys, whether their counts changed. */
static aff_status make(struct aff_connection *connection, const struct aff_viewed_work *work,
                       struct aff_column *columns, uint32_t *ret_changed, struct aff_error *reterr)
{
    struct making making = {.settings = &work->settings->rows};
    PGresult *result = NULL;
    aff_status status = aff_query_columns(connection, read_pairs, work->store, columns, 2, &result, reterr);

    if (status == AFF_OK)
        status = write_rows(connection, &making, work->store, result, reterr);
    PQclear(result);
    if (status == AFF_OK)
        status = put_rows(connection, work->store, columns + 1, ret_changed, reterr);
    free(making.others);
    free(making.scores);
    free(making.products);
    free(making.sessions);
    return status;
}

static aff_status work_on_due(struct aff_connection *connection, const struct aff_viewed_work *work,
                              int32_t *ret_last, uint32_t *ret_n, uint32_t *ret_changed,
                              struct aff_error *reterr)
{
    struct aff_column from = {.type = AFF_COLUMN_INT64};
    struct aff_column columns[3] = {
        {.type = AFF_COLUMN_INT64}, {.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT16}};
    PGresult *result = NULL;

    aff_column_add(&from, work->after);
    aff_column_add(&from, SLICE);
    aff_column_add(&columns[0], work->settings->rows.floors.min_orders);
    aff_status status = aff_query_columns(connection, claim, work->store, &from, 1, &result, reterr);
    *ret_last = -1;
    for (int row = 0; status == AFF_OK && row < PQntuples(result); row++) {
        const int32_t product = (int32_t)aff_result_whole(result, row, 0, -1);
        aff_column_add(&columns[1], product);
        aff_column_add(&columns[2], aff_result_whole(result, row, 1, 0));
        *ret_last = product > *ret_last ? product : *ret_last;
    }
    *ret_n = columns[1].n;
    if (status == AFF_OK && *ret_n > 0)
        status = make(connection, work, columns, ret_changed, reterr);
    PQclear(result);
    aff_columns_done(&from, 1);
    aff_columns_done(columns, 3);
    return status;
}

aff_status aff_viewed_rows(struct aff_connection *connection, struct aff_viewed_work *work,
                           enum aff_viewed_fence *ret_fence, uint32_t *ret_n, uint32_t *ret_changed,
                           struct aff_error *reterr)
{
    int32_t last = -1;
    aff_status status = aff_viewed_begin(connection, work, ret_fence, reterr);

    *ret_n = *ret_changed = 0;
    if (status != AFF_OK || *ret_fence != AFF_VIEWED_MINE)
        return status;
    status = work_on_due(connection, work, &last, ret_n, ret_changed, reterr);
    status = aff_viewed_end(connection, status, reterr);
    if (status == AFF_OK)
        work->after = *ret_n < SLICE ? -1 : last;
    return status;
}
