/* SPDX-License-Identifier: Apache-2.0 */
/* The returns of the customers and products that a batch has changed. Whoever is here holds the rows of these
 * customers, so nobody else changes their orders. */
#include "sql/intake/matching.h"
#include "sql/intake/outbox.h"
#include "sql/intake/put.h"

#include <libpq-fe.h>
#include <stdlib.h>

/* The groups that have return lines, or have lost some. Most batches have none. */
static aff_status find_groups(struct aff_put *put, struct aff_array found[2])
{
    struct aff_array arrays[3] = {{0}};
    PGresult *result = NULL;

    for (size_t i = 0; i < put->n_groups; i++) {
        aff_array_add_int64(&arrays[0], put->groups[i].customer);
        aff_array_add_int64(&arrays[1], put->groups[i].product);
        aff_array_add_bool(&arrays[2], put->groups[i].lost);
    }
    aff_status status =
        aff_put_query(put,
                      "SELECT g.customer, g.product FROM (SELECT customer, product, bool_or(lost) AS lost"
                      "  FROM unnest($2::bigint[], $3::integer[], $4::boolean[]) g (customer, product, lost) "
                      "GROUP BY 1, 2) g"
                      " WHERE g.lost OR EXISTS (SELECT FROM affinity.order_line l WHERE l.store = $1::integer"
                      "  AND l.customer = g.customer AND l.product = g.product AND l.quantity < 0)",
                      arrays, 3, &result);
    for (int row = 0; status == AFF_OK && row < PQntuples(result); row++) {
        aff_array_add_int64(&found[0], strtoll(PQgetvalue(result, row, 0), NULL, 10));
        aff_array_add_int64(&found[1], strtoll(PQgetvalue(result, row, 1), NULL, 10));
    }
    PQclear(result);
    for (int i = 0; i < 3; i++)
        aff_array_done(&arrays[i]);
    return status;
}

static int64_t number(const PGresult *result, int row, int column, int64_t if_null)
{
    return PQgetisnull(result, row, column) ? if_null : strtoll(PQgetvalue(result, row, column), NULL, 10);
}

static aff_status match(struct aff_put *put, struct aff_array found[2], struct aff_matching *matching)
{
    PGresult *result = NULL;
    aff_status status =
        aff_put_query(put,
                      "SELECT l.customer, l.product, (extract(epoch FROM l.ordered_at) * 1000000)::bigint, "
                      "l.order_key, l.line,"
                      " l.quantity, l.returned, l.unit_price, l.unit_cost, l.discounted"
                      " FROM unnest($2::bigint[], $3::integer[]) g (customer, product)"
                      " JOIN affinity.orders o ON o.store = $1::integer AND o.customer = g.customer"
                      " JOIN affinity.order_line l ON l.store = $1::integer AND l.order_key = o.order_key"
                      "  AND l.product = g.product ORDER BY l.customer, l.product",
                      found, 2, &result);

    for (int row = 0; status == AFF_OK && row < PQntuples(result); row++) {
        struct aff_return_line line = {.ordered_at_us = number(result, row, 2, 0),
                                       .order_key = number(result, row, 3, 0),
                                       .line = (int32_t)number(result, row, 4, 0),
                                       .quantity = (int32_t)number(result, row, 5, 0),
                                       .stored = (int32_t)number(result, row, 6, 0),
                                       .content =
                                           aff_matching_content(number(result, row, 7, 0),
                                                                number(result, row, 8, AFF_COST_UNKNOWN),
                                                                PQgetvalue(result, row, 9)[0] == 't')};
        if (aff_matching_add(matching, number(result, row, 0, 0), (int32_t)number(result, row, 1, 0),
                             &line) != AFF_OK)
            status = aff_put_no_memory(put);
    }
    if (status == AFF_OK && aff_matching_end(matching) != AFF_OK)
        status = aff_put_no_memory(put);
    PQclear(result);
    return status;
}

static int compare_run_key(const void *key, const void *run)
{
    int64_t a = *(const int64_t *)key, b = ((const struct aff_put_run *)run)->order_key;
    return (a > b) - (a < b);
}

/* Queues the orders that change only because of another one's return; those of the batch are queued already.
 */
static aff_status queue_others(struct aff_put *put, const struct aff_matching *matching)
{
    struct aff_array keys = {0};
    PGresult *result = NULL;
    aff_status status = AFF_OK;

    for (size_t i = 0; i < matching->n_changes; i++)
        if (bsearch(&matching->changes[i].order_key, put->runs, put->n_runs, sizeof put->runs[0],
                    compare_run_key) == NULL)
            aff_array_add_int64(&keys, matching->changes[i].order_key);
    if (keys.used > 0)
        status = aff_put_query(put,
                               "SELECT count(*) FROM (SELECT FROM affinity.orders WHERE store = $1::integer"
                               " AND order_key = ANY ($2::bigint[]) ORDER BY order_key FOR UPDATE) o",
                               &keys, 1, NULL);
    if (status == AFF_OK && keys.used > 0)
        status = aff_put_query(
            put, AFF_OUTBOX_OLD("(SELECT DISTINCT unnest($2::bigint[]) AS order_key)", "$1::integer"), &keys,
            1, &result);
    if (result != NULL)
        put->report.returned = (uint32_t)strtoul(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    aff_array_done(&keys);
    return status;
}

static aff_status write_returned(struct aff_put *put, const struct aff_matching *matching)
{
    struct aff_array arrays[3] = {{0}};

    for (size_t i = 0; i < matching->n_changes; i++) {
        aff_array_add_int64(&arrays[0], matching->changes[i].order_key);
        aff_array_add_int64(&arrays[1], matching->changes[i].line);
        aff_array_add_int64(&arrays[2], matching->changes[i].returned);
    }
    aff_status status =
        aff_put_query(put,
                      "UPDATE affinity.order_line l SET returned = r.returned"
                      " FROM unnest($2::bigint[], $3::integer[], $4::integer[]) r (order_key, line, returned)"
                      " WHERE l.store = $1::integer AND l.order_key = r.order_key AND l.line = r.line",
                      arrays, 3, NULL);
    for (int i = 0; i < 3; i++)
        aff_array_done(&arrays[i]);
    return status;
}

aff_status aff_put_returns(struct aff_put *put)
{
    struct aff_array found[2] = {{0}};
    struct aff_matching matching = {0};
    aff_status status = find_groups(put, found);

    if (status == AFF_OK && found[0].used > 0)
        status = match(put, found, &matching);
    if (status == AFF_OK && matching.n_changes > 0)
        status = queue_others(put, &matching);
    if (status == AFF_OK && matching.n_changes > 0)
        status = write_returned(put, &matching);
    aff_matching_done(&matching);
    aff_array_done(&found[0]);
    aff_array_done(&found[1]);
    return status;
}
