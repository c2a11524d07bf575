/* SPDX-License-Identifier: Apache-2.0 */
/* The columns that can be written of a product or customer, in the sequence of their enums
 * (sql/intake/catalogue.h). */
#pragma once

#include "sql/intake/catalogue.h"

struct aff_column {
    const char *name, *type;
};

struct aff_columns {
    const char *table; /* "product" or "customer": the table, and its key */
    const struct aff_column *all;
    int n;
};

/* Static storage. */
const struct aff_columns *aff_columns_of(enum aff_catalogue_kind kind);
