/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/apply.h"

#include "core/intake/line.h"
#include "sql/fold/apply_next.h"

#include <inttypes.h>
#include <libpq-fe.h>

/* Rows of one statement: enough that its round trip costs nothing, few enough that its memory does not
 * either. */
enum { CHUNK = 20000 };

aff_status aff_apply_negative(const char *table, const PGresult *result, struct aff_error *reterr)
{
    for (int row = 0; row < PQntuples(result); row++)
        if (aff_result_whole(result, row, 0, -1) < 0)
            return aff_error_set(reterr, AFF_DATA,
                                 "affinity.%s: a row would count %" PRId64 " orders, so it did not count all"
                                 " that is taken back; run 'affinityctl rebuild'",
                                 table, aff_result_whole(result, row, 0, -1));
    return AFF_OK;
}

/* Removes the rows named by the columns that count nothing; `statement` returns what they count. */
static aff_status sweep_out(struct aff_connection *connection, int store, const char *table,
                            const char *statement, struct aff_column *columns, size_t n_columns,
                            struct aff_error *reterr)
{
    PGresult *result = NULL;

    if (columns[0].n == 0 && !columns[0].failed)
        return AFF_OK;
    aff_status status = aff_query_columns(connection, statement, store, columns, n_columns, &result, reterr);
    if (status == AFF_OK)
        status = aff_apply_negative(table, result, reterr);
    PQclear(result);
    return status;
}

/* ---- product_stat ---- */

/* The newest order that holds a product and did not lose it to the basket cap (core/learn/baskets.h). */
static const char find_newest[] =
    "UPDATE affinity.product_stat t SET last_at = n.at FROM (SELECT w.product, (SELECT l.ordered_at"
    " FROM affinity.order_line l WHERE l.store = $1 AND l.product = w.product AND l.quantity > 0"
    " AND l.quantity > l.returned AND (SELECT count(*) FROM (SELECT x.product,"
    " sum((x.quantity - x.returned) * x.unit_price) AS revenue FROM affinity.order_line x WHERE x.store = $1"
    " AND x.order_key = l.order_key AND x.quantity > x.returned GROUP BY x.product) x, (SELECT"
    " sum((y.quantity - y.returned) * y.unit_price) AS revenue FROM affinity.order_line y WHERE y.store = $1"
    " AND y.order_key = l.order_key AND y.product = l.product AND y.quantity > y.returned) y"
    " WHERE x.revenue > y.revenue OR (x.revenue = y.revenue AND x.product < l.product))"
    " < (SELECT (settings->>'basket_cap')::bigint FROM affinity.state WHERE store = $1)"
    " ORDER BY l.ordered_at DESC LIMIT 1) FROM unnest($2::integer[]) AS w(product)) n(product, at)"
    " WHERE t.store = $1 AND t.product = n.product AND n.at IS NOT NULL";

static const char add_stats[] =
    "INSERT INTO affinity.product_stat AS t (store, product, orders, discounted, weight, revenue, margin,"
    " last_at, unit_cost) SELECT $1::integer, d.* FROM unnest($2::integer[], $3::integer[], $4::integer[],"
    " $5::bigint[], $6::bigint[], $7::bigint[], $8::timestamptz[], $9::bigint[]) AS d"
    " ON CONFLICT (store, product) DO UPDATE SET orders = t.orders + excluded.orders,"
    " discounted = t.discounted + excluded.discounted, weight = t.weight + excluded.weight,"
    " revenue = t.revenue + excluded.revenue, margin = t.margin + excluded.margin,"
    " last_at = greatest(t.last_at, excluded.last_at)";

