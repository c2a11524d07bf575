/* SPDX-License-Identifier: Apache-2.0 */
/* Writing products or customers, from whatever source: rows go into a temporary table and from there, in the
 * same transaction, into the store's table. Only the columns that the source has are written; an id that is
 * not there yet is created, a row that is the same already is left alone. Nothing has changed until apply
 * commits.
 *
 * Used by one thread; the connection must not be used for anything else between open and close. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"
#include "sql/connection.h"

#include <stdint.h>

/* Columns of affinity.product and affinity.customer beside the id, with their type. */
#define AFF_PRODUCT_COLUMN_LIST(X)                                                                           \
    X(NAME, name, "text")                                                                                    \
    X(CATEGORY, category, "text")                                                                            \
    X(BRAND, brand, "text")                                                                                  \
    X(PRICE, price, "bigint")                                                                                \
    X(COMPARE_AT, compare_at, "bigint")                                                                      \
    X(COST, cost, "bigint")                                                                                  \
    X(STOCK, stock, "integer")                                                                               \
    X(AVAILABLE, available, "boolean")                                                                       \
    X(DURABLE, durable, "boolean")                                                                           \
    X(ATTRIBUTES, attributes, "jsonb")

#define AFF_CUSTOMER_COLUMN_LIST(X)                                                                          \
    X(COUNTRY, country, "text")                                                                              \
    X(SEGMENT, segment, "text")                                                                              \
    X(ATTRIBUTES, attributes, "jsonb")

enum aff_product_column {
#define X(name, column, type) AFF_PRODUCT_##name,
    AFF_PRODUCT_COLUMN_LIST(X)
#undef X
        AFF_PRODUCT_COLUMNS
};

enum aff_customer_column {
#define X(name, column, type) AFF_CUSTOMER_##name,
    AFF_CUSTOMER_COLUMN_LIST(X)
#undef X
        AFF_CUSTOMER_COLUMNS
};

enum aff_catalogue_kind { AFF_CATALOGUE_PRODUCTS, AFF_CATALOGUE_CUSTOMERS };

struct aff_catalogue_intake;

struct aff_catalogue_report {
    int64_t added, changed, unchanged;
    int64_t repeated; /* rows whose id came again later; the last one counts */
};

/* Takes the store's import lock and begins the transaction. Bit c of `columns` says that the source has
 * column c of the enum above. AFF_BUSY as in aff_intake_open(). */
AFF_MUST_CHECK aff_status aff_catalogue_intake_open(struct aff_connection *connection, int store,
                                                    enum aff_catalogue_kind kind, unsigned columns,
                                                    struct aff_catalogue_intake **ret_intake,
                                                    struct aff_error *reterr);

/* Adds one row. `values` has an entry for each column of the enum, those without a bit are not read: text
 * that the column's type accepts, or at == NULL for null (name to segment, flags and attributes must not be
 * null). */
AFF_MUST_CHECK aff_status aff_catalogue_intake_put(struct aff_catalogue_intake *intake, struct aff_text id,
                                                   const struct aff_text values[], struct aff_error *reterr);

/* Writes the rows and commits. */
AFF_MUST_CHECK aff_status aff_catalogue_intake_apply(struct aff_catalogue_intake *intake,
                                                     struct aff_catalogue_report *ret,
                                                     struct aff_error *reterr);

/* Gives the lock back and frees; what was not applied is gone. NULL is fine. */
void aff_catalogue_intake_close(struct aff_catalogue_intake *intake);
