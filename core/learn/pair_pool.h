/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of pairs that come and go, by number; for core/learn/live_pairs.c. Pairs never move. */
#pragma once

#include "core/learn/pairs.h"

#include <stddef.h>
#include <stdint.h>

enum { AFF_PAIR_CHUNK_BITS = 16, AFF_PAIR_CHUNK = 1 << AFF_PAIR_CHUNK_BITS };

/* Zero before first use. */
struct aff_pair_pool {
    struct aff_pair **chunks;
    uint32_t n_chunks;
    uint32_t used;   /* numbers given out so far */
    uint32_t *given; /* numbers that came back */
    uint32_t n_given, given_capacity;
    uint64_t n; /* pairs in use */
};

static inline struct aff_pair *aff_pair_pool_at(const struct aff_pair_pool *pool, uint32_t number)
{
    return &pool->chunks[number >> AFF_PAIR_CHUNK_BITS][number & (AFF_PAIR_CHUNK - 1)];
}

/* A pair, uninitialised. AFF_LIMIT: there are 2^32 - 1. */
AFF_MUST_CHECK aff_status aff_pair_pool_take(struct aff_pair_pool *pool, uint32_t *ret_number);
AFF_MUST_CHECK aff_status aff_pair_pool_give(struct aff_pair_pool *pool, uint32_t number);
void aff_pair_pool_done(struct aff_pair_pool *pool);
size_t aff_pair_pool_bytes(const struct aff_pair_pool *pool);
