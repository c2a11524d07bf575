/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/scratch.h"

#include "sql/load/model.h"
#include "sql/store.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "verify-"

static const char *const partitioned[] = {
#define X(table) #table,
    AFF_PARTITIONED_LIST(X)
#undef X
};

/* Tables that hold rows of all stores, in an order in which they can be emptied. */
static const char *const shared[] = {
    "session_heard",    "session",      "viewed_stat",      "pair_viewed", "viewed_due",
    "neighbour_viewed", "viewed_state", "order_outbox",     "pair_review", "order_line",
    "orders",           "touched",      "catalogue_change", "idempotency", "import_job",
    "catalogue_state",  "state",        "customer",         "product",     "store"};

static aff_status remove_all(struct aff_connection *connection, int store, struct aff_error *reterr)
{
    char name[AFF_PARTITION_NAME], statement[256];
    aff_status status = AFF_OK;

    for (size_t i = 0; i < sizeof partitioned / sizeof partitioned[0] && status == AFF_OK; i++) {
        aff_partition_name(partitioned[i], store, "", name);
        (void)snprintf(statement, sizeof statement, "DROP TABLE IF EXISTS %s", name);
        status = aff_execute(connection, statement, reterr);
    }
    for (size_t i = 0; i < sizeof shared / sizeof shared[0] && status == AFF_OK; i++) {
        (void)snprintf(statement, sizeof statement, "DELETE FROM affinity.%s WHERE store = %d", shared[i],
                       store);
        status = aff_execute(connection, statement, reterr);
    }
    return status;
}

aff_status aff_scratch_remove(struct aff_connection *connection, const char *name, struct aff_error *reterr)
{
    char currency[4];
    int store = 0;

    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
        return aff_error_set(reterr, AFF_INVALID, "store '%s' was not made for a test, so it is not removed",
                             name);
    aff_status status = aff_store_find(connection, name, &store, currency, reterr);
    if (status == AFF_OK)
        status = aff_execute(connection, "BEGIN", reterr);
    if (status != AFF_OK)
        return status;
    status = remove_all(connection, store, reterr);
    if (status == AFF_OK)
        return aff_execute(connection, "COMMIT", reterr);
    (void)!aff_execute(connection, "ROLLBACK", NULL); /* what failed before is what counts */
    return status;
}

/* The rows of each table with the shop's ids in the place of keys. A pair's own sequence, and that of
 * purchases of the same time, follow the keys: they are put into that of the ids. */
static const struct {
    const char *table, *rows;
} tables[AFF_SCRATCH_TABLES] = {
    {"product_stat",
     "SELECT p.id, s.orders, s.weight, s.revenue, s.margin, s.discounted, s.last_at, s.unit_cost"
     " FROM affinity.product_stat s JOIN affinity.product p USING (store, product)"
     " WHERE store = $%d::integer"},
    {"product_month", "SELECT coalesce(p.id, ''), s.months, s.orders FROM affinity.product_month s"
                      " LEFT JOIN affinity.product p USING (store, product) WHERE store = $%d::integer"},
    {"pair_together",
     "SELECT least(p.id, q.id), greatest(p.id, q.id), orders, weight, discounted,"
     " CASE WHEN p.id < q.id THEN revenue_a ELSE revenue_b END, CASE WHEN p.id < q.id THEN revenue_b ELSE"
     " revenue_a END, CASE WHEN p.id < q.id THEN margin_a ELSE margin_b END,"
     " CASE WHEN p.id < q.id THEN margin_b ELSE margin_a END FROM affinity.pair_together t"
     " JOIN affinity.product p ON p.store = t.store AND p.product = t.a"
     " JOIN affinity.product q ON q.store = t.store AND q.product = t.b WHERE t.store = $%d::integer"},
    {"next_stat", "SELECT p.id, s.firsts, s.seconds, s.firsts_weight FROM affinity.next_stat s"
                  " JOIN affinity.product p USING (store, product) WHERE store = $%d::integer"},
    {"pair_next", "SELECT p.id, q.id, t.orders, t.weight, t.gaps FROM affinity.pair_next t"
                  " JOIN affinity.product p ON p.store = t.store AND p.product = t.a"
                  " JOIN affinity.product q ON q.store = t.store AND q.product = t.b"
                  " WHERE t.store = $%d::integer"},
    {"customer_history",
     "SELECT c.id, h.orders, h.last_at, (SELECT array_agg((p.id, u.n, u.first_at, u.last_at)::text ORDER BY "
     "p.id)"
     " FROM unnest(h.products, h.counts, h.first_at, h.last_at_of) AS u(product, n, first_at, last_at)"
     " JOIN affinity.product p ON p.store = h.store AND p.product = u.product) FROM "
     "affinity.customer_history h"
     " JOIN affinity.customer c ON c.store = h.store AND c.customer = h.customer WHERE h.store = "
     "$%d::integer"},
    {"state",
     "SELECT landmark, half_life_s, counted_from, window_from, window_to, orders, lines, weight, next_orders,"
     " truncated_orders, truncated_lines FROM affinity.state WHERE store = $%d::integer"},
};

/* The statement with the rows of both stores. */
static char *compose(const char *rows)
{
    enum { SIZE = 8192 };
    char *statement = malloc(SIZE), *both[2] = {malloc(SIZE / 2), malloc(SIZE / 2)};

    for (int i = 0; i < 2 && both[0] != NULL && both[1] != NULL; i++) {
        const char *place = strstr(rows, "%d");
        (void)snprintf(both[i], SIZE / 2, "%.*s%d%s", (int)(place - rows), rows, i + 1, place + 2);
    }
    if (statement != NULL && both[0] != NULL && both[1] != NULL)
        (void)snprintf(statement, SIZE,
                       "WITH x AS MATERIALIZED (%s), y AS MATERIALIZED (%s),"
                       " d AS ((TABLE x EXCEPT ALL TABLE y) UNION ALL (TABLE y EXCEPT ALL TABLE x))"
                       " SELECT (SELECT count(*) FROM x), (SELECT count(*) FROM d),"
                       " coalesce((SELECT left(d::text, 390) FROM d LIMIT 1), '')",
                       both[0], both[1]);
    free(both[0]);
    free(both[1]);
    return statement;
}

aff_status aff_scratch_compare(struct aff_connection *connection, int store, int other,
                               struct aff_scratch_difference ret_differences[AFF_SCRATCH_TABLES],
                               struct aff_error *reterr)
{
    char numbers[2][16];
    const char *parameters[] = {numbers[0], numbers[1]};

    (void)snprintf(numbers[0], sizeof numbers[0], "%d", store);
    (void)snprintf(numbers[1], sizeof numbers[1], "%d", other);
    for (int i = 0; i < AFF_SCRATCH_TABLES; i++) {
        struct aff_scratch_difference *difference = &ret_differences[i];
        char *statement = compose(tables[i].rows);
        PGresult *result = NULL;
        if (statement == NULL)
            return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
        aff_status status = aff_query(connection, statement, 2, parameters, &result, reterr);
        free(statement);
        if (status != AFF_OK)
            return status;
        *difference =
            (struct aff_scratch_difference){.table = tables[i].table,
                                            .rows = strtoll(PQgetvalue(result, 0, 0), NULL, 10),
                                            .differing = strtoll(PQgetvalue(result, 0, 1), NULL, 10)};
        (void)snprintf(difference->first, sizeof difference->first, "%s", PQgetvalue(result, 0, 2));
        PQclear(result);
    }
    return AFF_OK;
}
