/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/copy.h"
#include "sql/load/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define STATEMENT                                                                                            \
    "COPY (SELECT " AFF_LOAD_PRODUCT_COLUMNS " FROM affinity.product p"                                      \
    " LEFT JOIN affinity.product_stat s ON s.store = p.store AND s.product = p.product"                      \
    " LEFT JOIN affinity.viewed_stat v ON v.store = p.store AND v.product = p.product"                       \
    " WHERE p.store = %d ORDER BY p.product) TO STDOUT (FORMAT binary)"

static aff_status read_attributes(struct aff_copy_reader *reader, struct aff_load_attributes *attributes,
                                  struct aff_product *product)
{
    struct aff_copy_texts names = aff_copy_get_texts(reader);
    size_t n = names.left / 2;

    if (n > attributes->capacity) {
        struct aff_attribute *list = realloc(attributes->list, n * 2 * sizeof *list);
        if (list == NULL)
            return AFF_NOMEM;
        attributes->list = list;
        attributes->capacity = n * 2;
    }
    for (size_t i = 0; i < n; i++)
        attributes->list[i].name = aff_copy_texts_next(&names);
    for (size_t i = 0; i < n; i++)
        attributes->list[i].value = aff_copy_texts_next(&names);
    product->attributes = attributes->list;
    product->n_attributes = (uint32_t)n;
    return AFF_OK;
}

aff_status aff_load_product(struct aff_copy_reader *reader, struct aff_load_attributes *attributes,
                            struct aff_product *ret_product)
{
    /* The calls take the columns in their order, which an initialiser does not promise. */
    struct aff_product product = {.category_row = AFF_NO_ROW};

    product.key = aff_copy_get_int32(reader, 0);
    product.id = aff_copy_get_text(reader);
    product.name = aff_copy_get_text(reader);
    product.category = aff_copy_get_text(reader);
    product.brand = aff_copy_get_text(reader);
    product.price = aff_copy_get_int64(reader, AFF_NO_MONEY);
    product.compare_at = aff_copy_get_int64(reader, AFF_NO_MONEY);
    product.cost = aff_copy_get_int64(reader, AFF_NO_MONEY);
    product.stock = aff_copy_get_int32(reader, AFF_NO_STOCK);
    product.available = aff_copy_get_bool(reader);
    product.durable = aff_copy_get_bool(reader);
    product.orders = (uint32_t)aff_copy_get_int32(reader, 0);
    product.weight = aff_copy_get_int64(reader, 0);
    product.revenue = aff_copy_get_int64(reader, 0);
    product.margin = aff_copy_get_int64(reader, 0);
    product.last_at_us = aff_copy_get_time(reader, 0);
    product.discounted = (uint32_t)aff_copy_get_int32(reader, 0);
    product.sessions = (uint32_t)aff_copy_get_int32(reader, 0);
    *ret_product = product;
    return read_attributes(reader, attributes, ret_product);
}

static aff_status add_products(struct aff_copy_reader *reader, struct aff_load_attributes *attributes,
                               struct aff_catalogue_builder *builder, struct aff_error *reterr)
{
    for (;;) {
        bool more;
        aff_status status = aff_copy_read(reader, &more, reterr);
        if (status != AFF_OK || !more)
            return status;
        struct aff_product product;
        status = aff_load_product(reader, attributes, &product);
        if (status == AFF_OK)
            status = aff_catalogue_builder_add(builder, &product);
        if (status == AFF_INVALID)
            return aff_error_set(reterr, AFF_DATA,
                                 "affinity.product: product %" PRId32
                                 ": its id is not 1 to %d bytes of UTF-8 without control characters, or"
                                 " another product has it",
                                 product.key, AFF_ID_MAX);
        if (status != AFF_OK)
            return aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
}

aff_status aff_load_products(struct aff_connection *connection, int store,
                             struct aff_catalogue **ret_catalogue, struct aff_error *reterr)
{
    char statement[sizeof STATEMENT + 16];
    struct aff_catalogue_builder *builder = NULL;
    struct aff_load_attributes attributes = {0};
    struct aff_copy_reader reader = {0};

    (void)snprintf(statement, sizeof statement, STATEMENT, store);
    aff_status status = aff_catalogue_builder_new(&builder);
    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    status = aff_copy_read_begin(&reader, connection, statement, reterr);
    if (status == AFF_OK)
        status = add_products(&reader, &attributes, builder, reterr);
    aff_copy_read_close(&reader);
    if (status == AFF_OK) {
        status = aff_catalogue_builder_finish(builder, ret_catalogue);
        if (status != AFF_OK)
            (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
    aff_catalogue_builder_free(builder);
    free(attributes.list);
    return status;
}
