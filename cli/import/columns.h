/* SPDX-License-Identifier: Apache-2.0 */
/* Which column of a file is which of ours. */
#pragma once

#include "cli/import/rules.h"
#include "core/base/status.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stddef.h>

/* X(ENUM, name in the header, required) */
#define AFF_ORDER_FIELD_LIST(X)                                                                              \
    X(ORDER_ID, "order_id", true)                                                                            \
    X(CUSTOMER_ID, "customer_id", false)                                                                     \
    X(ORDERED_AT, "ordered_at", true)                                                                        \
    X(PRODUCT_ID, "product_id", true)                                                                        \
    X(QUANTITY, "quantity", true)                                                                            \
    X(UNIT_PRICE, "unit_price", true)                                                                        \
    X(UNIT_COST, "unit_cost", false)                                                                         \
    X(DISCOUNTED, "discounted", false)                                                                       \
    X(CURRENCY, "currency", false)

/* The first one is the id; the others are in the sequence of enum aff_product_column
 * (sql/intake/catalogue.h). */
#define AFF_PRODUCT_FIELD_LIST(X)                                                                            \
    X(ID, "product_id", true)                                                                                \
    X(NAME, "name", false)                                                                                   \
    X(CATEGORY, "category", false)                                                                           \
    X(BRAND, "brand", false)                                                                                 \
    X(PRICE, "price", false)                                                                                 \
    X(COMPARE_AT, "compare_at", false)                                                                       \
    X(COST, "cost", false)                                                                                   \
    X(STOCK, "stock", false)                                                                                 \
    X(AVAILABLE, "available", false)                                                                         \
    X(DURABLE, "durable", false)                                                                             \
    X(ATTRIBUTES, "attributes", false)

/* The first one is the id; the others are in the sequence of enum aff_customer_column. */
#define AFF_CUSTOMER_FIELD_LIST(X)                                                                           \
    X(ID, "customer_id", true)                                                                               \
    X(COUNTRY, "country", false)                                                                             \
    X(SEGMENT, "segment", false)                                                                             \
    X(ATTRIBUTES, "attributes", false)

#define AFF_SESSION_FIELD_LIST(X)                                                                            \
    X(ID, "session_id", true)                                                                                \
    X(PRODUCT, "item_id", true)                                                                              \
    X(AT, "ts", true)

#define X(name, text, required) AFF_ORDER_FIELD_##name,
enum aff_order_field { AFF_ORDER_FIELD_LIST(X) AFF_ORDER_FIELDS };
#undef X
#define X(name, text, required) AFF_PRODUCT_FIELD_##name,
enum aff_product_field { AFF_PRODUCT_FIELD_LIST(X) AFF_PRODUCT_FIELDS };
#undef X
#define X(name, text, required) AFF_CUSTOMER_FIELD_##name,
enum aff_customer_field { AFF_CUSTOMER_FIELD_LIST(X) AFF_CUSTOMER_FIELDS };
#undef X
#define X(name, text, required) AFF_SESSION_FIELD_##name,
enum aff_session_field { AFF_SESSION_FIELD_LIST(X) AFF_SESSION_FIELDS };
#undef X

#define AFF_FIELDS_MAX 16
#define AFF_ATTRIBUTES_MAX 256

struct aff_columns {
    int at[AFF_FIELDS_MAX]; /* column of each field of ours, from 0; -1: the file does not have it */
    int attributes[AFF_ATTRIBUTES_MAX]; /* columns whose name begins with "attr." */
    int n_attributes;
    char unknown[256]; /* names of columns that mean nothing to us, for a person; "": none */
};

/* True for a column of ours; attr.NAME is taken from the header and not mapped. */
bool aff_column_is_known(enum aff_import_what what, struct aff_text name);

/* Finds our columns in a header; names are compared without regard to case and to blanks around them.
 * AFF_IO names what is missing, or there twice. */
AFF_MUST_CHECK aff_status aff_columns_find(struct aff_columns *ret, enum aff_import_what what,
                                           const struct aff_rules *rules, const struct aff_text *header,
                                           size_t n, struct aff_error *reterr);
