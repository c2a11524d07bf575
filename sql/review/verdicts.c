/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/review/verdicts.h"

#include "sql/copy.h"
#include "sql/fold/columns.h"

#include <libpq-fe.h>
#include <stdio.h>

aff_status aff_verdicts_read(struct aff_connection *connection, int store, struct aff_reviews *reviews,
                             struct aff_error *reterr)
{
    struct aff_copy_reader reader;
    char statement[256];
    bool more;

    aff_reviews_clear(reviews);
    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT a, b, verdict = 'approve' FROM affinity.pair_review WHERE store = %d"
                   " AND verdict <> 'open' ORDER BY a, b) TO STDOUT (FORMAT binary)",
                   store);
    aff_status status = aff_copy_read_begin(&reader, connection, statement, reterr);
    while (status == AFF_OK && (status = aff_copy_read(&reader, &more, reterr)) == AFF_OK && more) {
        int32_t a = aff_copy_get_int32(&reader, 0), b = aff_copy_get_int32(&reader, 0);
        status = aff_reviews_put(reviews, a, b,
                                 aff_copy_get_bool(&reader) ? AFF_VERDICT_APPROVE : AFF_VERDICT_REJECT);
        if (status != AFF_OK)
            (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
    aff_copy_read_close(&reader);
    return status;
}

/* Inside the transaction, with the row of affinity.state. */
static aff_status claim(struct aff_connection *connection, int store, int64_t *ret_version,
                        struct aff_error *reterr)
{
    struct aff_column keys = {.type = AFF_COLUMN_INT64};
    PGresult *result = NULL;
    aff_status status = aff_query_columns(
        connection,
        "UPDATE affinity.pair_review SET queued = false WHERE store = $1 AND queued RETURNING a, b", store,
        NULL, 0, &result, reterr);

    for (int row = 0; status == AFF_OK && row < PQntuples(result); row++) {
        aff_column_add(&keys, aff_result_whole(result, row, 0, 0));
        aff_column_add(&keys, aff_result_whole(result, row, 1, 0));
    }
    PQclear(result);
    result = NULL;
    if (status == AFF_OK && keys.n > 0) {
        status = aff_query_columns(
            connection, "UPDATE affinity.state SET version = version + 1 WHERE store = $1 RETURNING version",
            store, NULL, 0, &result, reterr);
        if (status == AFF_OK)
            *ret_version = aff_result_whole(result, 0, 0, 0);
        PQclear(result);
    }
    if (status == AFF_OK && keys.n > 0)
        status = aff_query_columns(
            connection,
            "INSERT INTO affinity.touched AS t (store, what, key, version) SELECT DISTINCT $1::integer, 1,"
            " d.key, (SELECT version FROM affinity.state WHERE store = $1) FROM unnest($2::bigint[]) AS "
            "d(key)"
            " ON CONFLICT (store, what, key) DO UPDATE SET version = excluded.version",
            store, &keys, 1, NULL, reterr);
    aff_columns_done(&keys, 1);
    return status;
}

aff_status aff_verdicts_claim(struct aff_connection *connection, int store, int64_t epoch, int64_t generation,
                              bool *ret_mine, int64_t *ret_version, struct aff_error *reterr)
{
    PGresult *result = NULL;
    aff_status status = aff_execute(connection, "BEGIN; SET LOCAL lock_timeout = '10s'", reterr);
    bool mine = false;

    if (status != AFF_OK)
        return status;
    status = aff_query_columns(connection,
                               "SELECT epoch, generation FROM affinity.state WHERE store = $1 FOR UPDATE",
                               store, NULL, 0, &result, reterr);
    if (status == AFF_OK)
        mine = PQntuples(result) == 1 && aff_result_whole(result, 0, 0, -1) == epoch &&
               aff_result_whole(result, 0, 1, -1) == generation;
    PQclear(result);
    if (status == AFF_OK && mine)
        status = claim(connection, store, ret_version, reterr);
    if (status == AFF_OK && mine)
        status = aff_execute(connection, "COMMIT", reterr);
    else
        (void)!aff_execute(connection, "ROLLBACK", NULL); /* what failed before is what counts */
    if (status == AFF_OK)
        *ret_mine = mine;
    return status;
}
