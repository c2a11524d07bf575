/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the live pairs; for core/learn/live_pairs*.c only. */
#pragma once

#include "core/learn/live_months.h"
#include "core/learn/live_pairs.h"
#include "core/learn/pair_pool.h"

/* The others of one product, by ascending row. The three arrays are parallel and lie in one block. */
struct aff_live_row {
    uint32_t n, capacity;
    uint32_t *others;
    float *weights;
    uint32_t *pairs; /* numbers in the pool */
};

struct aff_live_pairs {
    uint32_t n, capacity; /* products */
    struct aff_product_stat *stats;
    float *own, *residuals;
    struct aff_live_row *rows;
    struct aff_live_months *months, every_month;
    struct aff_pair_pool pool;
    uint64_t orders;
    int64_t weight;
    uint64_t links;     /* room in all rows */
    size_t month_bytes; /* of the blocks of `months` */
};

/* The row of a product key; false: it is not known. */
bool aff_live_pairs_find_row(const struct aff_live_pairs *live, int32_t key, uint32_t *ret_row);

/* The counts of two rows, in either order, and their number in the pool; NULL: no basket holds both. */
struct aff_pair *aff_live_pairs_find_pair(const struct aff_live_pairs *live, uint32_t x, uint32_t y,
                                          uint32_t *ret_number);
