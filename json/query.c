/* SPDX-License-Identifier: Apache-2.0 */
#include "json/query.h"

#include "core/base/clock.h"

#include <jansson.h>
#include <stdlib.h>

/* Moments that can be meant: the years 1900 to 9999 in days since 1970. */
#define FIRST_DAY (-25567.0)
#define LAST_DAY 2932896.0

static struct aff_text text_of(const json_t *value)
{
    return (struct aff_text){json_string_value(value), json_string_length(value)};
}

static aff_status read_id(struct aff_query *query, const json_t *value, struct aff_error *reterr)
{
    if (json_is_integer(value)) {
        query->id_is_number = true;
        query->id_number = json_integer_value(value);
        return AFF_OK;
    }
    if (!json_is_string(value))
        return aff_error_set(reterr, AFF_INVALID,
                             value == NULL ? "query_id is missing"
                                           : "query_id must be a text or a whole number");
    query->id = text_of(value);
    return AFF_OK;
}

static aff_status read_customer(struct aff_query *query, const json_t *value, struct aff_error *reterr)
{
    if (value == NULL || json_is_null(value))
        return AFF_OK;
    if (!json_is_string(value))
        return aff_error_set(reterr, AFF_INVALID, "customer_id must be a text or null");
    query->customer = text_of(value);
    if (query->customer.size > 0 && !aff_text_is_id(query->customer))
        return aff_error_set(reterr, AFF_INVALID,
                             "customer_id must be at most %d bytes without control characters", AFF_ID_MAX);
    return AFF_OK;
}

static aff_status read_cart(struct aff_query *query, const json_t *value, struct aff_error *reterr)
{
    if (!json_is_array(value))
        return aff_error_set(reterr, AFF_INVALID,
                             value == NULL ? "cart is missing" : "cart must be a list of product ids");
    size_t n = json_array_size(value);
    if (n > query->capacity) {
        struct aff_text *cart = realloc(query->cart, n * 2 * sizeof *cart);
        if (cart == NULL)
            return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
        query->cart = cart;
        query->capacity = n * 2;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *product = json_array_get(value, i);
        query->cart[i] = text_of(product);
        if (!json_is_string(product) || !aff_text_is_id(query->cart[i]))
            return aff_error_set(reterr, AFF_INVALID,
                                 "cart[%zu] must be a product id: a text of 1 to %d bytes without control"
                                 " characters",
                                 i, AFF_ID_MAX);
    }
    query->n_cart = n;
    return AFF_OK;
}

static aff_status read_at(struct aff_query *query, const json_t *value, struct aff_error *reterr)
{
    if (value == NULL || json_is_null(value))
        return AFF_OK;
    double days = json_number_value(value);
    if (!json_is_number(value) || !(days >= FIRST_DAY && days <= LAST_DAY))
        return aff_error_set(reterr, AFF_INVALID,
                             "at must be a number of days since 1970-01-01, for example 20778.5");
    query->has_at = true;
    query->at_us = (int64_t)(days * (double)AFF_DAY_US);
    return AFF_OK;
}

static void empty(struct aff_query *query)
{
    json_decref(query->root);
    *query = (struct aff_query){.cart = query->cart, .capacity = query->capacity};
}

aff_status aff_query_parse(struct aff_query *query, struct aff_text line, struct aff_error *reterr)
{
    json_error_t error;

    empty(query);
    query->root = json_loadb(line.size == 0 ? "" : line.at, line.size, JSON_REJECT_DUPLICATES, &error);
    if (query->root == NULL)
        return aff_error_set(reterr, AFF_INVALID, "not JSON at column %d: %s", error.column, error.text);
    aff_status status = AFF_OK;
    if (!json_is_object(query->root))
        status = aff_error_set(reterr, AFF_INVALID, "not a JSON object");
    if (status == AFF_OK)
        status = read_id(query, json_object_get(query->root, "query_id"), reterr);
    if (status == AFF_OK)
        status = read_customer(query, json_object_get(query->root, "customer_id"), reterr);
    if (status == AFF_OK)
        status = read_cart(query, json_object_get(query->root, "cart"), reterr);
    if (status == AFF_OK)
        status = read_at(query, json_object_get(query->root, "at"), reterr);
    if (status != AFF_OK)
        empty(query);
    return status;
}

void aff_query_done(struct aff_query *query)
{
    json_decref(query->root);
    free(query->cart);
    *query = (struct aff_query){0};
}