static void put_stat(struct aff_column columns[8], const struct aff_delta_product *change,
                     const struct aff_cost *cost)
{
    aff_column_add(&columns[0], change->product);
    aff_column_add(&columns[1], change->orders);
    aff_column_add(&columns[2], change->discounted);
    aff_column_add(&columns[3], change->weight);
    aff_column_add(&columns[4], change->revenue);
    aff_column_add(&columns[5], change->margin);
    /* A time that was counted before moves nothing. */
    aff_column_add(&columns[6],
                   change->newest_after_us == INT64_MIN ? change->newest_before_us : change->newest_after_us);
    if (cost == NULL || cost->unit_cost == AFF_COST_UNKNOWN)
        aff_column_add_null(&columns[7]);
    else
        aff_column_add(&columns[7], cost->unit_cost);
}

static aff_status apply_stats(struct aff_connection *connection, int store, const struct aff_delta *delta,
                              const struct aff_costs *costs, struct aff_error *reterr)
{
    struct aff_column columns[8] = {{.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT32},
                                    {.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT64},
                                    {.type = AFF_COLUMN_INT64}, {.type = AFF_COLUMN_INT64},
                                    {.type = AFF_COLUMN_TIME},  {.type = AFF_COLUMN_INT64}};
    struct aff_column fewer = {.type = AFF_COLUMN_INT32}, older = {.type = AFF_COLUMN_INT32};
    aff_status status = AFF_OK;

    for (size_t i = 0; i < delta->n_products; i++) {
        const struct aff_delta_product *change = &delta->products[i];
        const struct aff_cost *cost = aff_costs_find(costs, change->product);
        put_stat(columns, change, cost);
        if (change->orders < 0)
            aff_column_add(&fewer, change->product);
        if (cost != NULL && cost->counted && change->newest_before_us == cost->last_at_us &&
            change->newest_after_us < cost->last_at_us)
            aff_column_add(&older, change->product);
    }
    if (delta->n_products > 0)
        status = aff_query_columns(connection, add_stats, store, columns, 8, NULL, reterr);
    if (status == AFF_OK)
        status =
            sweep_out(connection, store, "product_stat",
                      "DELETE FROM affinity.product_stat WHERE store = $1 AND product = ANY($2::integer[])"
                      " AND orders <= 0 RETURNING orders",
                      &fewer, 1, reterr);
    if (status == AFF_OK && older.n > 0)
        status = aff_query_columns(connection, find_newest, store, &older, 1, NULL, reterr);
    aff_columns_done(columns, 8);
    aff_columns_done(&fewer, 1);
    aff_columns_done(&older, 1);
    return status;
}

/* ---- pair_together ---- */

static const char add_pairs[] =
    "INSERT INTO affinity.pair_together AS t (store, a, b, orders, discounted, weight, revenue_a, revenue_b,"
    " margin_a, margin_b) SELECT $1::integer, d.* FROM unnest($2::integer[], $3::integer[], $4::integer[],"
    " $5::integer[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[]) AS d"
    " ON CONFLICT (store, a, b) DO UPDATE SET orders = t.orders + excluded.orders,"
    " discounted = t.discounted + excluded.discounted, weight = t.weight + excluded.weight,"
    " revenue_a = t.revenue_a + excluded.revenue_a, revenue_b = t.revenue_b + excluded.revenue_b,"
    " margin_a = t.margin_a + excluded.margin_a, margin_b = t.margin_b + excluded.margin_b";

static void put_pair(struct aff_column columns[9], struct aff_column fewer[2],
                     const struct aff_delta_pair *change)
{
    aff_column_add(&columns[0], change->a);
    aff_column_add(&columns[1], change->b);
    aff_column_add(&columns[2], change->orders);
    aff_column_add(&columns[3], change->discounted);
    aff_column_add(&columns[4], change->weight);
    aff_column_add(&columns[5], change->revenue_a);
    aff_column_add(&columns[6], change->revenue_b);
    aff_column_add(&columns[7], change->margin_a);
    aff_column_add(&columns[8], change->margin_b);
    if (change->orders < 0) {
        aff_column_add(&fewer[0], change->a);
        aff_column_add(&fewer[1], change->b);
    }
}

