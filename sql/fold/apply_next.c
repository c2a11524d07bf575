/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/apply_next.h"

#include "core/learn/gap.h"
#include "sql/fold/columns.h"

#include <inttypes.h>
#include <libpq-fe.h>

enum { CHUNK = 10000 };

static aff_status broken(const struct aff_delta_next *change, struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_DATA,
                         "affinity.pair_next: products %" PRId32 " and %" PRId32
                         " did not count all that is taken back; run 'affinityctl rebuild'",
                         change->a, change->b);
}

/* Columns of rows to write (a, b, orders, weight, gaps) and of rows to remove (a, b). */
struct outcome {
    struct aff_column kept[5], gone[2];
};

static aff_status add(const struct aff_delta_next *change, const PGresult *result, int row,
                      struct outcome *outcome, struct aff_error *reterr)
{
    unsigned char bytes[AFF_GAP_BUCKETS * AFF_GAP_ENTRY_BYTES];
    int64_t orders = aff_result_whole(result, row, 1, 0) + change->orders;
    int64_t weight = aff_result_whole(result, row, 2, 0) + change->weight;
    size_t size = 0;

    if (orders < 0 ||
        aff_gap_apply((const unsigned char *)PQgetvalue(result, row, 3), (size_t)PQgetlength(result, row, 3),
                      change->gaps, change->n_gaps, bytes, &size) != AFF_OK)
        return broken(change, reterr);
    if (orders == 0) {
        aff_column_add(&outcome->gone[0], change->a);
        aff_column_add(&outcome->gone[1], change->b);
        return AFF_OK;
    }
    aff_column_add(&outcome->kept[0], change->a);
    aff_column_add(&outcome->kept[1], change->b);
    aff_column_add(&outcome->kept[2], orders);
    aff_column_add(&outcome->kept[3], weight);
    aff_column_add_bytes(&outcome->kept[4], bytes, size);
    return AFF_OK;
}

static aff_status write(struct aff_connection *connection, int store, struct outcome *outcome,
                        struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    if (outcome->kept[0].n > 0 || outcome->kept[0].failed)
        status = aff_query_columns(
            connection,
            "INSERT INTO affinity.pair_next AS t (store, a, b, orders, weight, gaps) SELECT $1::integer, d.*"
            " FROM unnest($2::integer[], $3::integer[], $4::integer[], $5::bigint[], $6::bytea[]) AS d"
            " ON CONFLICT (store, a, b) DO UPDATE SET orders = excluded.orders, weight = excluded.weight,"
            " gaps = excluded.gaps",
            store, outcome->kept, 5, NULL, reterr);
    if (status == AFF_OK && (outcome->gone[0].n > 0 || outcome->gone[0].failed))
        status = aff_query_columns(
            connection,
            "DELETE FROM affinity.pair_next WHERE store = $1 AND ctid = ANY(ARRAY(SELECT t.ctid"
            " FROM unnest($2::integer[], $3::integer[]) AS d(a, b) CROSS JOIN LATERAL (SELECT ctid"
            " FROM affinity.pair_next WHERE store = $1 AND a = d.a AND b = d.b OFFSET 0) t))",
            store, outcome->gone, 2, NULL, reterr);
    return status;
}

/* One chunk of rows: read, added, written. */
static aff_status apply_some(struct aff_connection *connection, int store, const struct aff_delta *delta,
                             size_t from, size_t to, struct aff_column keys[3], struct outcome *outcome,
                             struct aff_error *reterr)
{
    PGresult *result = NULL;

    aff_columns_clear(keys, 3);
    aff_columns_clear(outcome->kept, 5);
    aff_columns_clear(outcome->gone, 2);
    for (size_t i = from; i < to; i++) {
        aff_column_add(&keys[0], delta->next[i].a);
        aff_column_add(&keys[1], delta->next[i].b);
        aff_column_add(&keys[2], (int64_t)i);
    }
    aff_status status = aff_query_columns(
        connection,
        "SELECT d.i, t.orders, t.weight, t.gaps FROM unnest($2::integer[], $3::integer[], $4::bigint[]) AS "
        "d(a, b, i)"
        " LEFT JOIN LATERAL (SELECT orders, weight, gaps FROM affinity.pair_next WHERE store = $1 AND a = d.a"
        " AND b = d.b OFFSET 0) t ON true",
        store, keys, 3, &result, reterr);
    for (int row = 0; status == AFF_OK && row < PQntuples(result); row++)
        status = add(&delta->next[aff_result_whole(result, row, 0, 0)], result, row, outcome, reterr);
    PQclear(result);
    if (status == AFF_OK)
        status = write(connection, store, outcome, reterr);
    return status;
}

aff_status aff_apply_next(struct aff_connection *connection, int store, const struct aff_delta *delta,
                          struct aff_error *reterr)
{
    struct aff_column keys[3] = {
        {.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT64}};
    struct outcome outcome = {.kept = {{.type = AFF_COLUMN_INT32},
                                       {.type = AFF_COLUMN_INT32},
                                       {.type = AFF_COLUMN_INT32},
                                       {.type = AFF_COLUMN_INT64},
                                       {.type = AFF_COLUMN_BYTES}},
                              .gone = {{.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT32}}};
    aff_status status = AFF_OK;

    for (size_t i = 0; i < delta->n_next && status == AFF_OK; i += CHUNK) {
        size_t end = delta->n_next - i > CHUNK ? i + CHUNK : delta->n_next;
        status = apply_some(connection, store, delta, i, end, keys, &outcome, reterr);
    }
    aff_columns_done(keys, 3);
    aff_columns_done(outcome.kept, 5);
    aff_columns_done(outcome.gone, 2);
    return status;
}
