/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/rows_next.h"

#include "core/base/sort.h"
#include "core/learn/gap.h"
#include "sql/fold/columns.h"

#include <libpq-fe.h>
#include <stdlib.h>

/* What aff_next_row() wants to see of one product: products numbered in order of their keys, as in a count of
 * all orders, since equal scores are told apart by number. */
struct making {
    struct aff_rows_write *write;
    const struct aff_next_row_settings *settings;
    const PGresult *rows, *stats;
    uint64_t consecutive;
    int32_t *products;
    struct aff_next_stat *numbers;
    struct aff_next_pair *pairs;
    uint8_t *gaps;
    size_t gap_capacity;
    int32_t *keys;
    struct aff_neighbour *neighbours;
    struct aff_pair_counts *counts;
};

/* Pairs below the floor of orders can be left out before they travel: they are most. */
static const char read_rows[] =
    "SELECT t.a, t.b, t.orders, t.weight, t.gaps, coalesce(s.seconds, 0) FROM affinity.pair_next t"
    " LEFT JOIN affinity.next_stat s ON s.store = $1 AND s.product = t.b"
    " WHERE t.store = $1 AND t.a = ANY($2::integer[]) AND t.orders >= ($3::bigint[])[1] ORDER BY t.a, t.b";

static const char read_stats[] = "SELECT w.product, coalesce(s.firsts, 0), coalesce(s.firsts_weight, 0), "
                                 "t.next_orders, coalesce(s.seconds, 0)"
                                 " FROM unnest($2::integer[]) AS w(product) CROSS JOIN affinity.state t"
                                 " LEFT JOIN affinity.next_stat s ON s.store = $1 AND s.product = w.product "
                                 "WHERE t.store = $1 ORDER BY w.product";

/* The histogram as buckets, each as often as it occurs. */
static aff_status spread(struct making *making, const unsigned char *bytes, size_t size, uint32_t orders,
                         size_t at)
{
    uint64_t counts[AFF_GAP_BUCKETS] = {0};
    uint32_t n = 0;

    if (aff_gap_read(bytes, size, counts) != AFF_OK)
        return AFF_DATA;
    if (at + orders > making->gap_capacity) {
        size_t capacity = (at + orders) * 2;
        uint8_t *bigger = realloc(making->gaps, capacity);
        if (bigger == NULL)
            return AFF_NOMEM;
        making->gaps = bigger;
        making->gap_capacity = capacity;
    }
    for (int bucket = 0; bucket < AFF_GAP_BUCKETS; bucket++)
        for (uint64_t i = 0; i < counts[bucket] && n < orders; i++)
            making->gaps[at + n++] = (uint8_t)bucket;
    return n == orders ? AFF_OK : AFF_DATA;
}

/* The rows from .. to - 1 of the result are the pairs of one product; `stat` is the product's row of the
 * other. */
static aff_status make_row(struct making *making, int from, int to, int stat)
{
    int32_t a = (int32_t)aff_result_whole(making->stats, stat, 0, -1);
    uint32_t n = 0, row_a = UINT32_MAX, n_rows = 0, kept = 0;
    struct aff_next next = {.stats = making->numbers, .consecutive = making->consecutive};
    size_t gaps = 0;

    for (int row = from; row <= to; row++) {
        int32_t b = row < to ? (int32_t)aff_result_whole(making->rows, row, 1, -1) : INT32_MAX;
        if (row_a == UINT32_MAX && a < b) {
            row_a = n_rows;
            making->products[n_rows] = a;
            making->numbers[n_rows++] =
                (struct aff_next_stat){.firsts = (uint32_t)aff_result_whole(making->stats, stat, 1, 0),
                                       .seconds = (uint32_t)aff_result_whole(making->stats, stat, 4, 0),
                                       .firsts_weight = aff_result_whole(making->stats, stat, 2, 0)};
        }
        if (row == to)
            break;
        uint32_t orders = (uint32_t)aff_result_whole(making->rows, row, 2, 0);
        aff_status status = spread(making, (const unsigned char *)PQgetvalue(making->rows, row, 4),
                                   (size_t)PQgetlength(making->rows, row, 4), orders, gaps);
        if (status != AFF_OK)
            return status;
        gaps += orders;
        making->pairs[n++] = (struct aff_next_pair){
            .b = n_rows, .orders = orders, .weight = aff_result_whole(making->rows, row, 3, 0)};
        making->products[n_rows] = b;
        making->numbers[n_rows++] =
            (struct aff_next_stat){.seconds = (uint32_t)aff_result_whole(making->rows, row, 5, 0)};
    }
    gaps = 0;
    for (uint32_t i = 0; i < n; gaps += making->pairs[i++].orders)
        making->pairs[i].gaps = making->gaps + gaps;
    aff_status status = aff_next_row(&next, row_a, making->pairs, n, making->settings, making->neighbours,
                                     making->counts, &kept);
    if (status != AFF_OK || kept == 0)
        return status;
    for (uint32_t i = 0; i < kept; i++)
        making->keys[i] = making->products[making->neighbours[i].row];
    return aff_rows_write_put(making->write, AFF_RELATION_NEXT, a, 0, making->keys, making->neighbours,
                              making->counts, kept);
}

