/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/read_lines.h"

#include "core/intake/line.h"
#include "sql/copy.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

/* Product keys are small numbers with gaps; pages are made for the ranges that occur. */
enum { PAGE_BITS = 12, PAGE_SIZE = 1 << PAGE_BITS, N_PAGES = 1 << (31 - PAGE_BITS), WATCH_EVERY = 1 << 16 };

struct reading {
    struct aff_connection *connection;
    int store;
    const struct aff_baskets_settings *settings;
    const struct aff_watch *watch;
    int64_t **costs; /* pages of product costs; AFF_COST_UNKNOWN where there is none */
    struct aff_baskets_builder *builder;
    uint64_t expected, read;
};

static aff_status no_memory(struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

static bool set_cost(struct reading *reading, int32_t product, int64_t cost)
{
    int64_t **page = &reading->costs[product >> PAGE_BITS];

    if (*page == NULL) {
        *page = malloc(PAGE_SIZE * sizeof **page);
        if (*page == NULL)
            return false;
        for (int i = 0; i < PAGE_SIZE; i++)
            (*page)[i] = AFF_COST_UNKNOWN;
    }
    (*page)[product & (PAGE_SIZE - 1)] = cost;
    return true;
}

static int64_t cost_of(const struct reading *reading, int32_t product)
{
    const int64_t *page = product < 0 ? NULL : reading->costs[product >> PAGE_BITS];
    return page == NULL ? AFF_COST_UNKNOWN : page[product & (PAGE_SIZE - 1)];
}

static aff_status read_costs(struct reading *reading, struct aff_error *reterr)
{
    struct aff_copy_reader reader;
    char statement[256];
    bool more;

    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT product, cost FROM affinity.product WHERE store = %d AND cost IS NOT NULL"
                   " AND product >= 0) TO STDOUT (FORMAT binary)",
                   reading->store);
    aff_status status = aff_copy_read_begin(&reader, reading->connection, statement, reterr);
    while (status == AFF_OK && (status = aff_copy_read(&reader, &more, reterr)) == AFF_OK && more) {
        int32_t product = aff_copy_get_int32(&reader, 0);
        if (!set_cost(reading, product, aff_copy_get_int64(&reader, AFF_COST_UNKNOWN)))
            status = no_memory(reterr);
    }
    aff_copy_read_close(&reader);
    return status;
}

/* Revenue and margin of a line; false if they do not fit. */
static bool money(const struct reading *reading, struct aff_line *line, int64_t units, int64_t price,
                  int64_t cost)
{
    int64_t each;

    if (cost == AFF_COST_UNKNOWN)
        cost = cost_of(reading, line->product);
    line->margin = 0;
    if (__builtin_mul_overflow(units, price, &line->revenue))
        return false;
    return cost == AFF_COST_UNKNOWN || (!__builtin_sub_overflow(price, cost, &each) &&
                                        !__builtin_mul_overflow(units, each, &line->margin));
}

static aff_status take_line(struct reading *reading, struct aff_copy_reader *reader, struct aff_error *reterr)
{
    struct aff_line line;

    /* Columns are read in order, which an initializer would not promise. */
    line.order_key = aff_copy_get_int64(reader, 0);
    line.product = aff_copy_get_int32(reader, -1);
    line.customer = aff_copy_get_int64(reader, AFF_NO_CUSTOMER);
    line.at_us = aff_copy_get_time(reader, 0);
    int64_t units = aff_copy_get_int32(reader, 0);
    int64_t price = aff_copy_get_int64(reader, 0);
    int64_t cost = aff_copy_get_int64(reader, AFF_COST_UNKNOWN);
    line.discounted = aff_copy_get_bool(reader);

    aff_status status = money(reading, &line, units, price, cost)
                            ? aff_baskets_builder_add(reading->builder, &line)
                            : AFF_LIMIT;
    switch (status) {
    case AFF_OK:
        return AFF_OK;
    case AFF_LIMIT:
        return aff_error_set(
            reterr, status,
            "there are too many order lines, or their revenue is too large to add up, at order"
            " key %" PRId64 " of affinity.order_line",
            line.order_key);
    case AFF_DATA:
        return aff_error_set(reterr, status,
                             "affinity.order_line: order key %" PRId64 " has product key %" PRId32
                             ", which cannot be",
                             line.order_key, line.product);
    default:
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
}

static bool watched(const struct reading *reading)
{
    const struct aff_watch *watch = reading->watch;
    uint64_t total = reading->expected < reading->read ? reading->read : reading->expected;

    return watch == NULL || watch->call == NULL || watch->call(watch->context, reading->read, total);
}

static aff_status read_lines(struct reading *reading, int64_t newest_us, struct aff_error *reterr)
{
    struct aff_copy_reader reader;
    char statement[512];
    bool more;

    /* The window's first moment is given in microseconds after the epoch, as an interval, which is exact. */
    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT order_key, product, customer, ordered_at, quantity - returned, unit_price,"
                   " unit_cost, discounted FROM affinity.order_line WHERE store = %d AND quantity > returned"
                   " AND ordered_at >= timestamptz 'epoch' + interval '%" PRId64 " microseconds')"
                   " TO STDOUT (FORMAT binary)",
                   reading->store, newest_us - reading->settings->window_us);
    aff_status status = aff_copy_read_begin(&reader, reading->connection, statement, reterr);
    while (status == AFF_OK && (status = aff_copy_read(&reader, &more, reterr)) == AFF_OK && more) {
        status = take_line(reading, &reader, reterr);
        reading->read++;
        if (status == AFF_OK && reading->read % WATCH_EVERY == 0 && !watched(reading))
            status = aff_error_set(reterr, AFF_CANCELLED, "%s", aff_status_text(AFF_CANCELLED));
    }
    aff_copy_read_close(&reader);
    return status;
}

