/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"
#include "sql/copy.h"
#include "sql/load/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define STATEMENT                                                                                            \
    "COPY (SELECT " AFF_LOAD_CUSTOMER_COLUMNS " FROM affinity.customer c"                                    \
    " LEFT JOIN affinity.customer_history h ON h.store = c.store AND h.customer = c.customer"                \
    " WHERE c.store = %d) TO STDOUT (FORMAT binary)"

struct loader {
    const struct aff_catalogue *catalogue;
    struct aff_customers_builder *builder;
    struct aff_purchase *purchases; /* grows with the longest history */
    size_t capacity;
};

/* Whole seconds that fit the index; times outside of 1970 to 2106 go to its nearest end. */
static uint32_t seconds_of(int64_t at_us)
{
    int64_t at_s = at_us / AFF_SECOND_US;

    if (at_s < 0)
        return 0;
    return at_s > UINT32_MAX ? UINT32_MAX : (uint32_t)at_s;
}

static aff_status broken(const struct aff_load_customer_row *row, struct aff_error *reterr, const char *what)
{
    return aff_error_set(reterr, AFF_DATA, "affinity.customer_history: customer %" PRId64 ": %s",
                         row->customer, what);
}

aff_status aff_load_customer_row(struct aff_copy_reader *reader, struct aff_load_customer_row *ret_row,
                                 struct aff_error *reterr)
{
    struct aff_load_customer_row row;

    row.customer = aff_copy_get_int64(reader, 0);
    row.id = aff_copy_get_text(reader);
    row.orders = (uint32_t)aff_copy_get_int32(reader, 0);
    row.products = aff_copy_get_array(reader, sizeof(int32_t));
    row.counts = aff_copy_get_array(reader, sizeof(int32_t));
    row.first_at = aff_copy_get_array(reader, sizeof(int64_t));
    row.last_at = aff_copy_get_array(reader, sizeof(int64_t));
    *ret_row = row;
    if (row.counts.n != row.products.n || row.first_at.n != row.products.n || row.last_at.n != row.products.n)
        return broken(ret_row, reterr, "products, counts, first_at and last_at_of differ in length");
    return AFF_OK;
}

aff_status aff_load_purchase(const struct aff_load_customer_row *row, size_t at,
                             struct aff_load_purchase *ret_purchase, struct aff_error *reterr)
{
    struct aff_load_purchase purchase = {
        .product = aff_copy_element_int32(row->products, at),
        .orders = (uint32_t)aff_copy_element_int32(row->counts, at),
        .first_s = seconds_of(aff_copy_element_time(row->first_at, at)),
        .last_s = seconds_of(aff_copy_element_time(row->last_at, at)),
    };

    if (at > 0 && purchase.last_s > seconds_of(aff_copy_element_time(row->last_at, at - 1)))
        return broken(row, reterr, "products are not in order, most recently bought first");
    *ret_purchase = purchase;
    return AFF_OK;
}

static aff_status reserve(struct loader *loader, size_t n, struct aff_error *reterr)
{
    if (n <= loader->capacity)
        return AFF_OK;
    struct aff_purchase *purchases = realloc(loader->purchases, n * 2 * sizeof *purchases);
    if (purchases == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    loader->purchases = purchases;
    loader->capacity = n * 2;
    return AFF_OK;
}

static aff_status read_purchases(struct loader *loader, const struct aff_load_customer_row *row,
                                 struct aff_error *reterr)
{
    aff_status status = reserve(loader, row->products.n, reterr);

    for (size_t i = 0; i < row->products.n && status == AFF_OK; i++) {
        struct aff_load_purchase purchase;
        status = aff_load_purchase(row, i, &purchase, reterr);
        if (status != AFF_OK)
            break;
        uint32_t at = aff_catalogue_find_key(loader->catalogue, purchase.product);
        if (at == AFF_NO_ROW)
            return aff_error_set(reterr, AFF_DATA,
                                 "affinity.customer_history: customer %" PRId64 ": product %" PRId32
                                 " is not in affinity.product",
                                 row->customer, purchase.product);
        loader->purchases[i] = (struct aff_purchase){at, purchase.orders, purchase.first_s, purchase.last_s};
    }
    return status;
}

static aff_status add_customers(struct aff_copy_reader *reader, struct loader *loader,
                                struct aff_error *reterr)
{
    for (;;) {
        bool more;
        aff_status status = aff_copy_read(reader, &more, reterr);
        if (status != AFF_OK || !more)
            return status;
        struct aff_load_customer_row row;
        status = aff_load_customer_row(reader, &row, reterr);
        if (status == AFF_OK)
            status = read_purchases(loader, &row, reterr);
        if (status != AFF_OK)
            return status;
        status = aff_customers_builder_add(loader->builder, row.id, row.orders, loader->purchases,
                                           (uint32_t)row.products.n);
        if (status == AFF_INVALID)
            return aff_error_set(reterr, AFF_DATA,
                                 "affinity.customer: customer %" PRId64
                                 ": its id is not 1 to %d bytes of UTF-8 without control characters, or"
                                 " another customer has it",
                                 row.customer, AFF_ID_MAX);
        if (status != AFF_OK)
            return aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
}

aff_status aff_load_customers(struct aff_connection *connection, int store,
                              const struct aff_catalogue *catalogue, struct aff_customers **ret_customers,
                              struct aff_error *reterr)
{
    char statement[sizeof STATEMENT + 16];
    struct loader loader = {.catalogue = catalogue};
    struct aff_copy_reader reader = {0};

    (void)snprintf(statement, sizeof statement, STATEMENT, store);
    aff_status status = aff_customers_builder_new(&loader.builder);
    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    status = aff_copy_read_begin(&reader, connection, statement, reterr);
    if (status == AFF_OK)
        status = add_customers(&reader, &loader, reterr);
    aff_copy_read_close(&reader);
    if (status == AFF_OK) {
        status = aff_customers_builder_finish(loader.builder, ret_customers);
        if (status != AFF_OK)
            (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
    aff_customers_builder_free(loader.builder);
    free(loader.purchases);
    return status;
}
