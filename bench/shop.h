/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of a synthetic shop for the benchmarks of learning. Baskets hold four products on average: seven of
 * ten from one theme of 200 products, the rest from the whole catalogue by popularity (Zipf). The products of
 * a theme are scattered over the keys, so that nothing is near in memory by construction. */
#pragma once

#include "core/base/clock.h"
#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/learn/baskets.h"
#include "core/learn/pairs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHOP_THEME = 200, SHOP_MOST_LINES = 64 };

/* Benchmarks end at the first failure. */
static inline void shop_check(aff_status status, const char *what)
{
    if (status == AFF_OK)
        return;
    (void)fprintf(stderr, "%s: %s\n", what, aff_status_text(status));
    exit(2);
}

static inline int32_t shop_product(struct aff_random *random, uint32_t n_products, uint32_t theme)
{
    uint64_t product;

    if (aff_random_below(random, 10) < 7)
        product = theme * SHOP_THEME + aff_random_below(random, SHOP_THEME);
    else /* the inverse of the distribution function of 1 / rank */
        product = (uint64_t)exp(aff_random_unit(random) * log((double)n_products));
    return (int32_t)(product % n_products * 7919 % n_products);
}

static inline uint32_t shop_theme(struct aff_random *random, uint32_t n_products)
{
    return (uint32_t)aff_random_below(random, n_products / SHOP_THEME + 1);
}

/* The pairs of `n_orders` orders of two years before day 700. */
static inline struct aff_pairs *shop_pairs(uint32_t n_products, uint32_t n_orders, int64_t half_life_s)
{
    const struct aff_baskets_settings plain = {
        .window_us = 1000 * AFF_DAY_US, .half_life_s = half_life_s, .cap = 512};
    struct aff_random random = {7};
    struct aff_baskets_builder *builder = NULL;
    struct aff_baskets *baskets = NULL;
    struct aff_pairs *pairs = NULL;

    shop_check(aff_baskets_builder_new(&builder), "orders");
    for (uint32_t o = 0; o < n_orders; o++) {
        uint32_t theme = shop_theme(&random, n_products);
        int64_t at_us = (int64_t)aff_random_below(&random, 700) * AFF_DAY_US;
        for (int line = 0; line == 0 || (line < SHOP_MOST_LINES && aff_random_below(&random, 4) != 0);
             line++) {
            const struct aff_line one = {.order_key = o,
                                         .customer = AFF_NO_CUSTOMER,
                                         .at_us = at_us,
                                         .revenue = 100,
                                         .product = shop_product(&random, n_products, theme)};
            shop_check(aff_baskets_builder_add(builder, &one), "orders");
        }
    }
    shop_check(aff_baskets_builder_finish(builder, &plain, &baskets), "baskets");
    aff_baskets_builder_free(builder);
    shop_check(aff_pairs_count(baskets, aff_parallel_threads(0), NULL, &pairs), "pairs");
    (void)printf("%u products, %u orders, %u lines, %llu pairs\n", (unsigned)baskets->n_products,
                 (unsigned)baskets->n_baskets, (unsigned)baskets->n_lines,
                 (unsigned long long)pairs->n_pairs);
    (void)fflush(stdout);
    aff_baskets_free(baskets);
    return pairs;
}
