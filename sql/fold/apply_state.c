/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/apply.h"

#include <libpq-fe.h>

/* Numbers as in affinity.touched.what. */
enum { TOUCHED_TOGETHER = 1, TOUCHED_NEXT = 2, TOUCHED_STAT = 4 };

static aff_status read_time(struct aff_connection *connection, int store, const char *statement,
                            int64_t *ret_us, struct aff_error *reterr)
{
    PGresult *result = NULL;
    aff_status status = aff_query_columns(connection, statement, store, NULL, 0, &result, reterr);

    if (status == AFF_OK)
        *ret_us = aff_result_time(result, 0, 0, INT64_MIN);
    PQclear(result);
    return status;
}

/* Oldest and newest order counted. Only if the one at an end was taken back does it have to be looked for. */
static aff_status find_window(struct aff_connection *connection, int store,
                              const struct aff_count_state *state, const struct aff_delta *delta,
                              const struct aff_changed_span *span, int64_t *ret_from_us, int64_t *ret_to_us,
                              struct aff_error *reterr)
{
    bool is_empty = state->orders + delta->orders <= 0;
    bool to_gone = span->to_before_us == state->to_us && span->to_after_us < state->to_us;
    bool from_gone = span->from_before_us == state->from_us &&
                     (span->from_after_us == INT64_MIN || span->from_after_us > state->from_us);
    aff_status status = AFF_OK;

    *ret_from_us = *ret_to_us = INT64_MIN;
    if (is_empty)
        return AFF_OK;
    *ret_to_us = state->to_us > span->to_after_us ? state->to_us : span->to_after_us;
    *ret_from_us = state->from_us;
    if (span->from_after_us != INT64_MIN &&
        (state->from_us == INT64_MIN || span->from_after_us < state->from_us))
        *ret_from_us = span->from_after_us;
    if (to_gone)
        status =
            read_time(connection, store, "SELECT max(last_at) FROM affinity.product_stat WHERE store = $1",
                      ret_to_us, reterr);
    if (status == AFF_OK && from_gone)
        status =
            read_time(connection, store,
                      "SELECT min(ordered_at) FROM affinity.order_line WHERE store = $1"
                      " AND quantity > 0 AND quantity > returned AND ordered_at >="
                      " (SELECT coalesce(counted_from, '-infinity') FROM affinity.state WHERE store = $1)",
                      ret_from_us, reterr);
    return status;
}

static void add_time(struct aff_column *column, int64_t at_us)
{
    if (at_us == INT64_MIN)
        aff_column_add_null(column);
    else
        aff_column_add(column, at_us);
}

aff_status aff_apply_totals(struct aff_connection *connection, int store, const struct aff_count_state *state,
                            const struct aff_delta *delta, const struct aff_changed_span *span,
                            int64_t *ret_version, struct aff_error *reterr)
{
    struct aff_column columns[2] = {{.type = AFF_COLUMN_INT64}, {.type = AFF_COLUMN_TIME}};
    PGresult *result = NULL;
    int64_t from_us, to_us;
    aff_status status = find_window(connection, store, state, delta, span, &from_us, &to_us, reterr);

    if (status != AFF_OK)
        return status;
    aff_column_add(&columns[0], delta->orders);
    aff_column_add(&columns[0], delta->lines);
    aff_column_add(&columns[0], delta->weight);
    aff_column_add(&columns[0], delta->next_orders);
    aff_column_add(&columns[0], delta->truncated_orders);
    aff_column_add(&columns[0], delta->truncated_lines);
    add_time(&columns[1], from_us);
    add_time(&columns[1], to_us);
    status = aff_query_columns(
        connection,
        "UPDATE affinity.state SET version = version + 1, orders = orders + ($2::bigint[])[1],"
        " lines = lines + ($2::bigint[])[2], weight = weight + ($2::bigint[])[3],"
        " next_orders = next_orders + ($2::bigint[])[4], truncated_orders = truncated_orders + "
        "($2::bigint[])[5],"
        " truncated_lines = truncated_lines + ($2::bigint[])[6], window_from = ($3::timestamptz[])[1],"
        " window_to = ($3::timestamptz[])[2], folded_at = clock_timestamp() WHERE store = $1 RETURNING "
        "version",
        store, columns, 2, &result, reterr);
    if (status == AFF_OK)
        *ret_version = aff_result_whole(result, 0, 0, 0);
    PQclear(result);
    aff_columns_done(columns, 2);
    return status;
}

/* ---- touched ---- */

static void touch(struct aff_column columns[2], int what, int64_t key)
{
    aff_column_add(&columns[0], what);
    aff_column_add(&columns[1], key);
}

aff_status aff_apply_touched(struct aff_connection *connection, int store, const struct aff_delta *delta,
                             struct aff_column *customers, struct aff_error *reterr)
{
    struct aff_column columns[2] = {{.type = AFF_COLUMN_INT16}, {.type = AFF_COLUMN_INT64}};

    for (size_t i = 0; i < delta->n_products; i++) {
        touch(columns, TOUCHED_STAT, delta->products[i].product);
        touch(columns, TOUCHED_TOGETHER, delta->products[i].product);
    }
    for (size_t i = 0; i < delta->n_pairs; i++) {
        if (i == 0 || delta->pairs[i].a != delta->pairs[i - 1].a)
            touch(columns, TOUCHED_TOGETHER, delta->pairs[i].a);
        touch(columns, TOUCHED_TOGETHER, delta->pairs[i].b);
    }
    for (size_t i = 0; i < delta->n_months; i++)
        if (delta->months[i].product != AFF_EVERY_PRODUCT)
            touch(columns, TOUCHED_TOGETHER, delta->months[i].product);
    for (size_t i = 0; i < delta->n_next; i++)
        if (i == 0 || delta->next[i].a != delta->next[i - 1].a)
            touch(columns, TOUCHED_NEXT, delta->next[i].a);
    for (size_t i = 0; i < delta->n_next_stats; i++)
        if (delta->next_stats[i].firsts != 0 || delta->next_stats[i].firsts_weight != 0)
            touch(columns, TOUCHED_NEXT, delta->next_stats[i].product);
    aff_status status = aff_query_columns(
        connection,
        "INSERT INTO affinity.touched AS t (store, what, key, version)"
        " SELECT DISTINCT $1::integer, d.what, d.key, (SELECT version FROM affinity.state WHERE store = $1)"
        " FROM unnest($2::smallint[], $3::bigint[]) AS d(what, key)"
        " ON CONFLICT (store, what, key) DO UPDATE SET version = excluded.version",
        store, columns, 2, NULL, reterr);
    aff_columns_done(columns, 2);
    if (status == AFF_OK && customers->n > 0)
        status = aff_query_columns(
            connection,
            "INSERT INTO affinity.touched AS t (store, what, key, version)"
            " SELECT $1::integer, 3, d.key, (SELECT version FROM affinity.state WHERE store = $1)"
            " FROM unnest($2::bigint[]) AS d(key)"
            " ON CONFLICT (store, what, key) DO UPDATE SET version = excluded.version",
            store, customers, 1, NULL, reterr);
    return status;
}
