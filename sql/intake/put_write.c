/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a batch of orders. */
#include "sql/intake/outbox.h"
#include "sql/intake/put.h"

#include <libpq-fe.h>
#include <stdlib.h>

static aff_status add_group(struct aff_put *put, int64_t customer, int32_t product, bool lost)
{
    if (put->n_groups == put->groups_capacity) {
        size_t capacity = put->groups_capacity == 0 ? 256 : put->groups_capacity * 2;
        struct aff_put_group *groups = realloc(put->groups, capacity * sizeof groups[0]);
        if (groups == NULL)
            return aff_put_no_memory(put);
        put->groups = groups;
        put->groups_capacity = capacity;
    }
    put->groups[put->n_groups++] = (struct aff_put_group){customer, product, lost};
    return AFF_OK;
}

static void list_keys(const struct aff_put *put, bool stored, struct aff_array *keys, size_t *ret_n)
{
    *ret_n = 0;
    for (size_t i = 0; i < put->n_runs; i++)
        if ((put->runs[i].change != AFF_PUT_CREATE) == stored) {
            aff_array_add_int64(keys, put->runs[i].order_key);
            ++*ret_n;
        }
}

/* Takes the lines out and notes whose they were. */
static aff_status drop_lines(struct aff_put *put, struct aff_array *keys)
{
    PGresult *result = NULL;
    aff_status status =
        aff_put_query(put,
                      "WITH gone AS (DELETE FROM affinity.order_line WHERE store = $1::integer"
                      " AND order_key = ANY ($2::bigint[]) RETURNING customer, product, quantity)"
                      " SELECT customer, product, bool_or(quantity < 0) FROM gone"
                      " WHERE customer IS NOT NULL GROUP BY customer, product",
                      keys, 1, &result);

    for (int row = 0; status == AFF_OK && row < PQntuples(result); row++)
        status = add_group(put, strtoll(PQgetvalue(result, row, 0), NULL, 10),
                           (int32_t)strtol(PQgetvalue(result, row, 1), NULL, 10),
                           PQgetvalue(result, row, 2)[0] == 't');
    PQclear(result);
    return status;
}

/* Locks the rows of stored orders, queues them as they are, and takes their lines out. */
static aff_status queue_stored(struct aff_put *put)
{
    struct aff_array keys = {0};
    size_t n = 0;
    aff_status status = AFF_OK;

    list_keys(put, true, &keys, &n);
    if (n > 0)
        status = aff_put_query(put,
                               "SELECT count(*) FROM (SELECT FROM affinity.orders WHERE store = $1::integer"
                               " AND order_key = ANY ($2::bigint[]) ORDER BY order_key FOR UPDATE) o",
                               &keys, 1, NULL);
    if (status == AFF_OK && n > 0)
        status = aff_put_query(
            put, AFF_OUTBOX_OLD("(SELECT unnest($2::bigint[]) AS order_key)", "$1::integer"), &keys, 1, NULL);
    if (status == AFF_OK && n > 0)
        status = drop_lines(put, &keys);
    aff_array_done(&keys);
    return status;
}

static aff_status delete_orders(struct aff_put *put)
{
    struct aff_array keys = {0};
    aff_status status = AFF_OK;

    for (size_t i = 0; i < put->n_runs; i++)
        if (put->runs[i].change == AFF_PUT_DELETE)
            aff_array_add_int64(&keys, put->runs[i].order_key);
    if (keys.used > 0)
        status = aff_put_query(put,
                               "DELETE FROM affinity.orders WHERE store = $1::integer"
                               " AND order_key = ANY ($2::bigint[])",
                               &keys, 1, NULL);
    aff_array_done(&keys);
    return status;
}

enum { ORDER_COLUMNS = 6 };

static void add_order(struct aff_array *arrays, const struct aff_put_run *run)
{
    aff_array_add_int64(&arrays[0], run->order_key);
    aff_array_add_text(&arrays[1], run->order->id);
    if (run->customer == AFF_PUT_GUEST)
        aff_array_add_null(&arrays[2]);
    else
        aff_array_add_int64(&arrays[2], run->customer);
    aff_array_add_int64(&arrays[3], run->ordered_at_us);
    aff_array_add_bool(&arrays[4], run->cancels);
    aff_array_add_int64(&arrays[5], run->digest);
}

#define ORDERS                                                                                               \
    "unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::boolean[], $7::bigint[])"              \
    " i (order_key, id, customer, at_us, cancels, digest)"
#define ORDERED_AT "timestamptz 'epoch' + i.at_us * interval '1 microsecond'"

/* New orders are queued without content. */
static const char insert_orders[] =
    "WITH new AS (INSERT INTO affinity.orders (store, order_key, id, customer, ordered_at, cancels, digest)"
    " SELECT $1::integer, order_key, id, customer, " ORDERED_AT ", cancels, digest FROM " ORDERS
    " RETURNING store, order_key)"
    " INSERT INTO affinity.order_outbox (store, order_key) SELECT store, order_key FROM new";