static aff_status apply_pairs(struct aff_connection *connection, int store, const struct aff_delta *delta,
                              struct aff_error *reterr)
{
    struct aff_column columns[9] = {
        {.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT32},
        {.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT64}, {.type = AFF_COLUMN_INT64},
        {.type = AFF_COLUMN_INT64}, {.type = AFF_COLUMN_INT64}, {.type = AFF_COLUMN_INT64}};
    struct aff_column fewer[2] = {{.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT32}};
    aff_status status = AFF_OK;

    for (size_t i = 0; i < delta->n_pairs && status == AFF_OK;) {
        aff_columns_clear(columns, 9);
        aff_columns_clear(fewer, 2);
        for (size_t end = i + CHUNK; i < end && i < delta->n_pairs; i++)
            put_pair(columns, fewer, &delta->pairs[i]);
        status = aff_query_columns(connection, add_pairs, store, columns, 9, NULL, reterr);
        if (status == AFF_OK)
            status = sweep_out(
                connection, store, "pair_together",
                "DELETE FROM affinity.pair_together WHERE store = $1 AND ctid = ANY(ARRAY(SELECT t.ctid"
                " FROM unnest($2::integer[], $3::integer[]) AS d(a, b) CROSS JOIN LATERAL (SELECT ctid, "
                "orders"
                " FROM affinity.pair_together WHERE store = $1 AND a = d.a AND b = d.b OFFSET 0) t"
                " WHERE t.orders <= 0)) RETURNING orders",
                fewer, 2, reterr);
    }
    aff_columns_done(columns, 9);
    aff_columns_done(fewer, 2);
    return status;
}

/* ---- next_stat ---- */

static aff_status apply_next_stats(struct aff_connection *connection, int store,
                                   const struct aff_delta *delta, struct aff_error *reterr)
{
    struct aff_column columns[4] = {{.type = AFF_COLUMN_INT32},
                                    {.type = AFF_COLUMN_INT32},
                                    {.type = AFF_COLUMN_INT32},
                                    {.type = AFF_COLUMN_INT64}};
    struct aff_column fewer = {.type = AFF_COLUMN_INT32};
    aff_status status = AFF_OK;

    for (size_t i = 0; i < delta->n_next_stats; i++) {
        const struct aff_delta_next_stat *change = &delta->next_stats[i];
        aff_column_add(&columns[0], change->product);
        aff_column_add(&columns[1], change->firsts);
        aff_column_add(&columns[2], change->seconds);
        aff_column_add(&columns[3], change->firsts_weight);
        if (change->firsts < 0 || change->seconds < 0)
            aff_column_add(&fewer, change->product);
    }
    if (delta->n_next_stats > 0)
        status = aff_query_columns(
            connection,
            "INSERT INTO affinity.next_stat AS t (store, product, firsts, seconds, firsts_weight)"
            " SELECT $1::integer, d.* FROM unnest($2::integer[], $3::integer[], $4::integer[], $5::bigint[]) "
            "AS d"
            " ON CONFLICT (store, product) DO UPDATE SET firsts = t.firsts + excluded.firsts,"
            " seconds = t.seconds + excluded.seconds, firsts_weight = t.firsts_weight + "
            "excluded.firsts_weight",
            store, columns, 4, NULL, reterr);
    if (status == AFF_OK)
        status = sweep_out(connection, store, "next_stat",
                           "DELETE FROM affinity.next_stat WHERE store = $1 AND product = ANY($2::integer[])"
                           " AND ((firsts = 0 AND seconds = 0) OR least(firsts, seconds) < 0)"
                           " RETURNING least(firsts, seconds)",
                           &fewer, 1, reterr);
    aff_columns_done(columns, 4);
    aff_columns_done(&fewer, 1);
    return status;
}

/* ---- product_month ---- */

/* Nearly always a product changes in one month that it has already, where only that place of the list is
 * another one, or in months after all that it has. Both are three times as fast as the general way, where the
 * lists of both sides are put together by month and what comes to 0 is left out. */
