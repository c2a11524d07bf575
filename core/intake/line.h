/* SPDX-License-Identifier: Apache-2.0 */
/* One line of an order on its way in, from a file or from the API, with the shop's own ids. */
#pragma once

#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Value of `unit_cost` when the line does not say what the product cost. */
#define AFF_COST_UNKNOWN INT64_C(-1)

/* Texts are borrowed from whoever made the line. */
struct aff_order_line {
    struct aff_text order_id;
    struct aff_text customer_id; /* empty: a guest */
    struct aff_text product_id;
    int64_t ordered_at_us;
    int32_t quantity;   /* not 0; negative: units that come back */
    int64_t unit_price; /* minor units, not negative */
    int64_t unit_cost;  /* minor units, not negative, or AFF_COST_UNKNOWN */
    bool discounted;
    bool cancels; /* the order is a cancellation */
};

/* Hash of everything that the line says except the order's id. The sum of the hashes of an order's lines
 * modulo 2^64 is the order's digest: lines in another sequence give the same digest, and a line that is there
 * twice counts twice. Stored in the database, so the function never changes. */
uint64_t aff_order_line_hash(const struct aff_order_line *line);

/* The digest of an order as its sum of two halves: hash = high * 2^32 + low (mod 2^64), both signed, so that
 * SQL can add the halves as integers without overflow. */
struct aff_hash_halves {
    int32_t high, low;
};
struct aff_hash_halves aff_hash_split(uint64_t hash);
