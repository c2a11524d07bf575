/* SPDX-License-Identifier: Apache-2.0 */
/* New products beside the known products that they are like, so that an offer of a known one can make room
 * for a new one; for core/catalogue/ only. */
#pragma once

#include "core/catalogue/catalogue_internal.h"

/* By the row of the known product. One allocation, never changed. */
struct aff_newcomers {
    size_t bytes;
    uint64_t *known; /* a bit a row, set for those that links are of; behind the links */
    uint32_t n_rows; /* that have a bit */
    uint32_t n;
    struct aff_newcomer_link {
        uint32_t known;
        struct aff_newcomer newcomer;
    } links[];
};

/* The newest products of a store by key, while the records are read. Set to zero before the first. */
struct aff_newest {
    uint32_t n;
    struct {
        int32_t key;
        uint32_t row;
    } at[AFF_NEWCOMERS]; /* once full, the oldest first: a heap */
};

/* Memory of the links of so many new products in a store of so many. */
uint64_t aff_newcomers_bytes(uint64_t n_newest, uint64_t n_products);

void aff_newest_see(struct aff_newest *newest, uint32_t row, const struct aff_product *product);

/* Finds for each of them the products that it is like, by the lists of `popular`. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_newcomers_new(const struct aff_newest *newest,
                                            const struct aff_popular *popular, aff_record_fn record,
                                            const void *context, struct aff_newcomers **ret_newcomers);
