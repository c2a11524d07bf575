/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/intake/put_orders.h"

#include "sql/intake/lock.h"
#include "sql/intake/put.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PARAMETERS = 10 };

aff_status aff_put_no_memory(const struct aff_put *put)
{
    return aff_error_set(put->reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

aff_status aff_put_query(struct aff_put *put, const char *statement, struct aff_array arrays[], int n_arrays,
                         PGresult **ret_result)
{
    const char *parameters[MAX_PARAMETERS] = {put->store};

    assert(n_arrays < MAX_PARAMETERS);
    for (int i = 0; i < n_arrays; i++) {
        parameters[i + 1] = aff_array_text(&arrays[i]);
        if (parameters[i + 1] == NULL)
            return aff_put_no_memory(put);
    }
    return aff_query(put->connection, statement, n_arrays + 1, parameters, ret_result, put->reterr);
}

/* ---- the batch ---- */

/* Whether `a` decides the order's customer before `b`: the earlier line, then the lower id. */
static bool decides(const struct aff_order_line *a, const struct aff_order_line *b)
{
    size_t size = a->customer_id.size < b->customer_id.size ? a->customer_id.size : b->customer_id.size;

    if (a->ordered_at_us != b->ordered_at_us)
        return a->ordered_at_us < b->ordered_at_us;
    int order = memcmp(a->customer_id.at, b->customer_id.at, size);
    return order < 0 || (order == 0 && a->customer_id.size < b->customer_id.size);
}

static struct aff_put_run run_of(struct aff_put_order *order)
{
    struct aff_put_run run = {.order = order,
                              .order_key = (int64_t)aff_text_hash(order->id),
                              .customer = AFF_PUT_GUEST,
                              .old_customer = AFF_PUT_GUEST};
    const struct aff_order_line *decisive = NULL;
    uint64_t digest = 0;

    order->outcome = AFF_ORDER_UNCHANGED;
    for (size_t i = 0; i < order->n_lines; i++) {
        const struct aff_order_line *line = &order->lines[i];
        if (i == 0 || line->ordered_at_us < run.ordered_at_us)
            run.ordered_at_us = line->ordered_at_us;
        if (line->customer_id.size > 0 && (decisive == NULL || decides(line, decisive)))
            decisive = line;
        digest += aff_order_line_hash(line);
        run.cancels = run.cancels || line->cancels;
    }
    if (decisive != NULL)
        run.customer_id = decisive->customer_id;
    run.digest = (int64_t)digest;
    return run;
}

/* By key, then in the sequence of the batch. */
static int compare_runs(const void *left, const void *right)
{
    const struct aff_put_run *a = left, *b = right;

    if (a->order_key != b->order_key)
        return a->order_key < b->order_key ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

/* Makes the runs, without orders that a later entry repeats and without a second id of one key. */
static aff_status make_runs(struct aff_put *put, struct aff_put_order *orders, size_t n_orders)
{
    size_t kept = 0;

    put->runs = malloc((n_orders + 1) * sizeof put->runs[0]);
    if (put->runs == NULL)
        return aff_put_no_memory(put);
    for (size_t i = 0; i < n_orders; i++)
        put->runs[i] = run_of(&orders[i]);
    qsort(put->runs, n_orders, sizeof put->runs[0], compare_runs);
    for (size_t i = 0; i < n_orders; i++) {
        struct aff_put_run *before = kept == 0 ? NULL : &put->runs[kept - 1];
        if (before == NULL || before->order_key != put->runs[i].order_key) {
            put->runs[kept++] = put->runs[i];
        } else if (aff_text_equal(before->order->id, put->runs[i].order->id)) {
            before->order->outcome = AFF_ORDER_REPEATED;
            put->report.repeated++;
            *before = put->runs[i];
        } else {
            put->runs[i].order->outcome = AFF_ORDER_COLLIDING;
            put->report.colliding++;
        }
    }
    put->n_runs = kept;
    return AFF_OK;
}

static aff_status check_limits(const struct aff_put_order *orders, size_t n_orders, struct aff_error *reterr)
{
    size_t n_lines = 0;

    for (size_t i = 0; i < n_orders && n_lines <= AFF_PUT_LINES_MAX; i++)
        n_lines += orders[i].n_lines;
    if (n_orders <= AFF_PUT_ORDERS_MAX && n_lines <= AFF_PUT_LINES_MAX)
        return AFF_OK;
    return aff_error_set(reterr, AFF_LIMIT, "a batch has at most %d orders with %d lines together",
                         AFF_PUT_ORDERS_MAX, AFF_PUT_LINES_MAX);
}

/* ---- what is stored ---- */

static void settle(struct aff_put_run *run, enum aff_put_order_outcome outcome, uint32_t *count)
{
    run->order->outcome = outcome;
    run->change = AFF_PUT_KEEP;
    ++*count;
}

/* Decides what becomes of a run, from the row that the tables have (row >= 0) or do not have. */
static void decide(struct aff_put *put, struct aff_put_run *run, const PGresult *result, int row)
{
    bool deletes = run->order->n_lines == 0;

    run->known = row >= 0;
    run->old_customer = AFF_PUT_GUEST;
    if (row < 0) {
        run->change = deletes ? AFF_PUT_KEEP : AFF_PUT_CREATE;
        return;
    }
    struct aff_text id = {PQgetvalue(result, row, 1), (size_t)PQgetlength(result, row, 1)};
    if (!PQgetisnull(result, row, 2))
        run->old_customer = strtoll(PQgetvalue(result, row, 2), NULL, 10);
    if (!aff_text_equal(id, run->order->id))
        settle(run, AFF_ORDER_COLLIDING, &put->report.colliding);
    else if (deletes)
        run->change = AFF_PUT_DELETE;
    else if (strtoll(PQgetvalue(result, row, 3), NULL, 10) == run->digest)
        run->change = AFF_PUT_KEEP;
    else
        run->change = AFF_PUT_REPLACE;
}

/* Compares the runs with the tables. Both are sorted by key. */
static aff_status compare_orders(struct aff_put *put, const char *statement)
{
    struct aff_array keys = {0};
    PGresult *result = NULL;
    int row = 0;

    for (size_t i = 0; i < put->n_runs; i++)
        aff_array_add_int64(&keys, put->runs[i].order_key);
    aff_status status = aff_put_query(put, statement, &keys, 1, &result);
    for (size_t i = 0; status == AFF_OK && i < put->n_runs; i++) {
        bool found = row < PQntuples(result) &&
                     strtoll(PQgetvalue(result, row, 0), NULL, 10) == put->runs[i].order_key;
        decide(put, &put->runs[i], result, found ? row++ : -1);
    }
    PQclear(result);
    aff_array_done(&keys);
    return status;
}

/* One look into the index a key, whatever the planner believes of the table. */
#define STORED                                                                                               \
    "SELECT o.order_key, o.id, o.customer, o.digest FROM unnest($2::bigint[]) k (order_key) CROSS JOIN "     \
    "LATERAL"                                                                                                \
    " (SELECT * FROM affinity.orders WHERE store = $1::integer AND order_key = k.order_key LIMIT 1) o"       \
    " ORDER BY o.order_key"

/* Takes out what is settled. */
static void drop_settled(struct aff_put *put)
{
    size_t kept = 0;

    for (size_t i = 0; i < put->n_runs; i++) {
        struct aff_put_run *run = &put->runs[i];
        if (run->change != AFF_PUT_KEEP)
            put->runs[kept++] = *run;
        else if (run->order->outcome != AFF_ORDER_COLLIDING)
            settle(run, AFF_ORDER_UNCHANGED, &put->report.unchanged);
    }
    put->n_runs = kept;
}

/* ---- locks ---- */

/* Keys of different stores get different locks, as far as a number can say that. */
static int64_t lock_of(int store, int64_t order_key)
{
    return (int64_t)((uint64_t)order_key + (uint64_t)store * UINT64_C(0x9E3779B97F4A7C15));
}

static int compare_numbers(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* `numbers` are sorted first; one that comes twice is asked for once. */
static aff_status lock_numbers(struct aff_put *put, const char *statement, int64_t *numbers, size_t n)
{
    struct aff_array array = {0};

    qsort(numbers, n, sizeof numbers[0], compare_numbers);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || numbers[i] != numbers[i - 1])
            aff_array_add_int64(&array, numbers[i]);
    aff_status status = n == 0 ? AFF_OK : aff_put_query(put, statement, &array, 1, NULL);
    aff_array_done(&array);
    return status;
}

static aff_status lock_orders(struct aff_put *put, int store, int64_t *numbers)
{
    for (size_t i = 0; i < put->n_runs; i++)
        numbers[i] = lock_of(store, put->runs[i].order_key);
    return lock_numbers(put,
                        "SELECT count(pg_advisory_xact_lock(n)) FROM unnest($2::bigint[]) n"
                        " WHERE $1::integer IS NOT NULL",
                        numbers, put->n_runs);
}

/* The customers of the orders, before and after: whoever holds them may match the returns of their orders. */
static aff_status lock_customers(struct aff_put *put, int64_t *numbers)
{
    size_t n = 0;

    for (size_t i = 0; i < put->n_runs; i++) {
        const struct aff_put_run *run = &put->runs[i];
        if (run->change == AFF_PUT_KEEP)
            continue;
        if (run->customer != AFF_PUT_GUEST)
            numbers[n++] = run->customer;
        if (run->old_customer != AFF_PUT_GUEST)
            numbers[n++] = run->old_customer;
    }
    return lock_numbers(put,
                        "SELECT count(*) FROM unnest($2::bigint[]) k (customer) CROSS JOIN LATERAL"
                        " (SELECT FROM affinity.customer WHERE store = $1::integer AND customer = k.customer"
                        " LIMIT 1 FOR NO KEY UPDATE) c",
                        numbers, n);
}

/* Locks what the runs need and compares them with what is stored then. Orders that are the same already are
 * left out before, without a lock: they were so at that moment, which is all that can be said of them. */
static aff_status lock_and_compare(struct aff_put *put, int store)
{
    int64_t *numbers = malloc((2 * put->n_runs + 1) * sizeof numbers[0]);
    aff_status status = numbers == NULL ? aff_put_no_memory(put) : AFF_OK;

    if (status == AFF_OK && !put->alone)
        status = lock_orders(put, store, numbers);
    if (status == AFF_OK)
        status = compare_orders(put, STORED);
    if (status == AFF_OK && !put->alone)
        status = lock_customers(put, numbers);
    if (status == AFF_OK)
        drop_settled(put);
    free(numbers);
    return status;
}

/* ---- the way ---- */

static aff_status put_all(struct aff_put *put, int store, struct aff_put_order *orders, size_t n_orders)
{
    aff_status status = aff_intake_begin_small(put->connection, put->reterr);

    if (status == AFF_OK)
        status = make_runs(put, orders, n_orders);
    if (status == AFF_OK)
        status = aff_intake_lock_orders(put->connection, store, put->alone, put->reterr);
    if (status == AFF_OK)
        status = compare_orders(put, STORED);
    if (status != AFF_OK)
        return status;
    drop_settled(put);
    if (put->n_runs == 0)
        return AFF_OK;
    status = aff_put_ids(put);
    if (status == AFF_OK)
        status = lock_and_compare(put, store);
    if (status == AFF_OK && put->n_runs > 0)
        status = aff_put_write(put);
    if (status == AFF_OK && put->n_groups > 0)
        status = aff_put_returns(put);
    return status;
}

aff_status aff_orders_put(struct aff_connection *connection, int store, struct aff_put_order *orders,
                          size_t n_orders, struct aff_put_orders_report *ret, struct aff_error *reterr)
{
    struct aff_put put = {
        .connection = connection, .alone = n_orders > AFF_PUT_ORDERS_ALONE, .reterr = reterr};
    aff_status status = check_limits(orders, n_orders, reterr);

    if (status != AFF_OK)
        return status;
    (void)snprintf(put.store, sizeof put.store, "%d", store);
    status = put_all(&put, store, orders, n_orders);
    if (status == AFF_OK)
        *ret = put.report;
    aff_ids_done(&put.products);
    aff_ids_done(&put.customers);
    free(put.groups);
    free(put.runs);
    return status;
}
