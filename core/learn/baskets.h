/* SPDX-License-Identifier: Apache-2.0 */
/* A store's finished orders in memory, grouped from their lines: what all counting works on.
 *
 * A builder takes the lines in any order (lines of one order that come together are cheapest) and makes
 * baskets from them: repeated products of an order become one line, orders older than the window are left
 * out, baskets beyond the cap are truncated. The result does not depend on the order in which the lines came.
 * Sums of revenue and margin over any set of lines fit 63 bits: adding refuses lines beyond that. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

#define AFF_NO_CUSTOMER INT64_MIN /* an order without customer */
#define AFF_NO_BASKET UINT32_MAX

/* A line that counts. Money is minor units; times are microseconds. */
struct aff_line {
    int64_t order_key;
    int64_t customer; /* AFF_NO_CUSTOMER for a guest */
    int64_t at_us;
    int64_t revenue, margin; /* of the units that were not returned; margin 0 if the cost is unknown */
    int32_t product;         /* affinity.product.product, not negative */
    bool discounted;
};

/* What an earlier count was made with, for baskets that are to be compared with it. */
struct aff_baskets_frame {
    int64_t landmark_us;
    int64_t counted_from_us; /* baskets older than this are left out */
};

struct aff_baskets_settings {
    int64_t window_us;   /* baskets older than this before the newest one are left out */
    int64_t half_life_s; /* core/learn/decay.h; the landmark is the newest basket */
    uint32_t cap; /* distinct products of one basket that are kept: by revenue, then the lower product */
    const struct aff_baskets_frame *frame; /* instead of window and newest basket; NULL: none */
};

/* One distinct product of a basket. */
struct aff_basket_line {
    int64_t revenue, margin;
    uint32_t row;        /* of the product */
    uint32_t discounted; /* 1 if one of its lines was */
};

/* Immutable; read by any number of threads. Products are rows 0 .. n_products - 1 by ascending key; baskets
 * are sorted by time, then by order key; the lines of a basket by product row. */
struct aff_baskets {
    uint32_t n_products, n_baskets, n_lines, n_customers;
    int32_t *products; /* key of each product row */

    int64_t *at_us;   /* of each basket */
    int64_t *weights; /* of each basket, fixed point (core/learn/decay.h) */
    uint32_t *starts; /* n_baskets + 1: basket o holds the lines starts[o] .. starts[o + 1] - 1 */
    struct aff_basket_line *lines;
    uint32_t *basket_of; /* basket of each line */

    uint32_t *product_starts; /* n_products + 1: into `positions` */
    uint32_t *positions;      /* numbers of the lines that hold the product, by time */

    int64_t *customers;         /* n_customers keys, ascending */
    uint32_t *customer_starts;  /* n_customers + 1: into `customer_baskets` */
    uint32_t *customer_baskets; /* by time */

    int64_t landmark_us, half_life_s;
    int64_t from_us, to_us;                     /* oldest and newest basket; 0 without baskets */
    int64_t weight;                             /* sum over baskets */
    uint64_t truncated_orders, truncated_lines; /* baskets over the cap; distinct products dropped */
    uint64_t old_orders;                        /* orders before the window */
};

struct aff_baskets_builder;

AFF_MUST_CHECK aff_status aff_baskets_builder_new(struct aff_baskets_builder **ret_builder);
void aff_baskets_builder_free(struct aff_baskets_builder *builder); /* NULL is a no-op */

/* Adds one line. AFF_DATA: negative product key. AFF_LIMIT: more than 2^32 - 2 lines, or the sum of all
 * revenues or of all absolute margins leaves 62 bits. The builder then can only be freed. */
AFF_MUST_CHECK aff_status aff_baskets_builder_add(struct aff_baskets_builder *builder,
                                                  const struct aff_line *line);

/* Makes the baskets and empties the builder, which can then only be freed. Orders whose lines disagree about
 * time or customer take the earliest time and the lowest customer. */
AFF_MUST_CHECK aff_status aff_baskets_builder_finish(struct aff_baskets_builder *builder,
                                                     const struct aff_baskets_settings *settings,
                                                     struct aff_baskets **ret_baskets);
void aff_baskets_free(struct aff_baskets *baskets); /* NULL is a no-op */
