/* SPDX-License-Identifier: Apache-2.0 */
/* A catalogue whose records stand ready, for the snapshot file in core/index/. */
#pragma once

#include "core/catalogue/catalogue.h"

struct aff_frozen_products {
    struct aff_product *records; /* n, by row; `category` is set from category_row */
    uint32_t n, n_categories;
    size_t bytes;                      /* of the allocation that begins with the records */
    const struct aff_text *categories; /* paths by category row */
    char *borrowed;                    /* where the paths are, for as long as the catalogue */
    size_t borrowed_bytes;
};

/* Makes a catalogue that can be changed like one from a builder. It takes over the allocation of the records,
 * also on failure. AFF_DATA: an id, key or path comes twice, an id is none, or a category_row is wrong. */
AFF_MUST_CHECK aff_status aff_catalogue_freeze(const struct aff_frozen_products *frozen,
                                               struct aff_catalogue **ret_catalogue);

/* The path of a category below aff_catalogue_categories(). */
struct aff_text aff_catalogue_category(const struct aff_catalogue *catalogue, uint32_t category_row);

/* What aff_catalogue_bytes will be of a frozen catalogue, without `bytes` of the records. */
uint64_t aff_catalogue_frozen_bytes(uint32_t n, uint32_t n_categories);
