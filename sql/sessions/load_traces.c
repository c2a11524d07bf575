/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/sessions/load_traces.h"

#include "core/base/clock.h"
#include "sql/copy.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_S 86400.0

struct reading {
    struct aff_connection *connection;
    const struct aff_catalogue *catalogue;
    struct aff_sequences_builder *builder;
    uint32_t *rows; /* of one sequence */
    size_t capacity;
    const struct aff_traces_bounds *bounds;
    uint64_t bytes;    /* of memory that are left for traces */
    uint32_t left_out; /* sequences that were read when there was no memory left */
};

static aff_status fail(aff_status status, struct aff_error *reterr)
{
    return aff_error_set(reterr, status, "%s", aff_status_text(status));
}

/* Rows of the products, unknown ones left out. */
static aff_status read_rows(struct reading *reading, struct aff_copy_array products, uint32_t *ret_n,
                            struct aff_error *reterr)
{
    uint32_t n = 0;

    if (products.n > reading->capacity) {
        uint32_t *rows = realloc(reading->rows, products.n * sizeof *rows);
        if (rows == NULL)
            return fail(AFF_NOMEM, reterr);
        reading->rows = rows;
        reading->capacity = products.n;
    }
    for (size_t i = 0; i < products.n; i++) {
        const uint32_t row = aff_catalogue_find_key(reading->catalogue, aff_copy_element_int32(products, i));
        if (row != AFF_NO_ROW)
            reading->rows[n++] = row;
    }
    *ret_n = n;
    return AFF_OK;
}

/* Adds a sequence while all of them fit. */
static aff_status add_sequence(struct reading *reading, int64_t at_s, uint32_t n, uint64_t *used_bytes,
                               struct aff_error *reterr)
{
    const uint32_t kept = n < AFF_SEQUENCE_LENGTH_MAX ? n : AFF_SEQUENCE_LENGTH_MAX;

    *used_bytes += (2 + (uint64_t)kept) * sizeof(uint32_t);
    if (*used_bytes > reading->bytes) {
        reading->left_out++;
        return AFF_OK;
    }
    aff_status status = aff_sequences_builder_add(reading->builder, reading->rows, n,
                                                  at_s < 0            ? 0
                                                  : at_s > UINT32_MAX ? UINT32_MAX
                                                                      : (uint32_t)at_s);
    return status == AFF_OK ? AFF_OK : fail(status, reterr);
}

/* Reads the sequences that a COPY of (seconds bigint, products integer[]) gives. */
static aff_status read_sequences(struct reading *reading, const char *statement, uint32_t holders,
                                 struct aff_sequences **ret_sequences, struct aff_error *reterr)
{
    struct aff_copy_reader reader = {0};
    uint64_t used_bytes = 0;
    bool more = true;
    aff_status status = aff_sequences_builder_new(&reading->builder);

    if (status != AFF_OK)
        return fail(status, reterr);
    status = aff_copy_read_begin(&reader, reading->connection, statement, reterr);
    while (status == AFF_OK && (status = aff_copy_read(&reader, &more, reterr)) == AFF_OK && more) {
        const int64_t at_s = aff_copy_get_int64(&reader, 0);
        uint32_t n = 0;
        status = read_rows(reading, aff_copy_get_array(&reader, sizeof(int32_t)), &n, reterr);
        if (status == AFF_OK)
            status = add_sequence(reading, at_s, n, &used_bytes, reterr);
    }
    aff_copy_read_close(&reader);
    if (status == AFF_OK) {
        status = aff_sequences_builder_finish(reading->builder, aff_catalogue_size(reading->catalogue),
                                              holders, ret_sequences);
        if (status != AFF_OK)
            (void)fail(status, reterr);
    }
    aff_sequences_builder_free(reading->builder);
    reading->builder = NULL;
    return status;
}

static aff_status read_sessions(struct reading *reading, int store, struct aff_sequences **ret_sessions,
                                struct aff_error *reterr)
{
    char statement[512];

    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT extract(epoch FROM at)::bigint, products FROM affinity.session"
                   " WHERE store = %d ORDER BY at DESC, session_key LIMIT %" PRIu32
                   ") TO STDOUT (FORMAT binary)",
                   store, reading->bounds->sessions);
    return read_sequences(reading, statement, reading->bounds->holders, ret_sessions, reterr);
}

