/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of aff_pairs, for the two ways of making them: memory of rows in blocks, so that rows can be
 * made in any order by several threads without copying them together afterwards. */
#pragma once

#include "core/learn/pairs.h"

struct aff_pair_block {
    struct aff_pair_block *next;
    uint32_t used, capacity;
    struct aff_pair *pairs;
    uint32_t *others;
};

/* Room for a row of n pairs from the newest of `blocks`, or from a new one put before it. */
AFF_MUST_CHECK aff_status aff_pair_block_take(struct aff_pair_block **blocks, uint32_t n,
                                              uint32_t **ret_others, struct aff_pair **ret_pairs);
void aff_pair_blocks_free(struct aff_pair_block *blocks);

/* Pairs with empty rows. */
AFF_MUST_CHECK aff_status aff_pairs_new(uint32_t n_products, struct aff_pairs **ret_pairs);

/* Counts the pairs of all rows. */
void aff_pairs_sum(struct aff_pairs *pairs);
