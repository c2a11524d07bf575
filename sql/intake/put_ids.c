/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of a batch to our numbers, and what a product that only orders name begins with: its id, and the unit
 * price of its newest sale; of several at that time the lowest (sql/intake/prices.c does the same for
 * imports). */
#include "sql/intake/changes.h"
#include "sql/intake/put.h"

#include <libpq-fe.h>
#include <stdlib.h>

enum { UNKNOWN = -1 };

/* The newest sale of a product in the batch. */
struct sale {
    int64_t at_us, price; /* price 0: there is none */
    bool unpriced;        /* the product has no price */
};

static aff_status add_id(struct aff_put *put, struct aff_ids *ids, struct aff_text text)
{
    if (text.size == 0 || aff_ids_find(ids, text) != NULL)
        return AFF_OK;
    return aff_ids_add(ids, text, UNKNOWN) == AFF_OK ? AFF_OK : aff_put_no_memory(put);
}

static aff_status collect(struct aff_put *put)
{
    aff_status status = AFF_OK;

    for (size_t i = 0; i < put->n_runs && status == AFF_OK; i++) {
        const struct aff_put_order *order = put->runs[i].order;
        status = add_id(put, &put->customers, put->runs[i].customer_id);
        for (size_t l = 0; l < order->n_lines && status == AFF_OK; l++)
            status = add_id(put, &put->products, order->lines[l].product_id);
    }
    return status;
}

/* An array of the ids without a number; ids are in it in the sequence of their bytes, so that two batches
 * that create the same ids do not wait for each other in a circle. */
static int compare_ids(const void *left, const void *right)
{
    const struct aff_id *const *a = left, *const *b = right;
    size_t size = (*a)->text.size < (*b)->text.size ? (*a)->text.size : (*b)->text.size;
    int order = memcmp((*a)->text.at, (*b)->text.at, size);

    return order != 0 ? order : ((*a)->text.size > (*b)->text.size) - ((*a)->text.size < (*b)->text.size);
}

static aff_status list_unknown(struct aff_put *put, const struct aff_ids *ids, struct aff_array *array,
                               size_t *ret_n)
{
    const struct aff_id **list = malloc((ids->n + 1) * sizeof *list);
    size_t n = 0;

    if (list == NULL)
        return aff_put_no_memory(put);
    for (size_t i = 0; i < ids->n; i++)
        if (ids->all[i].number == UNKNOWN)
            list[n++] = &ids->all[i];
    qsort(list, n, sizeof *list, compare_ids);
    for (size_t i = 0; i < n; i++)
        aff_array_add_text(array, list[i]->text);
    free(list);
    *ret_n = n;
    return AFF_OK;
}

/* Takes (id, number, unpriced) rows. `sales` may be NULL. */
static void take_numbers(struct aff_ids *ids, const PGresult *result, struct sale *sales)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct aff_text text = {PQgetvalue(result, row, 0), (size_t)PQgetlength(result, row, 0)};
        const struct aff_id *id = aff_ids_find(ids, text);
        if (id == NULL)
            continue;
        size_t index = (size_t)(id - ids->all);
        ids->all[index].number = strtoll(PQgetvalue(result, row, 1), NULL, 10);
        if (sales != NULL)
            sales[index].unpriced = PQgetvalue(result, row, 2)[0] == 't';
    }
}

static aff_status find(struct aff_put *put, struct aff_ids *ids, const char *statement, struct sale *sales,
                       size_t *ret_missing)
{
    struct aff_array texts = {0};
    PGresult *result = NULL;
    size_t wanted = 0;
    aff_status status = list_unknown(put, ids, &texts, &wanted);

    *ret_missing = 0;
    if (status == AFF_OK && wanted > 0)
        status = aff_put_query(put, statement, &texts, 1, &result);
    if (status == AFF_OK && wanted > 0) {
        take_numbers(ids, result, sales);
        *ret_missing = wanted - (size_t)PQntuples(result);
    }
    PQclear(result);
    aff_array_done(&texts);
    return status;
}

/* One look into the index an id: the limit keeps the planner from anything else, whatever it believes of the
 * table. */
#define FIND_PRODUCTS                                                                                        \
    "SELECT p.id, p.product, p.price IS NULL FROM unnest($2::text[]) i (id) CROSS JOIN LATERAL"              \
    " (SELECT * FROM affinity.product WHERE store = $1::integer AND id = i.id LIMIT 1) p"
#define FIND_CUSTOMERS                                                                                       \
    "SELECT c.id, c.customer, false FROM unnest($2::text[]) i (id) CROSS JOIN LATERAL"                       \
    " (SELECT * FROM affinity.customer WHERE store = $1::integer AND id = i.id LIMIT 1) c"
#define ADD_PRODUCTS                                                                                         \
    "INSERT INTO affinity.product (store, id) SELECT $1::integer, unnest($2::text[])"                        \
    " ON CONFLICT (store, id) DO NOTHING RETURNING id, product, true"
#define ADD_CUSTOMERS                                                                                        \
    "INSERT INTO affinity.customer (store, id) SELECT $1::integer, unnest($2::text[])"                       \
    " ON CONFLICT (store, id) DO NOTHING RETURNING id, customer, false"