/* How many lines count, and when the newest was ordered. */
static aff_status survey(struct reading *reading, int64_t *ret_newest_us, struct aff_error *reterr)
{
    char store[16];
    const char *parameters[] = {store};
    PGresult *result = NULL;

    (void)snprintf(store, sizeof store, "%d", reading->store);
    aff_status status =
        aff_query(reading->connection,
                  "SELECT count(*), (extract(epoch FROM max(ordered_at)) * 1000000)::bigint"
                  " FROM affinity.order_line WHERE store = $1::integer AND quantity > returned",
                  1, parameters, &result, reterr);
    if (status != AFF_OK)
        return status;
    reading->expected = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    *ret_newest_us = strtoll(PQgetvalue(result, 0, 1), NULL, 10); /* a null reads as 0: there are no lines */
    PQclear(result);
    return AFF_OK;
}

static aff_status read_all(struct reading *reading, int64_t *ret_counted_from_us, struct aff_error *reterr)
{
    int64_t newest_us = 0;
    aff_status status = read_costs(reading, reterr);

    if (status == AFF_OK)
        status = survey(reading, &newest_us, reterr);
    *ret_counted_from_us = reading->expected == 0 ? INT64_MIN : newest_us - reading->settings->window_us;
    if (status == AFF_OK)
        status = read_lines(reading, newest_us, reterr);
    return status;
}

/* Makes the baskets and the costs of their products. */
static aff_status finish(struct reading *reading, struct aff_read_baskets *ret)
{
    aff_status status = aff_baskets_builder_finish(reading->builder, reading->settings, &ret->baskets);

    if (status != AFF_OK)
        return status;
    const struct aff_baskets *baskets = ret->baskets;
    ret->costs = malloc((baskets->n_products + 1) * sizeof ret->costs[0]);
    if (ret->costs == NULL)
        return AFF_NOMEM;
    for (uint32_t row = 0; row < baskets->n_products; row++)
        ret->costs[row] = cost_of(reading, baskets->products[row]);
    return AFF_OK;
}

aff_status aff_read_baskets(struct aff_connection *connection, int store,
                            const struct aff_baskets_settings *settings, const struct aff_watch *watch,
                            struct aff_read_baskets *ret, struct aff_error *reterr)
{
    struct reading reading = {.connection = connection, .store = store, .settings = settings, .watch = watch};
    struct aff_read_baskets read = {0};

    reading.costs = calloc(N_PAGES, sizeof *reading.costs);
    aff_status status = reading.costs == NULL ? AFF_NOMEM : aff_baskets_builder_new(&reading.builder);
    if (status != AFF_OK)
        (void)no_memory(reterr);
    else
        status = read_all(&reading, &read.counted_from_us, reterr);
    if (status == AFF_OK) {
        status = finish(&reading, &read);
        if (status != AFF_OK)
            (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
    for (int i = 0; reading.costs != NULL && i < N_PAGES; i++)
        free(reading.costs[i]);
    free(reading.costs);
    aff_baskets_builder_free(reading.builder);
    if (status != AFF_OK) {
        aff_read_baskets_done(&read);
        return status;
    }
    read.lines = reading.read;
    *ret = read;
    return AFF_OK;
}

void aff_read_baskets_done(struct aff_read_baskets *read)
{
    aff_baskets_free(read->baskets);
    free(read->costs);
    *read = (struct aff_read_baskets){0};
}
