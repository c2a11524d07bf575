/* SPDX-License-Identifier: Apache-2.0 */
/* What the catalogue's builder and its readers share; for core/catalogue/ only. */
#pragma once

#include "core/base/arena.h"
#include "core/base/idmap.h"
#include "core/base/keymap.h"
#include "core/catalogue/catalogue.h"

_Static_assert(AFF_NO_ROW == AFF_IDMAP_NONE && AFF_NO_ROW == AFF_KEYMAP_NONE, "maps answer with rows");

struct aff_catalogue {
    struct aff_product *products;   /* n records */
    uint8_t *eligibility;           /* n */
    uint8_t *durable;               /* n, 0 or 1 */
    float *popularity;              /* n */
    uint32_t *popular;              /* rows of bought products by falling weight */
    uint32_t *by_category;          /* rows with a category, category by category, by falling weight */
    uint32_t *category_start;       /* n_categories + 1 positions in by_category */
    uint32_t *category_parent;      /* n_categories */
    struct aff_text *category_path; /* n_categories */
    uint32_t n, n_popular, n_categories;
    int64_t top_weight;
    struct aff_idmap ids, categories; /* id or category path to row */
    struct aff_keymap keys;
    struct aff_arena texts; /* ids, names, categories, brands, attributes */
};
