/* SPDX-License-Identifier: Apache-2.0 */
/* Exact counts of products that share baskets: one entry an unordered pair, and the totals of each product.
 *
 * Made from baskets, or added pair by pair as the tables keep them. Immutable once made; read by any number
 * of threads. Memory: 52 bytes a pair. */
#pragma once

#include "core/base/parallel.h"
#include "core/base/status.h"
#include "core/learn/baskets.h"
#include "core/learn/months.h"

#include <stdint.h>

/* One product's own counts, as in affinity.product_stat. Money is minor units, weight fixed point. */
struct aff_product_stat {
    int32_t product;             /* key */
    uint32_t orders, discounted; /* baskets that hold it; of these, with a discounted line of it */
    int64_t weight, revenue, margin;
    int64_t last_at_us; /* newest basket */
};

/* A pair's counts, as in affinity.pair_together, with a < b. */
struct aff_pair {
    uint32_t orders, discounted; /* baskets with both; of these, with a discounted line of one of the two */
    int64_t weight;
    int64_t revenue_a, revenue_b, margin_a, margin_b; /* of each one's lines in these baskets */
};

/* All pairs of one product with higher ones, ascending by the other's row; parallel arrays. */
struct aff_pair_row {
    uint32_t n;
    const uint32_t *others;
    const struct aff_pair *pairs;
};

struct aff_pairs {
    uint32_t n_products;
    struct aff_product_stat *stats; /* by row; keys ascend. A product without baskets has orders 0 */
    uint64_t orders;                /* baskets in all */
    int64_t weight;                 /* sum of their weights */
    struct aff_pair_row *rows;      /* by row */
    uint64_t n_pairs;
    struct aff_pair_block *blocks; /* memory of the rows' `others` and `pairs` */
    struct aff_months *months;     /* of the same products; NULL: not known */
};

/* Counts all pairs on `n_threads` threads. For each product its baskets are walked and the other products
 * added up in a dense array of the thread; no hash table. Takes 48 bytes a product and thread while it runs.
 */
AFF_MUST_CHECK aff_status aff_pairs_count(const struct aff_baskets *baskets, int n_threads,
                                          const struct aff_watch *watch, struct aff_pairs **ret_pairs);
void aff_pairs_free(struct aff_pairs *pairs); /* NULL is a no-op */

/* The counts of two different products, in either order; NULL if no basket holds both. */
const struct aff_pair *aff_pairs_find(const struct aff_pairs *pairs, uint32_t x, uint32_t y);

/* The row of a product key, UINT32_MAX if there is none. */
uint32_t aff_pairs_row_of(const struct aff_pairs *pairs, int32_t product);

struct aff_pairs_builder;

/* Pairs among the given products (copied; keys must ascend: AFF_INVALID) over `orders` baskets of `weight`.
 */
AFF_MUST_CHECK aff_status aff_pairs_builder_new(const struct aff_product_stat *stats, uint32_t n_products,
                                                uint64_t orders, int64_t weight,
                                                struct aff_pairs_builder **ret_builder);
void aff_pairs_builder_free(struct aff_pairs_builder *builder); /* NULL is a no-op */

/* Adds the pair of rows a < b, in any order of pairs. AFF_INVALID: rows out of range or not ascending. */
AFF_MUST_CHECK aff_status aff_pairs_builder_add(struct aff_pairs_builder *builder, uint32_t a, uint32_t b,
                                                const struct aff_pair *pair);

/* Makes the pairs and empties the builder, which can then only be freed. AFF_INVALID: a pair came twice. */
AFF_MUST_CHECK aff_status aff_pairs_builder_finish(struct aff_pairs_builder *builder,
                                                   struct aff_pairs **ret_pairs);