/* Creates what is missing; somebody else may create some of it at the same time. */
static aff_status create(struct aff_put *put, struct aff_ids *ids, const char *add, const char *again,
                         struct sale *sales, uint32_t *ret_created)
{
    size_t before = 0, left = 0, wanted = 0;
    struct aff_array none = {0};
    aff_status status = list_unknown(put, ids, &none, &before);

    aff_array_done(&none);
    if (status == AFF_OK)
        status = find(put, ids, add, sales, &left);
    if (status == AFF_OK && left > 0)
        status = find(put, ids, again, sales, &wanted);
    *ret_created = (uint32_t)(before - left);
    if (status == AFF_OK && wanted > 0)
        status = aff_error_set(put->reterr, AFF_DATA,
                               "%zu ids were deleted while an order that names them was written", wanted);
    return status;
}

/* ---- prices ---- */

static void note_sales(const struct aff_put *put, struct sale *sales)
{
    for (size_t i = 0; i < put->n_runs; i++) {
        const struct aff_put_run *run = &put->runs[i];
        for (size_t l = 0; l < run->order->n_lines && !run->cancels; l++) {
            const struct aff_order_line *line = &run->order->lines[l];
            struct sale *sale = &sales[aff_ids_find(&put->products, line->product_id) - put->products.all];
            if (line->quantity <= 0 || line->unit_price == 0)
                continue;
            if (sale->price == 0 || run->ordered_at_us > sale->at_us ||
                (run->ordered_at_us == sale->at_us && line->unit_price < sale->price)) {
                sale->at_us = run->ordered_at_us;
                sale->price = line->unit_price;
            }
        }
    }
}

static bool any_to_price(const struct aff_put *put, const struct sale *sales)
{
    for (size_t i = 0; i < put->products.n; i++)
        if (sales[i].unpriced && sales[i].price > 0)
            return true;
    return false;
}

static aff_status price_products(struct aff_put *put, const struct sale *sales)
{
    struct aff_array arrays[2] = {{0}};
    PGresult *result = NULL;

    for (size_t i = 0; i < put->products.n; i++)
        if (sales[i].unpriced && sales[i].price > 0) {
            aff_array_add_int64(&arrays[0], put->products.all[i].number);
            aff_array_add_int64(&arrays[1], sales[i].price);
        }
    aff_status status =
        aff_put_query(put,
                      "UPDATE affinity.product p SET price = n.price, updated_at = now()"
                      " FROM unnest($2::integer[], $3::bigint[]) n (product, price)"
                      " WHERE p.store = $1::integer AND p.product = n.product AND p.price IS NULL",
                      arrays, 2, &result);
    if (status == AFF_OK)
        put->report.products_priced = (uint32_t)strtoul(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    aff_array_done(&arrays[0]);
    aff_array_done(&arrays[1]);
    return status;
}

/* Products that were created or priced are told to the services: all that had no price before. */
static aff_status tell(struct aff_put *put, const struct sale *sales)
{
    struct aff_array keys = {0};

    for (size_t i = 0; i < put->products.n; i++)
        if (sales[i].unpriced)
            aff_array_add_int64(&keys, put->products.all[i].number);
    aff_status status =
        aff_catalogue_changed(put->connection, atoi(put->store), AFF_CHANGED_PRODUCT, &keys, put->reterr);
    aff_array_done(&keys);
    return status;
}

static aff_status put_products(struct aff_put *put, struct sale *sales)
{
    size_t missing = 0;
    aff_status status = find(put, &put->products, FIND_PRODUCTS, sales, &missing);

    if (status != AFF_OK)
        return status;
    note_sales(put, sales);
    if (missing == 0 && !any_to_price(put, sales))
        return AFF_OK;
    status = aff_catalogue_lock(put->connection, atoi(put->store), put->reterr);
    if (status == AFF_OK && missing > 0)
        status = create(put, &put->products, ADD_PRODUCTS, FIND_PRODUCTS, sales, &put->report.products_new);
    if (status == AFF_OK && any_to_price(put, sales))
        status = price_products(put, sales);
    if (status == AFF_OK && put->report.products_new + put->report.products_priced > 0)
        status = tell(put, sales);
    return status;
}

aff_status aff_put_ids(struct aff_put *put)
{
    size_t missing = 0;
    aff_status status = collect(put);
    struct sale *sales = calloc(put->products.n + 1, sizeof *sales);

    if (sales == NULL)
        return aff_put_no_memory(put);
    if (status == AFF_OK)
        status = put_products(put, sales);
    free(sales);
    if (status == AFF_OK)
        status = find(put, &put->customers, FIND_CUSTOMERS, NULL, &missing);
    if (status == AFF_OK && missing > 0)
        status =
            create(put, &put->customers, ADD_CUSTOMERS, FIND_CUSTOMERS, NULL, &put->report.customers_new);
    for (size_t i = 0; i < put->n_runs && status == AFF_OK; i++)
        if (put->runs[i].customer_id.size > 0)
            put->runs[i].customer = aff_ids_find(&put->customers, put->runs[i].customer_id)->number;
    return status;
}

int64_t aff_put_product(const struct aff_put *put, struct aff_text id)
{
    return aff_ids_find(&put->products, id)->number;
}
