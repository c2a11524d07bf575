/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/costs.h"

#include "core/base/sort.h"
#include "core/intake/line.h"
#include "sql/copy.h"
#include "sql/fold/columns.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

static aff_status no_memory(struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

static bool add(struct aff_costs *costs, const struct aff_cost *cost)
{
    if (costs->n == costs->capacity) {
        uint32_t capacity = costs->capacity == 0 ? 256 : costs->capacity * 2;
        struct aff_cost *bigger = realloc(costs->costs, capacity * sizeof *bigger);
        if (bigger == NULL)
            return false;
        costs->costs = bigger;
        costs->capacity = capacity;
    }
    costs->costs[costs->n++] = *cost;
    return true;
}

aff_status aff_costs_read_all(struct aff_connection *connection, int store, struct aff_costs *costs,
                              struct aff_error *reterr)
{
    struct aff_copy_reader reader;
    char statement[256];
    bool more;

    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT product, unit_cost, last_at FROM affinity.product_stat WHERE store = %d"
                   " ORDER BY product) TO STDOUT (FORMAT binary)",
                   store);
    aff_status status = aff_copy_read_begin(&reader, connection, statement, reterr);
    while (status == AFF_OK && (status = aff_copy_read(&reader, &more, reterr)) == AFF_OK && more) {
        struct aff_cost cost = {.counted = true};
        cost.product = aff_copy_get_int32(&reader, -1);
        cost.unit_cost = aff_copy_get_int64(&reader, AFF_COST_UNKNOWN);
        cost.last_at_us = aff_copy_get_time(&reader, INT64_MIN);
        if (!add(costs, &cost))
            status = no_memory(reterr);
    }
    aff_copy_read_close(&reader);
    return status;
}

/* The distinct products of the lines, ascending, as a column. */
static aff_status name_products(const struct aff_changes *a, const struct aff_changes *b,
                                struct aff_column *ret_products, struct aff_error *reterr)
{
    size_t n = (size_t)a->n_lines + b->n_lines;
    uint32_t *products = malloc((2 * n + 1) * sizeof *products);

    if (products == NULL)
        return no_memory(reterr);
    for (uint32_t i = 0; i < a->n_lines; i++)
        products[i] = (uint32_t)a->lines[i].product;
    for (uint32_t i = 0; i < b->n_lines; i++)
        products[a->n_lines + i] = (uint32_t)b->lines[i].product;
    aff_sort_u32(products, n, products + n);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || products[i] != products[i - 1])
            aff_column_add(ret_products, (int32_t)products[i]);
    free(products);
    return AFF_OK;
}

aff_status aff_costs_read(struct aff_connection *connection, int store, const struct aff_changes *a,
                          const struct aff_changes *b, struct aff_costs *costs, struct aff_error *reterr)
{
    struct aff_column products = {.type = AFF_COLUMN_INT32};
    PGresult *result = NULL;
    aff_status status = name_products(a, b, &products, reterr);

    if (status == AFF_OK)
        status = aff_query_columns(
            connection,
            "SELECT w.product, s.product IS NOT NULL,"
            " CASE WHEN s.product IS NULL THEN p.cost ELSE s.unit_cost END, s.last_at"
            " FROM unnest($2::integer[]) AS w(product)"
            " LEFT JOIN affinity.product_stat s ON s.store = $1 AND s.product = w.product"
            " LEFT JOIN affinity.product p ON p.store = $1 AND p.product = w.product ORDER BY w.product",
            store, &products, 1, &result, reterr);
    for (int row = 0; status == AFF_OK && row < PQntuples(result); row++) {
        struct aff_cost cost = {.product = (int32_t)aff_result_whole(result, row, 0, -1),
                                .counted = aff_result_whole(result, row, 1, 0) != 0,
                                .unit_cost = aff_result_whole(result, row, 2, AFF_COST_UNKNOWN),
                                .last_at_us = aff_result_time(result, row, 3, INT64_MIN)};
        if (!add(costs, &cost))
            status = no_memory(reterr);
    }
    PQclear(result);
    aff_columns_done(&products, 1);
    return status;
}

void aff_costs_done(struct aff_costs *costs)
{
    free(costs->costs);
    *costs = (struct aff_costs){0};
}

const struct aff_cost *aff_costs_find(const struct aff_costs *costs, int32_t product)
{
    uint32_t low = 0, high = costs->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (costs->costs[middle].product < product)
            low = middle + 1;
        else
            high = middle;
    }
    return low < costs->n && costs->costs[low].product == product ? &costs->costs[low] : NULL;
}

bool aff_line_money(const struct aff_change_line *line, const struct aff_cost *cost, int64_t *ret_revenue,
                    int64_t *ret_margin)
{
    int64_t unit_cost = line->unit_cost, revenue, margin = 0, each;

    if (unit_cost == AFF_COST_UNKNOWN && cost != NULL)
        unit_cost = cost->unit_cost;
    if (__builtin_mul_overflow((int64_t)line->units, line->unit_price, &revenue))
        return false;
    if (unit_cost != AFF_COST_UNKNOWN && (__builtin_sub_overflow(line->unit_price, unit_cost, &each) ||
                                          __builtin_mul_overflow((int64_t)line->units, each, &margin)))
        return false;
    *ret_revenue = revenue;
    *ret_margin = margin;
    return true;
}