aff_status aff_load_sessions(struct aff_connection *connection, int store,
                             const struct aff_catalogue *catalogue, struct aff_sequences **ret_sessions,
                             struct aff_error *reterr)
{
    const struct aff_traces_bounds bounds = {.sessions = AFF_TRACES_SESSIONS, .holders = AFF_TRACES_HOLDERS};
    struct reading reading = {
        .connection = connection, .catalogue = catalogue, .bounds = &bounds, .bytes = UINT64_MAX};
    struct aff_sequences *sessions = NULL;
    aff_status status = read_sessions(&reading, store, &sessions, reterr);

    free(reading.rows);
    if (status != AFF_OK)
        return status;
    if (sessions->n == 0) {
        aff_sequences_free(sessions);
        sessions = NULL;
    }
    *ret_sessions = sessions;
    return AFF_OK;
}

static aff_status load_sessions(struct reading *reading, int store, struct aff_traces *traces,
                                struct aff_error *reterr)
{
    struct aff_sequences *sessions = NULL;
    aff_status status = read_sessions(reading, store, &sessions, reterr);

    if (status != AFF_OK)
        return status;
    status = aff_traces_learn_views_within(traces, sessions, reading->bounds->holders, reading->bytes);
    traces->sessions_left_out += reading->left_out;
    return status == AFF_OK ? AFF_OK : fail(status, reterr);
}

/* Where the newest `kept` lines begin if they came evenly; 30 days at least, for popularity. */
static int64_t begin_of(const struct aff_totals *totals, int64_t lines, uint32_t kept)
{
    const double share = lines > kept ? (double)kept / (double)lines : 1;
    const double window_us = share * ((double)totals->to_us - (double)totals->from_us);
    const double least_us = 30 * DAY_S * AFF_SECOND_US;

    return totals->to_us - (int64_t)fmax(window_us, least_us);
}

static aff_status count_lines(struct reading *reading, int store, int64_t *ret_lines,
                              struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number};

    (void)snprintf(number, sizeof number, "%d", store);
    return aff_query_number(
        reading->connection,
        "SELECT coalesce((SELECT lines FROM affinity.state WHERE store = $1::integer), 0)", 1, parameters,
        ret_lines, reterr);
}

/* The lines themselves are kept only until what they say is known. */
static aff_status load_baskets(struct reading *reading, int store, const struct aff_totals *totals,
                               struct aff_traces *traces, struct aff_error *reterr)
{
    struct aff_sequences *baskets = NULL;
    char statement[640];
    int64_t lines;
    aff_status status = count_lines(reading, store, &lines, reterr);

    if (status != AFF_OK || totals->orders == 0)
        return status;
    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT extract(epoch FROM min(ordered_at))::bigint,"
                   " array_agg(product ORDER BY line) FROM affinity.order_line"
                   " WHERE store = %d AND quantity > returned AND ordered_at >="
                   " 'epoch'::timestamptz + %" PRId64 " * interval '1 microsecond'"
                   " GROUP BY order_key ORDER BY 1, order_key) TO STDOUT (FORMAT binary)",
                   store, begin_of(totals, lines, reading->bounds->lines));
    const uint64_t bytes = reading->bytes;
    reading->bytes = UINT64_MAX;
    status = read_sequences(reading, statement, 1, &baskets, reterr);
    reading->bytes = bytes;
    if (status != AFF_OK)
        return status;
    status = aff_traces_learn_baskets(traces, baskets, (uint32_t)(totals->to_us / AFF_SECOND_US));
    aff_sequences_free(baskets);
    if (status != AFF_OK)
        return fail(status, reterr);
    traces->baskets_left_out = aff_traces_bytes(traces) > reading->bytes;
    if (traces->baskets_left_out)
        aff_traces_drop_baskets(traces);
    return AFF_OK;
}

aff_status aff_load_traces(struct aff_connection *connection, int store,
                           const struct aff_traces_bounds *bounds, uint64_t bytes, struct aff_model *model,
                           struct aff_error *reterr)
{
    struct reading reading = {
        .connection = connection, .catalogue = model->catalogue, .bounds = bounds, .bytes = bytes};
    struct aff_traces *traces = calloc(1, sizeof *traces);
    aff_status status = AFF_OK;

    if (traces == NULL)
        return fail(AFF_NOMEM, reterr);
    if (bounds->lines > 0)
        status = load_baskets(&reading, store, &model->totals, traces, reterr);
    const uint64_t used_bytes = aff_traces_bytes(traces);
    reading.bytes = used_bytes < bytes ? bytes - used_bytes : 0;
    if (status == AFF_OK && bounds->sessions > 0)
        status = load_sessions(&reading, store, traces, reterr);
    free(reading.rows);
    if (status != AFF_OK) {
        aff_traces_free(traces);
        return status;
    }
    model->traces = traces;
    return AFF_OK;
}
