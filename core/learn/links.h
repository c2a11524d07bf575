/* SPDX-License-Identifier: Apache-2.0 */
/* Pair counts in the form that neighbours are scored from: for each product all others that share a basket
 * with it, with the weights as floats beside them, because that is what is read most. There are two sources:
 * a finished count (aff_pair_links_new) and counts that change (core/learn/live_pairs.h). */
#pragma once

#include "core/base/status.h"
#include "core/learn/pairs.h"

#include <stdint.h>

/* The others of one product, by ascending row, and the weight of each pair in units of a new one-product
 * basket; parallel arrays. */
struct aff_link_row {
    uint32_t n;
    const uint32_t *others;
    const float *weights;
};

/* What a source shows. Valid until the source changes; any number of threads may read meanwhile. */
struct aff_links {
    const void *source;
    struct aff_link_row (*row)(const void *source, uint32_t product);
    /* The counts of two different products, in either order; NULL if no basket holds both. */
    const struct aff_pair *(*find)(const void *source, uint32_t x, uint32_t y);
    /* Months of a product, or of all baskets; NULL: not known. */
    struct aff_month_row (*months)(const void *source, uint32_t product);
    struct aff_month_row (*every_month)(const void *source);
    uint32_t n_products;
    const struct aff_product_stat *stats; /* by row */
    const float *own;                     /* weight of each product, in the same unit */
    uint64_t orders;                      /* baskets in all */
};

struct aff_pair_links;

/* Links of a finished count, which must outlive them. Takes 16 bytes a pair. */
AFF_MUST_CHECK aff_status aff_pair_links_new(const struct aff_pairs *pairs,
                                             struct aff_pair_links **ret_links);
void aff_pair_links_free(struct aff_pair_links *links); /* NULL is a no-op */

struct aff_links aff_pair_links_view(const struct aff_pair_links *links);
