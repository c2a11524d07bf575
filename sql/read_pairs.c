/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/read_pairs.h"

#include "sql/copy.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

struct reading {
    struct aff_connection *connection;
    int store;
    struct aff_product_stat *stats;
    uint32_t n, capacity;
    int64_t orders, weight;
    struct aff_pairs_builder *builder;
};

/* The row of a product key among the sorted stats, UINT32_MAX if it is not there. */
static uint32_t row_of(const struct reading *reading, int32_t product)
{
    uint32_t low = 0, high = reading->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (reading->stats[middle].product < product)
            low = middle + 1;
        else
            high = middle;
    }
    return low < reading->n && reading->stats[low].product == product ? low : UINT32_MAX;
}

static aff_status no_memory(struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

static aff_status take_stat(struct reading *reading, struct aff_copy_reader *reader, struct aff_error *reterr)
{
    if (reading->n == reading->capacity) {
        uint32_t capacity = reading->capacity == 0 ? 1024 : reading->capacity * 2;
        struct aff_product_stat *stats = realloc(reading->stats, capacity * sizeof *stats);
        if (stats == NULL)
            return no_memory(reterr);
        reading->stats = stats;
        reading->capacity = capacity;
    }
    struct aff_product_stat *stat = &reading->stats[reading->n++];
    stat->product = aff_copy_get_int32(reader, 0);
    stat->orders = (uint32_t)aff_copy_get_int32(reader, 0);
    stat->weight = aff_copy_get_int64(reader, 0);
    stat->revenue = aff_copy_get_int64(reader, 0);
    stat->margin = aff_copy_get_int64(reader, 0);
    stat->discounted = (uint32_t)aff_copy_get_int32(reader, 0);
    stat->last_at_us = aff_copy_get_time(reader, 0);
    return AFF_OK;
}

static aff_status take_pair(struct reading *reading, struct aff_copy_reader *reader, struct aff_error *reterr)
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
    uint32_t row_a = row_of(reading, a), row_b = row_of(reading, b);
    aff_status status = row_a == UINT32_MAX || row_b == UINT32_MAX
                            ? AFF_INVALID
                            : aff_pairs_builder_add(reading->builder, row_a, row_b, &pair);
    if (status == AFF_INVALID)
        return aff_error_set(reterr, AFF_DATA,
                             "affinity.pair_together of store %d: products %" PRId32 " and %" PRId32
                             " are no pair of affinity.product_stat; run 'affinityctl rebuild'",
                             reading->store, a, b);
    return status == AFF_OK ? AFF_OK : aff_error_set(reterr, status, "%s", aff_status_text(status));
}

typedef aff_status (*take_fn)(struct reading *reading, struct aff_copy_reader *reader,
                              struct aff_error *reterr);

static aff_status read_table(struct reading *reading, const char *statement, take_fn take,
                             struct aff_error *reterr)
{
    struct aff_copy_reader reader;
    bool more;

    aff_status status = aff_copy_read_begin(&reader, reading->connection, statement, reterr);
    while (status == AFF_OK && (status = aff_copy_read(&reader, &more, reterr)) == AFF_OK && more)
        status = take(reading, &reader, reterr);
    aff_copy_read_close(&reader);
    return status;
}

static aff_status read_totals(struct reading *reading, struct aff_error *reterr)
{
    char store[16];
    const char *parameters[] = {store};
    PGresult *result = NULL;

    (void)snprintf(store, sizeof store, "%d", reading->store);
    aff_status status =
        aff_query(reading->connection, "SELECT orders, weight FROM affinity.state WHERE store = $1::integer",
                  1, parameters, &result, reterr);
    if (status == AFF_OK && PQntuples(result) > 0) {
        reading->orders = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
        reading->weight = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
    }
    PQclear(result);
    return status;
}

/* Locks before the snapshot is taken: one that is older than a swap would see the new tables as empty. */
static aff_status begin(struct reading *reading, struct aff_error *reterr)
{
    char stats[AFF_PARTITION_NAME], pairs[AFF_PARTITION_NAME], statement[512];

    aff_partition_name("product_stat", reading->store, "", stats);
    aff_partition_name("pair_together", reading->store, "", pairs);
    (void)snprintf(statement, sizeof statement,
                   "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                   " LOCK TABLE ONLY affinity.product_stat, ONLY affinity.pair_together, ONLY %s, ONLY %s"
                   " IN ACCESS SHARE MODE",
                   stats, pairs);
    return aff_execute(reading->connection, statement, reterr);
}

static aff_status read_all(struct reading *reading, struct aff_error *reterr)
{
    char statement[256];

    aff_status status = read_totals(reading, reterr);
    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT product, orders, weight, revenue, margin, discounted, last_at"
                   " FROM affinity.product_stat WHERE store = %d ORDER BY product) TO STDOUT (FORMAT binary)",
                   reading->store);
    if (status == AFF_OK)
        status = read_table(reading, statement, take_stat, reterr);
    if (status == AFF_OK) {
        struct aff_pairs_builder *builder = NULL;
        status = aff_pairs_builder_new(reading->stats, reading->n, (uint64_t)reading->orders, reading->weight,
                                       &builder);
        reading->builder = builder;
        if (status != AFF_OK)
            (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT a, b, orders, weight, revenue_a, revenue_b, margin_a, margin_b, discounted"
                   " FROM affinity.pair_together WHERE store = %d) TO STDOUT (FORMAT binary)",
                   reading->store);
    if (status == AFF_OK)
        status = read_table(reading, statement, take_pair, reterr);
    return status;
}

aff_status aff_read_pairs(struct aff_connection *connection, int store, struct aff_pairs **ret_pairs,
                          struct aff_error *reterr)
{
    struct reading reading = {.connection = connection, .store = store};
    aff_status status = begin(&reading, reterr);

    if (status == AFF_OK)
        status = read_all(&reading, reterr);
    /* After a failure the first error is the one to report. */
    aff_status ended = aff_execute(connection, "ROLLBACK", status == AFF_OK ? reterr : NULL);
    if (status == AFF_OK)
        status = ended;
    if (status == AFF_OK) {
        status = aff_pairs_builder_finish(reading.builder, ret_pairs);
        if (status != AFF_OK)
            (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
    aff_pairs_builder_free(reading.builder);
    free(reading.stats);
    return status;
}
