/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a small batch of products or customers inside a transaction of the caller, while others write, too.
 * Large files go through sql/intake/catalogue.h.
 *
 * An entry says some columns of one product or customer; the others stay as they are, or as the tables'
 * defaults if it is new. When something changes, the row of affinity.catalogue_state is locked first, its
 * version grows by one, and affinity.catalogue_change names what changed, so that versions commit in their
 * sequence. */
#pragma once

#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/catalogue/catalogue.h"
#include "sql/connection.h"
#include "sql/intake/catalogue.h"

#include <stddef.h>
#include <stdint.h>

/* Entries of one call, at most. */
enum { AFF_PUT_CATALOGUE_MAX = 10000 };

enum aff_put_outcome { AFF_PUT_ADDED, AFF_PUT_CHANGED, AFF_PUT_UNCHANGED };

struct aff_put_entry {
    struct aff_text id; /* an id (aff_text_is_id) */
    unsigned given;     /* bit c of enum aff_product_column or aff_customer_column: `values[c]` is said */
    /* Text that the column's type accepts, or at == NULL for null (name, category, brand, country, segment,
     * available, durable and attributes must not be null). Money is minor units, not negative. */
    const struct aff_text *values;
    enum aff_put_outcome outcome; /* out */
};

/* What the entries' rows hold now; zero before use, ended with aff_put_result_done(). */
struct aff_put_result {
    uint32_t added, changed, unchanged;
    int64_t
        version; /* of catalogue_state when the rows were read: with this batch, if it changed something */
    /* Products only: one for each entry, as the model wants them (core/index/update.h); learned counts are 0,
     * `category_row` AFF_NO_ROW. Texts and attributes belong to the result. */
    struct aff_product *products;
    /* One for each entry: affinity.product.product or affinity.customer.customer. */
    int64_t *keys;
    struct aff_arena arena;
};

/* Writes the entries. Entries with the same id are joined, the later one's columns count, and all of them get
 * the same outcome. The caller's transaction has to be READ COMMITTED (AFF_INVALID otherwise); nothing is
 * kept unless it commits, and nothing may be published before. AFF_LIMIT: too many entries. AFF_DATA: a value
 * does not fit its column; the transaction can then only be rolled back, so values are to be checked before.
 * *ret_result is untouched after a failure. */
AFF_MUST_CHECK aff_status aff_catalogue_put(struct aff_connection *connection, int store,
                                            enum aff_catalogue_kind kind, struct aff_put_entry *entries,
                                            size_t n_entries, struct aff_put_result *ret_result,
                                            struct aff_error *reterr);

void aff_put_result_done(struct aff_put_result *result);
