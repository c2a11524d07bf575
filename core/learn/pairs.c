/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/pairs.h"

#include "core/base/sort.h"
#include "core/learn/pair_block.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_PAIRS = 1 << 16 };

aff_status aff_pair_block_take(struct aff_pair_block **blocks, uint32_t n, uint32_t **ret_others,
                               struct aff_pair **ret_pairs)
{
    struct aff_pair_block *block = *blocks;

    if (block == NULL || block->capacity - block->used < n) {
        uint32_t capacity = n > BLOCK_PAIRS ? n : BLOCK_PAIRS;
        block = malloc(sizeof *block);
        struct aff_pair *pairs = malloc(capacity * sizeof *pairs);
        uint32_t *others = malloc(capacity * sizeof *others);
        if (block == NULL || pairs == NULL || others == NULL) {
            free(block);
            free(pairs);
            free(others);
            return AFF_NOMEM;
        }
        *block =
            (struct aff_pair_block){.next = *blocks, .capacity = capacity, .pairs = pairs, .others = others};
        *blocks = block;
    }
    *ret_others = block->others + block->used;
    *ret_pairs = block->pairs + block->used;
    block->used += n;
    return AFF_OK;
}

void aff_pair_blocks_free(struct aff_pair_block *blocks)
{
    while (blocks != NULL) {
        struct aff_pair_block *next = blocks->next;
        free(blocks->pairs);
        free(blocks->others);
        free(blocks);
        blocks = next;
    }
}

aff_status aff_pairs_new(uint32_t n_products, struct aff_pairs **ret_pairs)
{
    struct aff_pairs *pairs = calloc(1, sizeof *pairs);

    if (pairs == NULL)
        return AFF_NOMEM;
    pairs->n_products = n_products;
    pairs->stats = calloc((size_t)n_products + 1, sizeof *pairs->stats);
    pairs->rows = calloc((size_t)n_products + 1, sizeof *pairs->rows);
    if (pairs->stats == NULL || pairs->rows == NULL) {
        aff_pairs_free(pairs);
        return AFF_NOMEM;
    }
    *ret_pairs = pairs;
    return AFF_OK;
}

void aff_pairs_sum(struct aff_pairs *pairs)
{
    pairs->n_pairs = 0;
    for (uint32_t a = 0; a < pairs->n_products; a++)
        pairs->n_pairs += pairs->rows[a].n;
}

void aff_pairs_free(struct aff_pairs *pairs)
{
    if (pairs == NULL)
        return;
    aff_pair_blocks_free(pairs->blocks);
    aff_months_free(pairs->months);
    free(pairs->stats);
    free(pairs->rows);
    free(pairs);
}

const struct aff_pair *aff_pairs_find(const struct aff_pairs *pairs, uint32_t x, uint32_t y)
{
    const struct aff_pair_row *row = &pairs->rows[x < y ? x : y];
    uint32_t b = x < y ? y : x;
    uint32_t low = 0, high = row->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (row->others[middle] < b)
            low = middle + 1;
        else
            high = middle;
    }
    return low < row->n && row->others[low] == b ? &row->pairs[low] : NULL;
}

uint32_t aff_pairs_row_of(const struct aff_pairs *pairs, int32_t product)
{
    uint32_t low = 0, high = pairs->n_products;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (pairs->stats[middle].product < product)
            low = middle + 1;
        else
            high = middle;
    }
    return low < pairs->n_products && pairs->stats[low].product == product ? low : UINT32_MAX;
}

/* ---- builder ---- */

struct aff_pairs_builder {
    struct aff_pairs *pairs;
    struct aff_keyed *added; /* key: both rows; value: index in `counts` */
    struct aff_pair *counts;
    uint32_t n, capacity;
};

