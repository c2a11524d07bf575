/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/beside.h"

#include "core/intake/line.h"
#include "core/learn/baskets.h"
#include "sql/fold/columns.h"

#include <libpq-fe.h>

/* The nearest order on one side of position e; `than` and `way` say which. */
#define NEAREST(than, way)                                                                                   \
    "(SELECT o.order_key FROM affinity.orders o WHERE o.store = $1 AND o.customer = e.customer"              \
    " AND (o.ordered_at, o.order_key) " than " (e.at, e.key)"                                                \
    " AND o.ordered_at >= (SELECT counted_from FROM affinity.state WHERE store = $1)"                        \
    " AND EXISTS (SELECT FROM affinity.order_line l WHERE l.store = $1 AND l.order_key = o.order_key"        \
    " AND l.quantity > l.returned)"                                                                          \
    " ORDER BY o.ordered_at " way ", o.order_key " way " LIMIT 1)"

static const char statement[] =
    "WITH near AS MATERIALIZED (SELECT DISTINCT n.order_key"
    " FROM unnest($2::bigint[], $3::timestamptz[], $4::bigint[]) AS e(customer, at, key)"
    " CROSS JOIN LATERAL (" NEAREST("<", "DESC") " UNION ALL " NEAREST(
        ">", "ASC") ") n)"
                    " SELECT n.order_key, l.* FROM near n CROSS JOIN LATERAL (SELECT customer, ordered_at, "
                    "product,"
                    " quantity - returned, unit_price, unit_cost, discounted FROM affinity.order_line"
                    " WHERE store = $1 AND order_key = n.order_key AND quantity > returned OFFSET 0) l ORDER "
                    "BY n.order_key";

static void add_position(struct aff_column columns[3], int64_t order_key,
                         const struct aff_change_content *content)
{
    if (content->n == 0 || content->customer == AFF_NO_CUSTOMER)
        return;
    aff_column_add(&columns[0], content->customer);
    aff_column_add(&columns[1], content->at_us);
    aff_column_add(&columns[2], order_key);
}

static bool is_same(const struct aff_change_content *a, const struct aff_change_content *b)
{
    return a->n > 0 && b->n > 0 && a->customer == b->customer && a->at_us == b->at_us;
}

static aff_status take(const PGresult *result, int row, const struct aff_changes *changes,
                       struct aff_changes *ret_beside, struct aff_error *reterr)
{
    int64_t order_key = aff_result_whole(result, row, 0, 0);
    struct aff_change *change = ret_beside->n == 0 ? NULL : &ret_beside->changes[ret_beside->n - 1];
    struct aff_change_line line = {.product = (int32_t)aff_result_whole(result, row, 3, -1),
                                   .units = (int32_t)aff_result_whole(result, row, 4, 0),
                                   .unit_price = aff_result_whole(result, row, 5, 0),
                                   .unit_cost = aff_result_whole(result, row, 6, AFF_COST_UNKNOWN),
                                   .discounted = aff_result_whole(result, row, 7, 0) != 0};

    if (aff_changes_find(changes, order_key) != NULL)
        return AFF_OK;
    if (change == NULL || change->order_key != order_key) {
        uint32_t first = ret_beside->n_lines;
        change = aff_changes_add(ret_beside, order_key);
        if (change == NULL)
            return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
        change->before = change->after =
            (struct aff_change_content){.customer = aff_result_whole(result, row, 1, AFF_NO_CUSTOMER),
                                        .at_us = aff_result_time(result, row, 2, 0),
                                        .first = first};
    }
    if (!aff_changes_add_line(ret_beside, &line))
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    change->before.n++;
    change->after.n++;
    return AFF_OK;
}

aff_status aff_changes_beside(struct aff_connection *connection, int store, const struct aff_changes *changes,
                              struct aff_changes *ret_beside, struct aff_error *reterr)
{
    struct aff_column columns[3] = {
        {.type = AFF_COLUMN_INT64}, {.type = AFF_COLUMN_TIME}, {.type = AFF_COLUMN_INT64}};
    PGresult *result = NULL;
    aff_status status = AFF_OK;

    for (uint32_t i = 0; i < changes->n; i++) {
        const struct aff_change *change = &changes->changes[i];
        add_position(columns, change->order_key, &change->before);
        if (!is_same(&change->before, &change->after))
            add_position(columns, change->order_key, &change->after);
    }
    if (columns[0].n > 0 || columns[0].failed)
        status = aff_query_columns(connection, statement, store, columns, 3, &result, reterr);
    for (int row = 0; status == AFF_OK && row < PQntuples(result); row++)
        status = take(result, row, changes, ret_beside, reterr);
    PQclear(result);
    aff_columns_done(columns, 3);
    return status;
}
