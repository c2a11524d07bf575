/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/recount.h"

#include "core/intake/line.h"
#include "sql/copy.h"
#include "sql/fold/changes.h"
#include "sql/fold/columns.h"
#include "sql/fold/costs.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

enum { WATCH_EVERY = 1 << 16 };

#define STATE_COLUMNS                                                                                        \
    "SELECT version, published, generation, epoch, rebuilding, landmark, half_life_s, counted_from,"         \
    " window_from, window_to, orders, lines, weight, next_orders, truncated_orders, truncated_lines,"        \
    " (settings->>'basket_cap')::bigint FROM affinity.state WHERE store = $1"

aff_status aff_count_state_read(struct aff_connection *connection, int store, bool lock,
                                struct aff_count_state *ret, struct aff_error *reterr)
{
    PGresult *result = NULL;
    aff_status status = aff_query_columns(connection, lock ? STATE_COLUMNS " FOR UPDATE" : STATE_COLUMNS,
                                          store, NULL, 0, &result, reterr);

    if (status != AFF_OK)
        return status;
    if (PQntuples(result) == 0)
        status = aff_error_set(reterr, AFF_NOTFOUND, "there is no store number %d any more", store);
    else
        *ret = (struct aff_count_state){
            .version = aff_result_whole(result, 0, 0, 0),
            .published = aff_result_whole(result, 0, 1, 0),
            .generation = aff_result_whole(result, 0, 2, 0),
            .epoch = aff_result_whole(result, 0, 3, 0),
            .rebuilding = aff_result_whole(result, 0, 4, 0) != 0,
            .landmark_us = aff_result_time(result, 0, 5, INT64_MIN),
            .half_life_s = aff_result_whole(result, 0, 6, 1),
            .counted_from_us = aff_result_time(result, 0, 7, INT64_MIN),
            .from_us = aff_result_time(result, 0, 8, INT64_MIN),
            .to_us = aff_result_time(result, 0, 9, INT64_MIN),
            .orders = aff_result_whole(result, 0, 10, 0),
            .lines = aff_result_whole(result, 0, 11, 0),
            .weight = aff_result_whole(result, 0, 12, 0),
            .next_orders = aff_result_whole(result, 0, 13, 0),
            .truncated_orders = aff_result_whole(result, 0, 14, 0),
            .truncated_lines = aff_result_whole(result, 0, 15, 0),
            .cap = (uint32_t)aff_result_whole(result, 0, 16, UINT32_MAX),
        };
    PQclear(result);
    return status;
}

struct recounting {
    struct aff_connection *connection;
    int store;
    const struct aff_count_state *state;
    const struct aff_watch *watch;
    struct aff_costs costs;
    struct aff_baskets_builder *builder;
    uint64_t read, expected;
};

static aff_status add(struct recounting *recounting, struct aff_line *line,
                      const struct aff_change_line *said, struct aff_error *reterr)
{
    line->product = said->product;
    line->discounted = said->discounted;
    aff_status status = AFF_LIMIT;
    if (aff_line_money(said, aff_costs_find(&recounting->costs, said->product), &line->revenue,
                       &line->margin))
        status = aff_baskets_builder_add(recounting->builder, line);
    if (status == AFF_OK)
        return AFF_OK;
    return aff_error_set(reterr, status, "order key %" PRId64 ": %s", line->order_key,
                         aff_status_text(status));
}

static aff_status add_queued(struct recounting *recounting, struct aff_error *reterr)
{
    struct aff_changes changes = {0};
    aff_status status = aff_changes_read_before(recounting->connection, recounting->store,
                                                recounting->state->counted_from_us, &changes, reterr);

    for (uint32_t i = 0; i < changes.n && status == AFF_OK; i++) {
        const struct aff_change *change = &changes.changes[i];
        struct aff_line line = {.order_key = change->order_key,
                                .customer = change->before.customer,
                                .at_us = change->before.at_us};
        for (uint32_t j = 0; j < change->before.n && status == AFF_OK; j++)
            status = add(recounting, &line, &changes.lines[change->before.first + j], reterr);
    }
    aff_changes_done(&changes);
    return status;
}

