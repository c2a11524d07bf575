/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/rows_write.h"

#include "sql/fold/columns.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

aff_status aff_rows_write_init(struct aff_rows_write *write, struct aff_connection *connection, int store,
                               uint32_t most)
{
    *write = (struct aff_rows_write){.connection = connection, .store = store, .most = most};
    write->others = malloc(most * sizeof *write->others);
    write->orders = malloc(most * sizeof *write->orders);
    write->discounted = malloc(most * sizeof *write->discounted);
    write->scores = malloc(most * sizeof *write->scores);
    write->gap_days = malloc(most * sizeof *write->gap_days);
    write->season_expected = malloc(most * sizeof *write->season_expected);
    write->season_z = malloc(most * sizeof *write->season_z);
    write->weights = malloc(most * sizeof *write->weights);
    write->revenues = malloc(most * sizeof *write->revenues);
    write->margins = malloc(most * sizeof *write->margins);
    if (write->others != NULL && write->orders != NULL && write->discounted != NULL &&
        write->scores != NULL && write->gap_days != NULL && write->season_expected != NULL &&
        write->season_z != NULL && write->weights != NULL && write->revenues != NULL &&
        write->margins != NULL)
        return AFF_OK;
    aff_rows_write_done(write);
    return AFF_NOMEM;
}

void aff_rows_write_done(struct aff_rows_write *write)
{
    free(write->others);
    free(write->orders);
    free(write->discounted);
    free(write->scores);
    free(write->gap_days);
    free(write->season_expected);
    free(write->season_z);
    free(write->weights);
    free(write->revenues);
    free(write->margins);
    *write = (struct aff_rows_write){0};
}

/* Takes the row of affinity.state, so that no other leader and no swap comes between. */
static aff_status fence(struct aff_rows_write *write, bool *ret_mine, struct aff_error *reterr)
{
    PGresult *result = NULL;
    aff_status status = aff_query_columns(
        write->connection, "SELECT epoch, generation FROM affinity.state WHERE store = $1 FOR UPDATE",
        write->store, NULL, 0, &result, reterr);

    if (status == AFF_OK)
        *ret_mine = PQntuples(result) == 1 && aff_result_whole(result, 0, 0, -1) == write->epoch &&
                    aff_result_whole(result, 0, 1, -1) == write->generation;
    PQclear(result);
    return status;
}

#define COPY_COLUMNS                                                                                         \
    " (store, relation, product, others, scores, orders, weights, revenues, margins, discounted, gap_days, " \
    "residual, season_expected, season_z)"                                                                   \
    " FROM STDIN (FORMAT binary)"

static void name_products(const struct aff_rows_write *write, struct aff_column columns[2])
{
    for (uint32_t i = 0; i < write->n_products; i++)
        aff_column_add(&columns[0], write->products[i]);
    aff_column_add(&columns[1], write->relation);
}

/* Makes room for the rows: in the table itself, or beside it, to be compared. */
static aff_status make_room(struct aff_rows_write *write, struct aff_error *reterr)
{
    struct aff_column columns[2] = {{.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT16}};

    if (write->only_different) {
        aff_status status = aff_execute(
            write->connection, "CREATE TEMPORARY TABLE renewed_row (LIKE affinity.neighbour) ON COMMIT DROP",
            reterr);
        if (status != AFF_OK)
            return status;
        return aff_copy_write_begin(&write->writer, write->connection,
                                    "COPY pg_temp.renewed_row" COPY_COLUMNS, reterr);
    }
    name_products(write, columns);
    aff_status status =
        aff_query_columns(write->connection,
                          "DELETE FROM affinity.neighbour WHERE store = $1"
                          " AND relation = ($3::smallint[])[1] AND product = ANY($2::integer[])",
                          write->store, columns, 2, NULL, reterr);
    aff_columns_done(columns, 2);
    if (status != AFF_OK)
        return status;
    return aff_copy_write_begin(&write->writer, write->connection, "COPY affinity.neighbour" COPY_COLUMNS,
                                reterr);
}

aff_status aff_rows_write_begin(struct aff_rows_write *write, enum aff_relation relation,
                                const int32_t *products, uint32_t n, bool *ret_mine, struct aff_error *reterr)
{
    bool mine = false;
    aff_status status = aff_execute(write->connection, "BEGIN; SET LOCAL lock_timeout = '10s'", reterr);

    if (status != AFF_OK)
        return status;
    write->relation = relation;
    write->products = products;
    write->n_products = n;
    status = fence(write, &mine, reterr);
    if (status == AFF_OK && mine)
        status = make_room(write, reterr);
    if (status != AFF_OK || !mine)
        (void)!aff_execute(write->connection, "ROLLBACK", NULL); /* what failed before is what counts */
    if (status == AFF_OK)
        *ret_mine = mine;
    return status;
}

