/* SPDX-License-Identifier: Apache-2.0 */
/* Pair counts in memory that change with the orders: what whoever folds keeps, so that the neighbours of a
 * changed product can be scored again at once. The counts equal those of affinity.product_stat and
 * affinity.pair_together at one version, and the months of the products those of affinity.product_month.
 *
 * Products are rows by ascending key. One thread changes, none reads meanwhile. Memory: 72 bytes a pair and
 * 104 a product, 6 a month of a product, and up to an eighth more for what comes. */
#pragma once

#include "core/learn/delta.h"
#include "core/learn/links.h"
#include "core/learn/rows.h"

#include <stddef.h>
#include <stdint.h>

struct aff_live_pairs;

/* No counts yet; `keys` are the products that are known, ascending (AFF_INVALID otherwise). */
AFF_MUST_CHECK aff_status aff_live_pairs_new(const int32_t *keys, uint32_t n,
                                             struct aff_live_pairs **ret_live);
void aff_live_pairs_free(struct aff_live_pairs *live); /* NULL is a no-op */

/* ---- loading, before the first delta ---- */

/* A product's totals. AFF_NOTFOUND: not among the keys. */
AFF_MUST_CHECK aff_status aff_live_pairs_set_stat(struct aff_live_pairs *live,
                                                  const struct aff_product_stat *stat);

/* A pair of product keys a < b; pairs come by ascending a, then b (AFF_INVALID otherwise). AFF_NOTFOUND as
 * above. */
AFF_MUST_CHECK aff_status aff_live_pairs_add(struct aff_live_pairs *live, int32_t a, int32_t b,
                                             const struct aff_pair *pair);

/* Baskets of a month with the product, or AFF_EVERY_PRODUCT, as stored. AFF_NOTFOUND as above, AFF_DATA: not
 * above 0. */
AFF_MUST_CHECK aff_status aff_live_pairs_set_month(struct aff_live_pairs *live, int32_t product,
                                                   int16_t month, int32_t orders);

/* Baskets in all and the sum of their weights. */
void aff_live_pairs_set_totals(struct aff_live_pairs *live, uint64_t orders, int64_t weight);

/* The residual of a product as it was stored (core/learn/ridge.h); 0: not known. Unknown keys are ignored. */
void aff_live_pairs_set_residual(struct aff_live_pairs *live, int32_t product, float residual);

/* ---- changing ---- */

/* Adds a delta. Products that it names for the first time are added; if their keys are not above all others,
 * that takes time in proportion to the pairs. AFF_DATA: a count would become negative, so these counts are
 * not those that the delta belongs to. After a failure the counts are to be thrown away. */
AFF_MUST_CHECK aff_status aff_live_pairs_apply(struct aff_live_pairs *live, const struct aff_delta *delta);

/* Solves for the residuals that are not known yet of products that have pairs; nothing to do unless the
 * room's method is ridge. */
AFF_MUST_CHECK aff_status aff_live_pairs_solve_missing(struct aff_live_pairs *live,
                                                       struct aff_rows_room *room,
                                                       const struct aff_watch *watch);

/* Makes the rows of the products with the given keys, which differ, and renews their residuals; keys that are
 * not known are left out. The sink's `a` and `row` are rows: aff_live_pairs_key() names their products. Time
 * does not depend on the number of products. */
AFF_MUST_CHECK aff_status aff_live_pairs_rows(struct aff_live_pairs *live, struct aff_rows_room *room,
                                              const int32_t *products, size_t n,
                                              const struct aff_watch *watch, aff_rows_sink sink,
                                              void *context);

/* ---- looking ---- */

uint32_t aff_live_pairs_size(const struct aff_live_pairs *live);
int32_t aff_live_pairs_key(const struct aff_live_pairs *live, uint32_t row);

/* NULL: the product is not known; no basket holds both. */
const struct aff_product_stat *aff_live_pairs_stat(const struct aff_live_pairs *live, int32_t product);
const struct aff_pair *aff_live_pairs_find(const struct aff_live_pairs *live, int32_t x, int32_t y);

/* Months of a product or of AFF_EVERY_PRODUCT; empty where it is not known. */
struct aff_month_row aff_live_pairs_months(const struct aff_live_pairs *live, int32_t product);

uint64_t aff_live_pairs_count(const struct aff_live_pairs *live);
size_t aff_live_pairs_bytes(const struct aff_live_pairs *live);