aff_status aff_pairs_builder_new(const struct aff_product_stat *stats, uint32_t n_products, uint64_t orders,
                                 int64_t weight, struct aff_pairs_builder **ret_builder)
{
    struct aff_pairs_builder *builder = calloc(1, sizeof *builder);
    aff_status status = builder == NULL ? AFF_NOMEM : aff_pairs_new(n_products, &builder->pairs);

    for (uint32_t i = 1; i < n_products && status == AFF_OK; i++)
        if (stats[i].product <= stats[i - 1].product)
            status = AFF_INVALID;
    if (status != AFF_OK) {
        aff_pairs_builder_free(builder);
        return status;
    }
    if (n_products > 0)
        memcpy(builder->pairs->stats, stats, n_products * sizeof *stats);
    builder->pairs->orders = orders;
    builder->pairs->weight = weight;
    *ret_builder = builder;
    return AFF_OK;
}

void aff_pairs_builder_free(struct aff_pairs_builder *builder)
{
    if (builder == NULL)
        return;
    aff_pairs_free(builder->pairs);
    free(builder->added);
    free(builder->counts);
    free(builder);
}

static aff_status make_room(struct aff_pairs_builder *builder)
{
    uint64_t capacity = builder->capacity == 0 ? 4096 : (uint64_t)builder->capacity * 2;

    if (builder->n < builder->capacity)
        return AFF_OK;
    if (capacity > UINT32_MAX)
        return AFF_LIMIT;
    struct aff_keyed *added = realloc(builder->added, capacity * sizeof *added);
    if (added == NULL)
        return AFF_NOMEM;
    builder->added = added;
    struct aff_pair *counts = realloc(builder->counts, capacity * sizeof *counts);
    if (counts == NULL)
        return AFF_NOMEM;
    builder->counts = counts;
    builder->capacity = (uint32_t)capacity;
    return AFF_OK;
}

aff_status aff_pairs_builder_add(struct aff_pairs_builder *builder, uint32_t a, uint32_t b,
                                 const struct aff_pair *pair)
{
    if (a >= b || b >= builder->pairs->n_products)
        return AFF_INVALID;
    aff_status status = make_room(builder);
    if (status != AFF_OK)
        return status;
    builder->added[builder->n] = (struct aff_keyed){(uint64_t)a << 32 | b, builder->n};
    builder->counts[builder->n++] = *pair;
    return AFF_OK;
}

/* Copies the sorted pairs from `from` on that belong to the row of `a`. */
static aff_status add_row(struct aff_pairs_builder *builder, uint32_t from, uint32_t *ret_end)
{
    uint32_t a = (uint32_t)(builder->added[from].key >> 32), end = from;
    struct aff_pairs *pairs = builder->pairs;
    struct aff_pair *counts;
    uint32_t *others;

    while (end < builder->n && builder->added[end].key >> 32 == a)
        end++;
    aff_status status = aff_pair_block_take(&pairs->blocks, end - from, &others, &counts);
    if (status != AFF_OK)
        return status;
    for (uint32_t i = from; i < end; i++) {
        if (i > from && builder->added[i].key == builder->added[i - 1].key)
            return AFF_INVALID;
        others[i - from] = (uint32_t)builder->added[i].key;
        counts[i - from] = builder->counts[builder->added[i].value];
    }
    pairs->rows[a].n = end - from;
    pairs->rows[a].others = others;
    pairs->rows[a].pairs = counts;
    *ret_end = end;
    return AFF_OK;
}

aff_status aff_pairs_builder_finish(struct aff_pairs_builder *builder, struct aff_pairs **ret_pairs)
{
    struct aff_keyed *scratch = malloc(((size_t)builder->n + 1) * sizeof *scratch);
    aff_status status = scratch == NULL ? AFF_NOMEM : AFF_OK;

    if (status == AFF_OK && builder->n > 0)
        aff_sort_keyed(builder->added, builder->n, scratch);
    free(scratch);
    for (uint32_t i = 0; i < builder->n && status == AFF_OK;)
        status = add_row(builder, i, &i);
    if (status != AFF_OK)
        return status;
    aff_pairs_sum(builder->pairs);
    *ret_pairs = builder->pairs;
    builder->pairs = NULL;
    builder->n = 0;
    return AFF_OK;
}
