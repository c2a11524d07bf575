/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/histories.h"

#include "core/learn/baskets.h"
#include "core/learn/history.h"
#include "sql/copy.h"
#include "sql/fold/history_row.h"
#include "sql/write_learned.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

/* A customer of changed orders. */
struct buyer {
    int64_t customer;
    int64_t orders; /* stored, then as it has to be */
    int64_t last_at_us;
    bool stored, taken_back;
    bool crowd;                 /* more orders than a person has */
    bool anew;                  /* from the orders */
    struct aff_history_row row; /* stored products */
};

struct folding {
    struct aff_connection *connection;
    int store;
    const struct aff_count_state *state;
    const struct aff_changes *changes;
    struct buyer *buyers; /* by ascending customer */
    uint32_t n;
    struct aff_baskets_builder *builder;
    struct aff_copy_writer writer;
    struct aff_history_row merged;
    struct aff_error *reterr;
};

static aff_status no_memory(struct folding *folding)
{
    return aff_error_set(folding->reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

static int by_customer(const void *a, const void *b)
{
    const struct buyer *x = a, *y = b;
    return x->customer < y->customer ? -1 : x->customer > y->customer;
}

static struct buyer *find(struct folding *folding, int64_t customer)
{
    struct buyer key = {.customer = customer};

    return bsearch(&key, folding->buyers, folding->n, sizeof key, by_customer);
}

static bool has_buyer(const struct aff_change_content *content)
{
    return content->n > 0 && content->customer != AFF_NO_CUSTOMER;
}

/* All customers before and after, each once. */
static aff_status gather(struct folding *folding)
{
    const struct aff_changes *changes = folding->changes;
    uint32_t n = 0;

    folding->buyers = malloc(((size_t)changes->n * 2 + 1) * sizeof *folding->buyers);
    if (folding->buyers == NULL)
        return no_memory(folding);
    for (uint32_t i = 0; i < changes->n; i++) {
        const struct aff_change *change = &changes->changes[i];
        if (has_buyer(&change->before))
            folding->buyers[n++] = (struct buyer){.customer = change->before.customer};
        if (has_buyer(&change->after))
            folding->buyers[n++] = (struct buyer){.customer = change->after.customer};
    }
    qsort(folding->buyers, n, sizeof *folding->buyers, by_customer);
    for (uint32_t i = 0; i < n; i++)
        if (folding->n == 0 || folding->buyers[folding->n - 1].customer != folding->buyers[i].customer) {
            folding->buyers[folding->n] = folding->buyers[i];
            folding->buyers[folding->n++].last_at_us = INT64_MIN;
        }
    return AFF_OK;
}

static aff_status take_stored(struct folding *folding, const PGresult *result, int row)
{
    struct buyer *buyer = find(folding, aff_result_whole(result, row, 0, 0));

    if (buyer == NULL)
        return AFF_OK;
    buyer->stored = true;
    buyer->orders = aff_result_whole(result, row, 1, 0);
    buyer->last_at_us = aff_result_time(result, row, 2, INT64_MIN);
    return aff_history_row_take(&buyer->row, result, row, 3, folding->reterr);
}

static aff_status read_stored(struct folding *folding, struct aff_column *customers)
{
    PGresult *result = NULL;
    aff_status status =
        aff_query_columns(folding->connection,
                          "SELECT customer, orders, last_at, products, counts, first_at, last_at_of"
                          " FROM affinity.customer_history WHERE store = $1 AND customer = ANY($2::bigint[])",
                          folding->store, customers, 1, &result, folding->reterr);

    for (int row = 0; status == AFF_OK && row < PQntuples(result); row++)
        status = take_stored(folding, result, row);
    PQclear(result);
    return status;
}

/* Counts the changes in and decides which way each customer goes. */
static aff_status decide(struct folding *folding)
{
    for (uint32_t i = 0; i < folding->changes->n; i++) {
        const struct aff_change *change = &folding->changes->changes[i];
        if (has_buyer(&change->before)) {
            struct buyer *buyer = find(folding, change->before.customer);
            buyer->orders--;
            buyer->taken_back = true;
        }
        if (has_buyer(&change->after)) {
            struct buyer *buyer = find(folding, change->after.customer);
            buyer->orders++;
            if (buyer->last_at_us < change->after.at_us)
                buyer->last_at_us = change->after.at_us;
        }
    }
    for (uint32_t i = 0; i < folding->n; i++) {
        struct buyer *buyer = &folding->buyers[i];
        if (buyer->orders < 0)
            return aff_error_set(folding->reterr, AFF_DATA,
                                 "affinity.customer_history: customer %" PRId64
                                 " has fewer orders than are taken back; run 'affinityctl rebuild'",
                                 buyer->customer);
        buyer->crowd = buyer->orders > AFF_HISTORY_ORDERS;
        buyer->anew = !buyer->crowd && (buyer->taken_back || buyer->row.n >= AFF_HISTORY_LIMIT);
    }
    return AFF_OK;
}

static aff_status add_line(struct folding *folding, const struct aff_line *line)
{
    aff_status status = aff_baskets_builder_add(folding->builder, line);

    return status == AFF_OK ? AFF_OK : aff_error_set(folding->reterr, status, "%s", aff_status_text(status));
}

/* Orders of the customers whose history is made anew. Revenue decides which products of a basket are
 * truncated; margin is of no use here. */
static aff_status add_all_orders(struct folding *folding)
{
    struct aff_column customers = {.type = AFF_COLUMN_INT64};
    PGresult *result = NULL;
    aff_status status = AFF_OK;

    for (uint32_t i = 0; i < folding->n; i++)
        if (folding->buyers[i].anew)
            aff_column_add(&customers, folding->buyers[i].customer);
    if (customers.n > 0 || customers.failed)
        status = aff_query_columns(
            folding->connection,
            "SELECT o.order_key, o.customer, o.ordered_at, l.product, l.revenue"
            " FROM unnest($2::bigint[]) AS w(customer)"
            " JOIN affinity.orders o ON o.store = $1 AND o.customer = w.customer AND o.ordered_at >="
            " (SELECT coalesce(counted_from, '-infinity') FROM affinity.state WHERE store = $1)"
            " CROSS JOIN LATERAL (SELECT product, (quantity - returned) * unit_price AS revenue"
            " FROM affinity.order_line WHERE store = $1 AND order_key = o.order_key"
            " AND quantity > returned OFFSET 0) l",
            folding->store, &customers, 1, &result, folding->reterr);
    for (int row = 0; status == AFF_OK && row < PQntuples(result); row++) {
        struct aff_line line = {.order_key = aff_result_whole(result, row, 0, 0),
                                .customer = aff_result_whole(result, row, 1, AFF_NO_CUSTOMER),
                                .at_us = aff_result_time(result, row, 2, 0),
                                .product = (int32_t)aff_result_whole(result, row, 3, -1),
                                .revenue = aff_result_whole(result, row, 4, 0)};
        status = add_line(folding, &line);
    }
    PQclear(result);
    aff_columns_done(&customers, 1);
    return status;
}

/* New orders of the other customers. */
static aff_status add_new_orders(struct folding *folding)
{
    aff_status status = AFF_OK;

    for (uint32_t i = 0; i < folding->changes->n && status == AFF_OK; i++) {
        const struct aff_change *change = &folding->changes->changes[i];
        const struct buyer *buyer = has_buyer(&change->after) ? find(folding, change->after.customer) : NULL;
        if (buyer == NULL || buyer->anew || buyer->crowd)
            continue;
        for (uint32_t j = 0; j < change->after.n && status == AFF_OK; j++) {
            const struct aff_change_line *said = &folding->changes->lines[change->after.first + j];
            struct aff_line line = {.order_key = change->order_key,
                                    .customer = change->after.customer,
                                    .at_us = change->after.at_us,
                                    .product = said->product};
            if (__builtin_mul_overflow((int64_t)said->units, said->unit_price, &line.revenue))
                return aff_error_set(folding->reterr, AFF_LIMIT, "order key %" PRId64 ": %s",
                                     change->order_key, aff_status_text(AFF_LIMIT));
            status = add_line(folding, &line);
        }
    }
    return status;
}

static void write_row(struct folding *folding, const struct buyer *buyer, const struct aff_history_row *row)
{
    struct aff_copy_writer *writer = &folding->writer;

    aff_copy_row(writer, 8);
    aff_copy_put_int32(writer, folding->store);
    aff_copy_put_int64(writer, buyer->customer);
    aff_copy_put_int32(writer, (int32_t)buyer->orders);
    aff_copy_put_time(writer, buyer->last_at_us);
    aff_copy_put_int32s(writer, row->products, row->n);
    aff_copy_put_int32s(writer, row->counts, row->n);
    aff_copy_put_times(writer, row->first_at_us, row->n);
    aff_copy_put_times(writer, row->last_at_us, row->n);
}

static aff_status take_history(void *context, int thread, const struct aff_customer_history *history)
{
    struct folding *folding = context;
    struct buyer *buyer = find(folding, history->customer);

    (void)thread;
    if (buyer->anew) {
        buyer->orders = history->orders;
        buyer->last_at_us = history->last_at_us;
        buyer->row.n = 0;
    }
    aff_status status = aff_history_row_merge(&folding->merged, &buyer->row, history, AFF_HISTORY_LIMIT);
    if (status != AFF_OK)
        return status;
    write_row(folding, buyer, &folding->merged);
    return folding->writer.status;
}

/* Time of the newest order of customers with many, of which some were taken back. */
static aff_status find_last(struct folding *folding)
{
    struct aff_column customers = {.type = AFF_COLUMN_INT64};
    PGresult *result = NULL;
    aff_status status = AFF_OK;

    for (uint32_t i = 0; i < folding->n; i++)
        if (folding->buyers[i].crowd && folding->buyers[i].taken_back)
            aff_column_add(&customers, folding->buyers[i].customer);
    if (customers.n > 0 || customers.failed)
        status = aff_query_columns(
            folding->connection,
            "SELECT w.customer, (SELECT o.ordered_at FROM affinity.orders o WHERE o.store = $1"
            " AND o.customer = w.customer AND EXISTS (SELECT FROM affinity.order_line l WHERE l.store = $1"
            " AND l.order_key = o.order_key AND l.quantity > l.returned)"
            " ORDER BY o.ordered_at DESC LIMIT 1) FROM unnest($2::bigint[]) AS w(customer)",
            folding->store, &customers, 1, &result, folding->reterr);
    for (int row = 0; status == AFF_OK && row < PQntuples(result); row++)
        find(folding, aff_result_whole(result, row, 0, 0))->last_at_us =
            aff_result_time(result, row, 1, INT64_MIN);
    PQclear(result);
    aff_columns_done(&customers, 1);
    return status;
}

static aff_status build(struct folding *folding)
{
    struct aff_baskets_frame frame = {folding->state->landmark_us, folding->state->counted_from_us};
    struct aff_baskets_settings settings = {
        .half_life_s = folding->state->half_life_s, .cap = folding->state->cap, .frame = &frame};
    struct aff_baskets *baskets = NULL;
    aff_status status = aff_baskets_builder_finish(folding->builder, &settings, &baskets);

    if (status == AFF_OK)
        status = aff_history_build(baskets, UINT32_MAX, 1, NULL, take_history, folding);
    aff_baskets_free(baskets);
    return status == AFF_OK ? AFF_OK : aff_error_set(folding->reterr, status, "%s", aff_status_text(status));
}

/* Puts the new rows in the place of the stored ones. */
static aff_status replace(struct folding *folding, struct aff_column *customers)
{
    static const struct aff_history_row nothing;
    char name[AFF_PARTITION_NAME], statement[128];
    aff_status status = aff_query_columns(folding->connection,
                                          "DELETE FROM affinity.customer_history WHERE store = $1"
                                          " AND customer = ANY($2::bigint[])",
                                          folding->store, customers, 1, NULL, folding->reterr);

    if (status != AFF_OK)
        return status;
    aff_partition_name("customer_history", folding->store, "", name);
    (void)snprintf(statement, sizeof statement, "COPY %s FROM STDIN (FORMAT binary)", name);
    status = aff_copy_write_begin(&folding->writer, folding->connection, statement, folding->reterr);
    if (status != AFF_OK)
        return status;
    for (uint32_t i = 0; i < folding->n; i++)
        if (folding->buyers[i].crowd)
            write_row(folding, &folding->buyers[i], &nothing);
    status = build(folding);
    /* What failed first is what is reported. */
    aff_status ended =
        aff_copy_write_finish(&folding->writer, status != AFF_OK, status == AFF_OK ? folding->reterr : NULL);
    return status == AFF_OK ? ended : status;
}

aff_status aff_fold_histories(struct aff_connection *connection, int store,
                              const struct aff_count_state *state, const struct aff_changes *changes,
                              struct aff_column *customers, struct aff_error *reterr)
{
    struct folding folding = {
        .connection = connection, .store = store, .state = state, .changes = changes, .reterr = reterr};
    aff_status status = gather(&folding);

    for (uint32_t i = 0; i < folding.n; i++)
        aff_column_add(customers, folding.buyers[i].customer);
    if (status == AFF_OK && folding.n > 0) {
        status = read_stored(&folding, customers);
        if (status == AFF_OK)
            status = decide(&folding);
        if (status == AFF_OK && aff_baskets_builder_new(&folding.builder) != AFF_OK)
            status = no_memory(&folding);
        if (status == AFF_OK)
            status = add_all_orders(&folding);
        if (status == AFF_OK)
            status = add_new_orders(&folding);
        if (status == AFF_OK)
            status = find_last(&folding);
        if (status == AFF_OK)
            status = replace(&folding, customers);
    }
    for (uint32_t i = 0; i < folding.n; i++)
        aff_history_row_done(&folding.buyers[i].row);
    aff_history_row_done(&folding.merged);
    aff_baskets_builder_free(folding.builder);
    free(folding.buyers);
    return status;
}
