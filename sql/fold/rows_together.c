/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/rows_together.h"

#include "core/base/clock.h"
#include "core/learn/live_pairs.h"
#include "sql/copy.h"
#include "sql/fold/columns.h"
#include "sql/review/verdicts.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECK_EVERY = 1 << 16, MEGABYTE_BITS = 20 };

#define PING_EVERY_US AFF_SECOND_US

struct aff_together {
    int store;
    struct aff_live_pairs *live;
    struct aff_rows_room *room;
    struct aff_reviews reviews; /* that the room's settings point to */
    int32_t *keys;              /* of one row's neighbours */
};

struct loading {
    struct aff_connection *connection;
    struct aff_together *together;
    uint64_t limit_bytes, read;
    struct aff_product_stat *stats;
    uint32_t n, capacity;
    int64_t pinged_us;
};

static aff_status plain(aff_status status, struct aff_error *reterr)
{
    return status == AFF_OK ? AFF_OK : aff_error_set(reterr, status, "%s", aff_status_text(status));
}

void aff_together_free(struct aff_together *together)
{
    if (together == NULL)
        return;
    aff_live_pairs_free(together->live);
    aff_rows_room_free(together->room);
    aff_reviews_done(&together->reviews);
    free(together->keys);
    free(together);
}

uint64_t aff_together_bytes(const struct aff_together *together)
{
    return together == NULL || together->live == NULL ? 0 : aff_live_pairs_bytes(together->live);
}

/* ---- loading ---- */

static aff_status take_stat(struct loading *loading, struct aff_copy_reader *reader, struct aff_error *reterr)
{
    if (loading->n == loading->capacity) {
        uint32_t capacity = loading->capacity == 0 ? 1024 : loading->capacity * 2;
        struct aff_product_stat *bigger = realloc(loading->stats, capacity * sizeof *bigger);
        if (bigger == NULL)
            return plain(AFF_NOMEM, reterr);
        loading->stats = bigger;
        loading->capacity = capacity;
    }
    struct aff_product_stat *stat = &loading->stats[loading->n++];
    stat->product = aff_copy_get_int32(reader, 0);
    stat->orders = (uint32_t)aff_copy_get_int32(reader, 0);
    stat->weight = aff_copy_get_int64(reader, 0);
    stat->revenue = aff_copy_get_int64(reader, 0);
    stat->margin = aff_copy_get_int64(reader, 0);
    stat->discounted = (uint32_t)aff_copy_get_int32(reader, 0);
    stat->last_at_us = aff_copy_get_time(reader, 0);
    return AFF_OK;
}

static aff_status check_limit(struct loading *loading, struct aff_error *reterr)
{
    if (loading->limit_bytes == 0 || aff_together_bytes(loading->together) <= loading->limit_bytes)
        return AFF_OK;
    return aff_error_set(reterr, AFF_LIMIT,
                         "the pair counts of store number %d take more than learn.memory_mb = %" PRIu64
                         ", so its orders are not folded; raise it, or count anew with 'affinityctl rebuild'",
                         loading->together->store, loading->limit_bytes >> MEGABYTE_BITS);
}

static aff_status take_pair(struct loading *loading, struct aff_copy_reader *reader, struct aff_error *reterr)
{
    struct aff_pair pair;
    int32_t a = aff_copy_get_int32(reader, 0), b = aff_copy_get_int32(reader, 0);

    pair.orders = (uint32_t)aff_copy_get_int32(reader, 0);
    pair.weight = aff_copy_get_int64(reader, 0);
    pair.revenue_a = aff_copy_get_int64(reader, 0);
    pair.revenue_b = aff_copy_get_int64(reader, 0);
    pair.margin_a = aff_copy_get_int64(reader, 0);
    pair.margin_b = aff_copy_get_int64(reader, 0);
    pair.discounted = (uint32_t)aff_copy_get_int32(reader, 0);
    aff_status status = aff_live_pairs_add(loading->together->live, a, b, &pair);
    if (status == AFF_NOTFOUND || status == AFF_INVALID)
        return aff_error_set(reterr, AFF_DATA,
                             "affinity.pair_together of store number %d: products %" PRId32 " and %" PRId32
                             " are no pair of affinity.product_stat; run 'affinityctl rebuild'",
                             loading->together->store, a, b);
    if (status == AFF_OK && ++loading->read % CHECK_EVERY == 0)
        return check_limit(loading, reterr);
    return plain(status, reterr);
}

