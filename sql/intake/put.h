/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of aff_orders_put() share; nobody else includes it. */
#pragma once

#include "sql/array.h"
#include "sql/connection.h"
#include "sql/intake/ids.h"
#include "sql/intake/put_orders.h"

/* What an order of the batch is going to be. */
enum aff_put_change { AFF_PUT_KEEP, AFF_PUT_CREATE, AFF_PUT_REPLACE, AFF_PUT_DELETE };

#define AFF_PUT_GUEST INT64_C(-1)

/* One order of the batch; those that a later entry repeats have none. */
struct aff_put_run {
    struct aff_put_order *order;
    int64_t order_key;
    int64_t ordered_at_us;       /* of the earliest line */
    struct aff_text customer_id; /* of the earliest line that has one; empty: a guest */
    int64_t customer;            /* AFF_PUT_GUEST: none */
    int64_t old_customer;
    int64_t digest;
    bool cancels, known; /* known: an order has the key */
    enum aff_put_change change;
};

/* One customer and product whose lines have changed. */
struct aff_put_group {
    int64_t customer;
    int32_t product;
    bool lost; /* a return line of theirs is gone */
};

struct aff_put {
    struct aff_connection *connection;
    char store[16];
    struct aff_put_run *runs; /* by order key */
    size_t n_runs;
    bool alone; /* nobody else writes orders of the store until the end */
    struct aff_ids products, customers;
    struct aff_put_group *groups;
    size_t n_groups, groups_capacity;
    struct aff_put_orders_report report;
    struct aff_error *reterr;
};

/* Memory is out. */
aff_status aff_put_no_memory(const struct aff_put *put);

/* Runs a statement whose first parameter is the store and whose others are the arrays, at most 9.
 * `ret_result` may be NULL. */
AFF_MUST_CHECK aff_status aff_put_query(struct aff_put *put, const char *statement, struct aff_array arrays[],
                                        int n_arrays, PGresult **ret_result);

/* Finds the numbers of all products and customers of the batch, and creates those that are missing. */
AFF_MUST_CHECK aff_status aff_put_ids(struct aff_put *put);

/* The number of an id of the batch. */
int64_t aff_put_product(const struct aff_put *put, struct aff_text id);

/* Queues, replaces, creates and deletes as the runs say, and notes the groups concerned. */
AFF_MUST_CHECK aff_status aff_put_write(struct aff_put *put);

/* Matches the returns of the groups, and queues the other orders that change by it. */
AFF_MUST_CHECK aff_status aff_put_returns(struct aff_put *put);