static aff_status make_rows(struct making *making)
{
    size_t n = (size_t)PQntuples(making->rows) + 2, most = making->settings->neighbours;
    int row = 0;
    aff_status status = AFF_OK;

    making->products = malloc(n * sizeof *making->products);
    making->numbers = malloc(n * sizeof *making->numbers);
    making->pairs = malloc(n * sizeof *making->pairs);
    making->keys = malloc(most * sizeof *making->keys);
    making->neighbours = malloc(most * sizeof *making->neighbours);
    making->counts = malloc(most * sizeof *making->counts);
    if (making->products == NULL || making->numbers == NULL || making->pairs == NULL ||
        making->keys == NULL || making->neighbours == NULL || making->counts == NULL)
        return AFF_NOMEM;
    for (int stat = 0; stat < PQntuples(making->stats) && status == AFF_OK; stat++) {
        int64_t a = aff_result_whole(making->stats, stat, 0, -1);
        int from = row;
        making->consecutive = (uint64_t)aff_result_whole(making->stats, stat, 3, 0);
        while (row < PQntuples(making->rows) && aff_result_whole(making->rows, row, 0, -1) == a)
            row++;
        if (row > from)
            status = make_row(making, from, row, stat);
    }
    return status;
}

static void drop(struct making *making)
{
    free(making->products);
    free(making->numbers);
    free(making->pairs);
    free(making->gaps);
    free(making->keys);
    free(making->neighbours);
    free(making->counts);
}

/* The tables are read before the transaction, which sends rows from its beginning to its end. */
aff_status aff_rows_next(struct aff_rows_write *write, const struct aff_next_row_settings *settings,
                         const int32_t *products, uint32_t n, bool *ret_mine, struct aff_error *reterr)
{
    struct aff_column columns[2] = {{.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT64}};
    struct making making = {.write = write, .settings = settings};
    PGresult *rows = NULL, *stats = NULL;

    for (uint32_t i = 0; i < n; i++)
        aff_column_add(&columns[0], products[i]);
    aff_column_add(&columns[1], settings->floors.min_orders);
    /* Only the leader changes what is read here; whether it still is one is asked when the rows are written.
     */
    aff_status status =
        aff_query_columns(write->connection, read_rows, write->store, columns, 2, &rows, reterr);
    if (status == AFF_OK)
        status = aff_query_columns(write->connection, read_stats, write->store, columns, 1, &stats, reterr);
    making.rows = rows;
    making.stats = stats;
    if (status == AFF_OK)
        status = aff_rows_write_begin(write, AFF_RELATION_NEXT, products, n, ret_mine, reterr);
    if (status == AFF_OK && *ret_mine) {
        status = make_rows(&making);
        if (status != AFF_OK)
            (void)aff_error_set(reterr, status, "affinity.pair_next: %s", aff_status_text(status));
        status = aff_rows_write_end(write, status, reterr);
    }
    drop(&making);
    PQclear(rows);
    PQclear(stats);
    aff_columns_done(columns, 2);
    return status;
}