static aff_status take_months(struct loading *loading, struct aff_copy_reader *reader,
                              struct aff_error *reterr)
{
    int32_t product = aff_copy_get_int32(reader, INT32_MIN);
    struct aff_copy_array months = aff_copy_get_array(reader, sizeof(int32_t));
    struct aff_copy_array orders = aff_copy_get_array(reader, sizeof(int32_t));
    aff_status status = months.n == orders.n ? AFF_OK : AFF_DATA;

    for (size_t i = 0; i < months.n && status == AFF_OK; i++) {
        int32_t month = aff_copy_element_int32(months, i);
        status = month != (int16_t)month
                     ? AFF_DATA
                     : aff_live_pairs_set_month(loading->together->live, product, (int16_t)month,
                                                aff_copy_element_int32(orders, i));
    }
    if (status == AFF_DATA || status == AFF_NOTFOUND)
        return aff_error_set(reterr, AFF_DATA,
                             "affinity.product_month of store number %d: product %" PRId32
                             " is not counted so; run 'affinityctl rebuild'",
                             loading->together->store, product);
    return plain(status, reterr);
}

static aff_status take_residual(struct loading *loading, struct aff_copy_reader *reader,
                                struct aff_error *reterr)
{
    int32_t product = aff_copy_get_int32(reader, -1);

    (void)reterr;
    int32_t bits = aff_copy_get_int32(reader, 0);
    float residual;
    memcpy(&residual, &bits, sizeof residual);
    aff_live_pairs_set_residual(loading->together->live, product, residual);
    return AFF_OK;
}

typedef aff_status (*take_fn)(struct loading *loading, struct aff_copy_reader *reader,
                              struct aff_error *reterr);

static aff_status read_table(struct loading *loading, const char *select, const char *rest, take_fn take,
                             struct aff_error *reterr)
{
    struct aff_copy_reader reader;
    char statement[512];
    bool more;

    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT %s WHERE store = %d%s) TO STDOUT (FORMAT binary)", select,
                   loading->together->store, rest);
    aff_status status = aff_copy_read_begin(&reader, loading->connection, statement, reterr);
    while (status == AFF_OK && (status = aff_copy_read(&reader, &more, reterr)) == AFF_OK && more)
        status = take(loading, &reader, reterr);
    aff_copy_read_close(&reader);
    return status;
}

static aff_status read_totals(struct loading *loading, struct aff_error *reterr)
{
    PGresult *result = NULL;
    aff_status status =
        aff_query_columns(loading->connection, "SELECT orders, weight FROM affinity.state WHERE store = $1",
                          loading->together->store, NULL, 0, &result, reterr);

    if (status == AFF_OK && PQntuples(result) > 0)
        aff_live_pairs_set_totals(loading->together->live, (uint64_t)aff_result_whole(result, 0, 0, 0),
                                  aff_result_whole(result, 0, 1, 0));
    PQclear(result);
    return status;
}

/* With all products known, ascending. */
static aff_status make_live(struct loading *loading)
{
    int32_t *keys = malloc(((size_t)loading->n + 1) * sizeof *keys);
    aff_status status = keys == NULL ? AFF_NOMEM : AFF_OK;

    for (uint32_t i = 0; i < loading->n && status == AFF_OK; i++)
        keys[i] = loading->stats[i].product;
    if (status == AFF_OK)
        status = aff_live_pairs_new(keys, loading->n, &loading->together->live);
    for (uint32_t i = 0; i < loading->n && status == AFF_OK; i++)
        status = aff_live_pairs_set_stat(loading->together->live, &loading->stats[i]);
    free(keys);
    return status;
}

/* Locks before the snapshot is taken: one that is older than a swap would see the new tables as empty. */
static aff_status begin(struct loading *loading, struct aff_error *reterr)
{
    static const char *const tables[] = {"product_stat", "product_month", "pair_together", "neighbour"};
    char name[AFF_PARTITION_NAME], statement[256];
    aff_status status =
        aff_execute(loading->connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", reterr);

    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && status == AFF_OK; i++) {
        aff_partition_name(tables[i], loading->together->store, "", name);
        (void)snprintf(statement, sizeof statement,
                       "LOCK TABLE ONLY affinity.%s, ONLY %s IN ACCESS SHARE MODE", tables[i], name);
        status = aff_execute(loading->connection, statement, reterr);
    }
    return status;
}

aff_status aff_together_review(struct aff_together *together, struct aff_connection *connection,
                               struct aff_error *reterr)
{
    return aff_verdicts_read(connection, together->store, &together->reviews, reterr);
}