#define IS_KNOWN                                                                                             \
    "cardinality(excluded.months) = 1"                                                                       \
    " AND t.orders[array_position(t.months, excluded.months[1])] + excluded.orders[1] > 0"
#define IS_LATER "t.months[cardinality(t.months)] < excluded.months[1] AND 0 < ALL (excluded.orders)"
#define MERGED                                                                                               \
    " FROM (SELECT u.month, sum(u.orders)::integer FROM (SELECT * FROM unnest(t.months, t.orders)"           \
    " UNION ALL SELECT * FROM unnest(excluded.months, excluded.orders)) u(month, orders)"                    \
    " GROUP BY u.month HAVING sum(u.orders) <> 0) m(month, orders))"

static const char add_months[] =
    "INSERT INTO affinity.product_month AS t (store, product, months, orders)"
    " SELECT $1::integer, d.product, array_agg(d.month ORDER BY d.month), array_agg(d.orders ORDER BY "
    "d.month)"
    " FROM unnest($2::integer[], $3::integer[], $4::integer[]) AS d(product, month, orders)"
    " GROUP BY d.product ON CONFLICT (store, product) DO UPDATE SET months = CASE WHEN " IS_KNOWN
    " THEN t.months WHEN " IS_LATER " THEN t.months || excluded.months"
    " ELSE (SELECT coalesce(array_agg(m.month ORDER BY m.month), '{}')" MERGED " END, orders = CASE"
    " WHEN " IS_KNOWN " THEN t.orders[:array_position(t.months, excluded.months[1]) - 1]"
    " || (t.orders[array_position(t.months, excluded.months[1])] + excluded.orders[1])"
    " || t.orders[array_position(t.months, excluded.months[1]) + 1:]"
    " WHEN " IS_LATER " THEN t.orders || excluded.orders"
    " ELSE (SELECT coalesce(array_agg(m.orders ORDER BY m.month), '{}')" MERGED " END";

static aff_status apply_months(struct aff_connection *connection, int store, const struct aff_delta *delta,
                               struct aff_error *reterr)
{
    struct aff_column columns[3] = {
        {.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT32}, {.type = AFF_COLUMN_INT32}};
    struct aff_column fewer = {.type = AFF_COLUMN_INT32};
    aff_status status = AFF_OK;

    for (size_t i = 0; i < delta->n_months; i++) {
        const struct aff_delta_month *change = &delta->months[i];
        aff_column_add(&columns[0], change->product);
        aff_column_add(&columns[1], change->month);
        aff_column_add(&columns[2], change->orders);
        if (change->orders < 0)
            aff_column_add(&fewer, change->product);
    }
    if (delta->n_months > 0)
        status = aff_query_columns(connection, add_months, store, columns, 3, NULL, reterr);
    if (status == AFF_OK)
        status =
            sweep_out(connection, store, "product_month",
                      "DELETE FROM affinity.product_month WHERE store = $1 AND product = ANY($2::integer[])"
                      " AND (months = '{}' OR 0 > ANY(orders))"
                      " RETURNING coalesce((SELECT min(o) FROM unnest(orders) o), 0)",
                      &fewer, 1, reterr);
    aff_columns_done(columns, 3);
    aff_columns_done(&fewer, 1);
    return status;
}

aff_status aff_apply_delta(struct aff_connection *connection, int store, const struct aff_delta *delta,
                           const struct aff_costs *costs, struct aff_error *reterr)
{
    aff_status status = apply_stats(connection, store, delta, costs, reterr);

    if (status == AFF_OK)
        status = apply_pairs(connection, store, delta, reterr);
    if (status == AFF_OK)
        status = apply_next_stats(connection, store, delta, reterr);
    if (status == AFF_OK)
        status = apply_months(connection, store, delta, reterr);
    if (status == AFF_OK)
        status = aff_apply_next(connection, store, delta, reterr);
    return status;
}
