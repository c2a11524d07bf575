/* SPDX-License-Identifier: Apache-2.0 */
/* Stores that are made for a test and thrown away. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

/* Removes the store and all that belongs to it. AFF_INVALID: its name does not begin with "verify-", so it is
 * no such store. AFF_NOTFOUND: there is none. Not inside a transaction. */
AFF_MUST_CHECK aff_status aff_scratch_remove(struct aff_connection *connection, const char *name,
                                             struct aff_error *reterr);

/* What two stores hold that the other does not, by the shop's ids; of one table. */
struct aff_scratch_difference {
    const char *table;
    int64_t rows;      /* of the first store */
    int64_t differing; /* rows that only one of the two has */
    char first[400];   /* one of them, as text; empty without any */
};

enum { AFF_SCRATCH_TABLES = 7 };

/* Compares the counts of two stores. Keys of products and customers may differ, but not their ids; both have
 * to have been counted with the same landmark, window and cap. */
AFF_MUST_CHECK aff_status aff_scratch_compare(
    struct aff_connection *connection, int store, int other,
    struct aff_scratch_difference ret_differences[AFF_SCRATCH_TABLES], struct aff_error *reterr);