static aff_status read_all(struct loading *loading, struct aff_error *reterr)
{
    aff_status status = read_table(
        loading, "product, orders, weight, revenue, margin, discounted, last_at FROM affinity.product_stat",
        " ORDER BY product", take_stat, reterr);

    if (status == AFF_OK)
        status = plain(make_live(loading), reterr);
    if (status == AFF_OK)
        status = read_totals(loading, reterr);
    if (status == AFF_OK)
        status = read_table(loading, "product, months, orders FROM affinity.product_month", "", take_months,
                            reterr);
    if (status == AFF_OK)
        status = read_table(loading,
                            "a, b, orders, weight, revenue_a, revenue_b, margin_a, margin_b, discounted"
                            " FROM affinity.pair_together",
                            " ORDER BY a, b", take_pair, reterr);
    if (status == AFF_OK)
        status = check_limit(loading, reterr);
    if (status == AFF_OK)
        status = read_table(loading, "product, residual FROM affinity.neighbour", " AND relation = 1",
                            take_residual, reterr);
    if (status == AFF_OK)
        status = aff_together_review(loading->together, loading->connection, reterr);
    return status;
}

/* Solving can take long, and a session that is silent for too long is cut off. */
static bool ping(void *context, uint64_t done, uint64_t total)
{
    struct loading *loading = context;
    int64_t now_us = aff_clock_monotonic_us();

    (void)done;
    (void)total;
    if (now_us - loading->pinged_us < PING_EVERY_US)
        return true;
    loading->pinged_us = now_us;
    return aff_execute(loading->connection, "SELECT 1", NULL) == AFF_OK;
}

aff_status aff_together_load(struct aff_connection *connection, int store,
                             const struct aff_rows_settings *settings, uint64_t limit_bytes,
                             struct aff_together **ret_together, struct aff_error *reterr)
{
    struct aff_together *together = calloc(1, sizeof *together);
    struct loading loading = {.connection = connection, .together = together, .limit_bytes = limit_bytes};
    struct aff_watch watch = {ping, &loading};
    struct aff_rows_settings own = *settings;

    if (together == NULL)
        return plain(AFF_NOMEM, reterr);
    together->store = store;
    together->keys = malloc(settings->neighbours * sizeof *together->keys);
    own.reviews = &together->reviews;
    aff_status status = together->keys == NULL ? AFF_NOMEM : aff_rows_room_new(&own, 1, &together->room);
    if (status != AFF_OK)
        (void)plain(status, reterr);
    else {
        status = begin(&loading, reterr);
        if (status == AFF_OK)
            status = read_all(&loading, reterr);
        (void)!aff_execute(connection, "ROLLBACK",
                           NULL); /* it only read; what failed before is what counts */
    }
    if (status == AFF_OK)
        status = plain(aff_live_pairs_solve_missing(together->live, together->room, &watch), reterr);
    free(loading.stats);
    if (status == AFF_OK)
        *ret_together = together;
    else
        aff_together_free(together);
    return status;
}

/* ---- changing and making rows ---- */

aff_status aff_together_add(struct aff_together *together, const struct aff_delta *delta)
{
    return aff_live_pairs_apply(together->live, delta);
}

struct making {
    struct aff_together *together;
    struct aff_rows_write *write;
};

static aff_status take_row(void *context, int thread, uint32_t a, float residual,
                           const struct aff_neighbour *neighbours, const struct aff_pair_counts *counts,
                           uint32_t n)
{
    struct making *making = context;
    struct aff_together *together = making->together;

    (void)thread;
    if (n == 0)
        return AFF_OK;
    for (uint32_t i = 0; i < n; i++)
        together->keys[i] = aff_live_pairs_key(together->live, neighbours[i].row);
    return aff_rows_write_put(making->write, AFF_RELATION_TOGETHER, aff_live_pairs_key(together->live, a),
                              residual, together->keys, neighbours, counts, n);
}

aff_status aff_together_rows(struct aff_together *together, struct aff_rows_write *write,
                             const int32_t *products, uint32_t n, bool *ret_mine, struct aff_error *reterr)
{
    struct making making = {together, write};
    aff_status status = aff_rows_write_begin(write, AFF_RELATION_TOGETHER, products, n, ret_mine, reterr);

    if (status != AFF_OK || !*ret_mine)
        return status;
    status = plain(aff_live_pairs_rows(together->live, together->room, products, n, NULL, take_row, &making),
                   reterr);
    return aff_rows_write_end(write, status, reterr);
}
