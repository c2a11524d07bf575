/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/intake/columns.h"

static const struct aff_column product_columns[] = {
#define X(name, column, type) {#column, type},
    AFF_PRODUCT_COLUMN_LIST(X)
#undef X
};

static const struct aff_column customer_columns[] = {
#define X(name, column, type) {#column, type},
    AFF_CUSTOMER_COLUMN_LIST(X)
#undef X
};

static const struct aff_columns products = {"product", product_columns, AFF_PRODUCT_COLUMNS};
static const struct aff_columns customers = {"customer", customer_columns, AFF_CUSTOMER_COLUMNS};

const struct aff_columns *aff_columns_of(enum aff_catalogue_kind kind)
{
    return kind == AFF_CATALOGUE_PRODUCTS ? &products : &customers;
}