static bool watched(const struct recounting *recounting)
{
    const struct aff_watch *watch = recounting->watch;

    return watch == NULL || watch->call == NULL ||
           watch->call(watch->context, recounting->read,
                       recounting->expected < recounting->read ? recounting->read : recounting->expected);
}

static aff_status add_stored(struct recounting *recounting, struct aff_error *reterr)
{
    struct aff_copy_reader reader;
    char statement[512];
    bool more;

    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT order_key, customer, ordered_at, product, quantity - returned, unit_price,"
                   " unit_cost, discounted FROM affinity.order_line WHERE store = %d AND quantity > returned"
                   " AND NOT EXISTS (SELECT FROM affinity.order_outbox q WHERE q.store = %d"
                   " AND q.order_key = order_line.order_key AND NOT q.folded)) TO STDOUT (FORMAT binary)",
                   recounting->store, recounting->store);
    aff_status status = aff_copy_read_begin(&reader, recounting->connection, statement, reterr);
    while (status == AFF_OK && (status = aff_copy_read(&reader, &more, reterr)) == AFF_OK && more) {
        struct aff_line line;
        struct aff_change_line said;
        line.order_key = aff_copy_get_int64(&reader, 0);
        line.customer = aff_copy_get_int64(&reader, AFF_NO_CUSTOMER);
        line.at_us = aff_copy_get_time(&reader, INT64_MIN);
        said.product = aff_copy_get_int32(&reader, -1);
        said.units = aff_copy_get_int32(&reader, 0);
        said.unit_price = aff_copy_get_int64(&reader, 0);
        said.unit_cost = aff_copy_get_int64(&reader, AFF_COST_UNKNOWN);
        said.discounted = aff_copy_get_bool(&reader);
        if (line.at_us >= recounting->state->counted_from_us)
            status = add(recounting, &line, &said, reterr);
        if (++recounting->read % WATCH_EVERY == 0 && status == AFF_OK && !watched(recounting))
            status = aff_error_set(reterr, AFF_CANCELLED, "%s", aff_status_text(AFF_CANCELLED));
    }
    aff_copy_read_close(&reader);
    return status;
}

static aff_status survey(struct recounting *recounting, struct aff_error *reterr)
{
    PGresult *result = NULL;
    aff_status status = aff_query_columns(recounting->connection,
                                          "SELECT count(*) FROM affinity.order_line WHERE store = $1"
                                          " AND quantity > returned",
                                          recounting->store, NULL, 0, &result, reterr);

    if (status == AFF_OK)
        recounting->expected = (uint64_t)aff_result_whole(result, 0, 0, 0);
    PQclear(result);
    return status;
}

aff_status aff_recount(struct aff_connection *connection, int store, const struct aff_count_state *state,
                       const struct aff_watch *watch, struct aff_baskets **ret_baskets,
                       struct aff_error *reterr)
{
    struct recounting recounting = {.connection = connection, .store = store, .state = state, .watch = watch};
    struct aff_baskets_frame frame = {state->landmark_us, state->counted_from_us};
    struct aff_baskets_settings settings = {
        .half_life_s = state->half_life_s, .cap = state->cap, .frame = &frame};
    aff_status status = aff_baskets_builder_new(&recounting.builder);

    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    status = survey(&recounting, reterr);
    if (status == AFF_OK)
        status = aff_costs_read_all(connection, store, &recounting.costs, reterr);
    if (status == AFF_OK)
        status = add_stored(&recounting, reterr);
    if (status == AFF_OK)
        status = add_queued(&recounting, reterr);
    if (status == AFF_OK) {
        status = aff_baskets_builder_finish(recounting.builder, &settings, ret_baskets);
        if (status != AFF_OK)
            (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
    aff_baskets_builder_free(recounting.builder);
    aff_costs_done(&recounting.costs);
    return status;
}
