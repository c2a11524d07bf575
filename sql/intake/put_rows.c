/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/intake/put_rows.h"

#include "sql/array.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

struct reading {
    struct aff_connection *connection;
    char number[16];
    struct aff_array keys;
    size_t n;
    struct aff_put_result *result;
    struct aff_error *reterr;
};

static aff_status no_memory(const struct reading *reading)
{
    return aff_error_set(reading->reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

static aff_status query(struct reading *reading, const char *statement, PGresult **ret_result)
{
    const char *parameters[] = {reading->number, aff_array_text(&reading->keys)};

    if (parameters[1] == NULL)
        return no_memory(reading);
    return aff_query(reading->connection, statement, 2, parameters, ret_result, reading->reterr);
}

static int64_t number(const PGresult *rows, int row, int column, int64_t if_null)
{
    return PQgetisnull(rows, row, column) ? if_null : strtoll(PQgetvalue(rows, row, column), NULL, 10);
}

static struct aff_text text(struct reading *reading, const PGresult *rows, int row, int column)
{
    return aff_arena_copy(&reading->result->arena, (struct aff_text){PQgetvalue(rows, row, column),
                                                                     (size_t)PQgetlength(rows, row, column)});
}

enum { N_TEXTS = 4 };

/* One row of the statement below into the entry of its first column. */
static aff_status take_product(struct reading *reading, const PGresult *rows, int row)
{
    struct aff_product *product = &reading->result->products[number(rows, row, 0, 1) - 1];
    struct aff_text *const texts[N_TEXTS] = {&product->id, &product->name, &product->category,
                                             &product->brand};

    *product = (struct aff_product){.key = (int32_t)number(rows, row, 1, 0), .category_row = AFF_NO_ROW};
    for (int i = 0; i < N_TEXTS; i++) {
        *texts[i] = text(reading, rows, row, 2 + i);
        if (texts[i]->at == NULL)
            return no_memory(reading);
    }
    product->price = number(rows, row, 6, AFF_NO_MONEY);
    product->compare_at = number(rows, row, 7, AFF_NO_MONEY);
    product->cost = number(rows, row, 8, AFF_NO_MONEY);
    product->stock = (int32_t)number(rows, row, 9, AFF_NO_STOCK);
    product->available = PQgetvalue(rows, row, 10)[0] == 't';
    product->durable = PQgetvalue(rows, row, 11)[0] == 't';
    return AFF_OK;
}

static aff_status read_products(struct reading *reading)
{
    PGresult *rows = NULL;
    aff_status status =
        query(reading,
              "SELECT k.n, p.product, p.id, p.name, p.category, p.brand, p.price, p.compare_at,"
              " p.cost, p.stock, p.available, p.durable"
              " FROM unnest($2::integer[]) WITH ORDINALITY k (product, n)"
              " JOIN affinity.product p ON p.store = $1::integer AND p.product = k.product",
              &rows);

    for (int row = 0; status == AFF_OK && row < PQntuples(rows); row++)
        status = take_product(reading, rows, row);
    if (status == AFF_OK && (size_t)PQntuples(rows) != reading->n)
        status = aff_error_set(reading->reterr, AFF_DATA, "a product was deleted while it was written");
    PQclear(rows);
    return status;
}

/* Attributes of one entry come together. As in a load of the catalogue, nulls say nothing and are left out,
 * and values that are no texts come as their JSON (sql/load/products.c). */
static aff_status read_attributes(struct reading *reading)
{
    PGresult *rows = NULL;
    aff_status status =
        query(reading,
              "SELECT k.n, e.key, e.value FROM unnest($2::integer[]) WITH ORDINALITY k (product, n)"
              " JOIN affinity.product p ON p.store = $1::integer AND p.product = k.product"
              "  AND jsonb_typeof(p.attributes) = 'object'"
              " CROSS JOIN LATERAL jsonb_each_text(p.attributes) e"
              " WHERE e.value IS NOT NULL ORDER BY k.n, e.key COLLATE \"C\"",
              &rows);
    int n = status == AFF_OK ? PQntuples(rows) : 0;
    struct aff_attribute *attributes =
        aff_arena_take(&reading->result->arena, ((size_t)n + 1) * sizeof attributes[0]);

    if (status == AFF_OK && attributes == NULL)
        status = no_memory(reading);
    for (int row = 0; row < n && status == AFF_OK; row++) {
        struct aff_product *product = &reading->result->products[number(rows, row, 0, 1) - 1];
        attributes[row] =
            (struct aff_attribute){.name = text(reading, rows, row, 1), .value = text(reading, rows, row, 2)};
        if (attributes[row].name.at == NULL || attributes[row].value.at == NULL)
            status = no_memory(reading);
        if (product->n_attributes++ == 0)
            product->attributes = &attributes[row];
    }
    PQclear(rows);
    return status;
}

aff_status aff_put_read_rows(struct aff_connection *connection, int store, enum aff_catalogue_kind kind,
                             size_t n_entries, struct aff_put_result *result, struct aff_error *reterr)
{
    struct reading reading = {.connection = connection, .n = n_entries, .result = result, .reterr = reterr};
    const char *parameters[] = {reading.number};

    (void)snprintf(reading.number, sizeof reading.number, "%d", store);
    aff_status status =
        aff_query_number(connection, "SELECT version FROM affinity.catalogue_state WHERE store = $1::integer",
                         1, parameters, &result->version, reterr);
    if (status != AFF_OK || kind != AFF_CATALOGUE_PRODUCTS)
        return status;
    result->products = aff_arena_take(&result->arena, (n_entries + 1) * sizeof result->products[0]);
    if (result->products == NULL)
        return no_memory(&reading);
    for (size_t e = 0; e < n_entries; e++)
        aff_array_add_int64(&reading.keys, result->keys[e]);
    status = read_products(&reading);
    if (status == AFF_OK)
        status = read_attributes(&reading);
    aff_array_done(&reading.keys);
    return status;
}
