/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/pair_pool.h"

#include <stdlib.h>

aff_status aff_pair_pool_take(struct aff_pair_pool *pool, uint32_t *ret_number)
{
    if (pool->n_given > 0) {
        *ret_number = pool->given[--pool->n_given];
        pool->n++;
        return AFF_OK;
    }
    if (pool->used == UINT32_MAX)
        return AFF_LIMIT;
    if (pool->used == pool->n_chunks << AFF_PAIR_CHUNK_BITS) {
        struct aff_pair **chunks = realloc(pool->chunks, (pool->n_chunks + 1) * sizeof *chunks);
        if (chunks == NULL)
            return AFF_NOMEM;
        pool->chunks = chunks;
        chunks[pool->n_chunks] = malloc(AFF_PAIR_CHUNK * sizeof **chunks);
        if (chunks[pool->n_chunks] == NULL)
            return AFF_NOMEM;
        pool->n_chunks++;
    }
    *ret_number = pool->used++;
    pool->n++;
    return AFF_OK;
}

aff_status aff_pair_pool_give(struct aff_pair_pool *pool, uint32_t number)
{
    if (pool->n_given == pool->given_capacity) {
        uint32_t capacity = pool->given_capacity * 2 + 64;
        uint32_t *given = realloc(pool->given, capacity * sizeof *given);
        if (given == NULL)
            return AFF_NOMEM;
        pool->given = given;
        pool->given_capacity = capacity;
    }
    pool->given[pool->n_given++] = number;
    pool->n--;
    return AFF_OK;
}

void aff_pair_pool_done(struct aff_pair_pool *pool)
{
    for (uint32_t i = 0; i < pool->n_chunks; i++)
        free(pool->chunks[i]);
    free(pool->chunks);
    free(pool->given);
}

size_t aff_pair_pool_bytes(const struct aff_pair_pool *pool)
{
    return pool->n_chunks * (sizeof *pool->chunks + AFF_PAIR_CHUNK * sizeof **pool->chunks) +
           pool->given_capacity * sizeof *pool->given;
}