aff_status aff_rows_write_put(struct aff_rows_write *write, enum aff_relation relation, int32_t product,
                              float residual, const int32_t *keys, const struct aff_neighbour *neighbours,
                              const struct aff_pair_counts *counts, uint32_t n)
{
    struct aff_copy_writer *writer = &write->writer;
    bool is_next = relation == AFF_RELATION_NEXT;

    for (uint32_t i = 0; i < n; i++) {
        write->others[i] = keys[i];
        write->scores[i] = neighbours[i].score;
        write->orders[i] = (int32_t)counts[i].orders;
        write->weights[i] = counts[i].weight;
        write->revenues[i] = counts[i].revenue;
        write->margins[i] = counts[i].margin;
        write->discounted[i] = (int32_t)counts[i].discounted;
        write->gap_days[i] = is_next ? counts[i].gap_days : 0;
        write->season_expected[i] = counts[i].season_expected;
        write->season_z[i] = is_next ? 0 : counts[i].season_z;
    }
    aff_copy_row(writer, 14);
    aff_copy_put_int32(writer, write->store);
    aff_copy_put_int16(writer, (int16_t)relation);
    aff_copy_put_int32(writer, product);
    aff_copy_put_int32s(writer, write->others, n);
    aff_copy_put_floats(writer, write->scores, n);
    aff_copy_put_int32s(writer, write->orders, n);
    aff_copy_put_int64s(writer, write->weights, n);
    aff_copy_put_int64s(writer, write->revenues, n);
    aff_copy_put_int64s(writer, write->margins, n);
    aff_copy_put_int32s(writer, write->discounted, n);
    aff_copy_put_floats(writer, write->gap_days, is_next ? n : 0);
    aff_copy_put_float(writer, residual);
    aff_copy_put_floats(writer, write->season_expected, is_next ? 0 : n);
    aff_copy_put_floats(writer, write->season_z, is_next ? 0 : n);
    return writer->status;
}

/* Statements on the products whose rows are different, in this sequence. */
static const char *const replace[] = {
    "UPDATE affinity.state SET version = version + 1 WHERE store = $1",
    "INSERT INTO affinity.touched AS t (store, what, key, version) SELECT $1::integer, ($3::smallint[])[1], "
    "w.key,"
    " (SELECT version FROM affinity.state WHERE store = $1) FROM unnest($2::integer[]) AS w(key)"
    " ON CONFLICT (store, what, key) DO UPDATE SET version = excluded.version",
    "DELETE FROM affinity.neighbour WHERE store = $1 AND relation = ($3::smallint[])[1]"
    " AND product = ANY($2::integer[])",
    "INSERT INTO affinity.neighbour SELECT r.* FROM pg_temp.renewed_row r WHERE r.store = $1"
    " AND r.relation = ($3::smallint[])[1] AND r.product = ANY($2::integer[])",
};

/* Replaces the rows that are different, as a new version. What the season explains moves a little with every
 * order of the same month: a row that is different in nothing else stays, so that a renewal writes little. A
 * pair that becomes seasonal, or ceases to be, is different by its score. */
static aff_status replace_different(struct aff_rows_write *write, struct aff_error *reterr)
{
    struct aff_column columns[2] = {{.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT16}};
    PGresult *result = NULL;

    name_products(write, columns);
    aff_status status = aff_query_columns(
        write->connection,
        "SELECT w.product FROM unnest($2::integer[]) AS w(product)"
        " LEFT JOIN pg_temp.renewed_row r ON r.product = w.product"
        " LEFT JOIN affinity.neighbour n ON n.store = $1 AND n.relation = ($3::smallint[])[1]"
        " AND n.product = w.product WHERE (r.others, r.scores, r.orders, r.weights, r.revenues, r.margins,"
        " r.discounted, r.gap_days, r.residual) IS DISTINCT FROM (n.others, n.scores, n.orders, n.weights, "
        "n.revenues,"
        " n.margins, n.discounted, n.gap_days, n.residual)",
        write->store, columns, 2, &result, reterr);
    if (status == AFF_OK) {
        aff_columns_clear(columns, 1);
        for (int row = 0; row < PQntuples(result); row++)
            aff_column_add(&columns[0], aff_result_whole(result, row, 0, -1));
        write->changed += (uint32_t)PQntuples(result);
    }
    for (size_t i = 0; i < sizeof replace / sizeof replace[0] && status == AFF_OK && PQntuples(result) > 0;
         i++)
        status = aff_query_columns(write->connection, replace[i], write->store, columns, 2, NULL, reterr);
    PQclear(result);
    aff_columns_done(columns, 2);
    return status;
}

aff_status aff_rows_write_end(struct aff_rows_write *write, aff_status status, struct aff_error *reterr)
{
    /* A lost connection says more when the COPY is ended than the status of the row that met it. */
    bool abandon = status != AFF_OK && write->writer.status == AFF_OK;
    aff_status ended = aff_copy_write_finish(&write->writer, abandon, abandon ? NULL : reterr);

    if (status == AFF_OK || !abandon)
        status = ended;
    if (status == AFF_OK && write->only_different)
        status = replace_different(write, reterr);
    if (status == AFF_OK)
        return aff_execute(write->connection, "COMMIT", reterr);
    (void)!aff_execute(write->connection, "ROLLBACK", NULL); /* what failed before is what counts */
    return status;
}

aff_status aff_rows_published(struct aff_connection *connection, int store, int64_t epoch, int64_t generation,
                              int64_t version, bool *ret_mine, struct aff_error *reterr)
{
    struct aff_column column = {.type = AFF_COLUMN_INT64};
    PGresult *result = NULL;
    char notify[64];

    aff_column_add(&column, epoch);
    aff_column_add(&column, generation);
    aff_column_add(&column, version);
    aff_status status = aff_query_columns(
        connection,
        "UPDATE affinity.state SET published = ($2::bigint[])[3] WHERE store = $1"
        " AND epoch = ($2::bigint[])[1] AND generation = ($2::bigint[])[2] RETURNING published",
        store, &column, 1, &result, reterr);
    aff_columns_done(&column, 1);
    if (status != AFF_OK)
        return status;
    *ret_mine = PQntuples(result) == 1;
    PQclear(result);
    /* A hint to look; that it may get lost does no harm. */
    (void)snprintf(notify, sizeof notify, "NOTIFY affinity_published, '%d'", store);
    return *ret_mine ? aff_execute(connection, notify, reterr) : AFF_OK;
}