static const char update_orders[] =
    "UPDATE affinity.orders o SET customer = i.customer, ordered_at = " ORDERED_AT
    ", cancels = i.cancels, digest = i.digest FROM " ORDERS
    " WHERE o.store = $1::integer AND o.order_key = i.order_key";

static aff_status write_orders(struct aff_put *put, enum aff_put_change change, const char *statement)
{
    struct aff_array arrays[ORDER_COLUMNS] = {{0}};
    aff_status status = AFF_OK;

    for (size_t i = 0; i < put->n_runs; i++)
        if (put->runs[i].change == change)
            add_order(arrays, &put->runs[i]);
    if (arrays[0].used > 0)
        status = aff_put_query(put, statement, arrays, ORDER_COLUMNS, NULL);
    for (int i = 0; i < ORDER_COLUMNS; i++)
        aff_array_done(&arrays[i]);
    return status;
}

enum { LINE_COLUMNS = 9 };

static void add_line(const struct aff_put *put, struct aff_array *arrays, const struct aff_put_run *run,
                     size_t number)
{
    const struct aff_order_line *line = &run->order->lines[number];

    aff_array_add_int64(&arrays[0], run->order_key);
    aff_array_add_int64(&arrays[1], (int64_t)number + 1);
    aff_array_add_int64(&arrays[2], aff_put_product(put, line->product_id));
    if (run->customer == AFF_PUT_GUEST)
        aff_array_add_null(&arrays[3]);
    else
        aff_array_add_int64(&arrays[3], run->customer);
    aff_array_add_int64(&arrays[4], run->ordered_at_us);
    aff_array_add_int64(&arrays[5], line->quantity);
    aff_array_add_int64(&arrays[6], line->unit_price);
    if (line->unit_cost == AFF_COST_UNKNOWN)
        aff_array_add_null(&arrays[7]);
    else
        aff_array_add_int64(&arrays[7], line->unit_cost);
    aff_array_add_bool(&arrays[8], line->discounted);
}

static const char insert_lines[] =
    "INSERT INTO affinity.order_line (store, order_key, line, product, customer, ordered_at, quantity,"
    " unit_price, unit_cost, discounted)"
    " SELECT $1::integer, order_key, line, product, customer, " ORDERED_AT
    ", quantity, unit_price, unit_cost, discounted"
    " FROM unnest($2::bigint[], $3::integer[], $4::integer[], $5::bigint[], $6::bigint[], $7::integer[],"
    " $8::bigint[], $9::bigint[], $10::boolean[])"
    " i (order_key, line, product, customer, at_us, quantity, unit_price, unit_cost, discounted)";

static aff_status write_lines(struct aff_put *put)
{
    struct aff_array arrays[LINE_COLUMNS] = {{0}};
    aff_status status = AFF_OK;

    for (size_t i = 0; i < put->n_runs && status == AFF_OK; i++) {
        const struct aff_put_run *run = &put->runs[i];
        for (size_t l = 0; l < run->order->n_lines && status == AFF_OK; l++) {
            add_line(put, arrays, run, l);
            if (run->customer != AFF_PUT_GUEST)
                status = add_group(put, run->customer,
                                   (int32_t)aff_put_product(put, run->order->lines[l].product_id), false);
        }
    }
    if (status == AFF_OK && arrays[0].used > 0)
        status = aff_put_query(put, insert_lines, arrays, LINE_COLUMNS, NULL);
    for (int i = 0; i < LINE_COLUMNS; i++)
        aff_array_done(&arrays[i]);
    return status;
}

static void report(struct aff_put *put)
{
    for (size_t i = 0; i < put->n_runs; i++) {
        struct aff_put_run *run = &put->runs[i];
        bool created = run->change == AFF_PUT_CREATE, deleted = run->change == AFF_PUT_DELETE;
        put->report.created += created;
        put->report.deleted += deleted;
        put->report.changed += !created && !deleted;
        run->order->outcome = created ? AFF_ORDER_CREATED : deleted ? AFF_ORDER_DELETED : AFF_ORDER_CHANGED;
    }
}

aff_status aff_put_write(struct aff_put *put)
{
    aff_status status = queue_stored(put);

    if (status == AFF_OK)
        status = delete_orders(put);
    if (status == AFF_OK)
        status = write_orders(put, AFF_PUT_REPLACE, update_orders);
    if (status == AFF_OK)
        status = write_orders(put, AFF_PUT_CREATE, insert_orders);
    if (status == AFF_OK)
        status = write_lines(put);
    if (status == AFF_OK)
        report(put);
    return status;
}
