/* SPDX-License-Identifier: Apache-2.0 */
#include "core/catalogue/catalogue_internal.h"
#include "core/catalogue/newcomers.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

static bool is_borrowed(const struct aff_catalogue *catalogue, const char *at)
{
    return catalogue->borrowed != NULL && at >= catalogue->borrowed &&
           at < catalogue->borrowed + catalogue->borrowed_bytes;
}

void aff_catalogue_free(struct aff_catalogue *catalogue)
{
    struct aff_categories *categories;

    if (catalogue == NULL)
        return;
    for (uint32_t row = 0; row < catalogue->n; row++) {
        struct aff_product *record =
            atomic_load_explicit(&catalogue->products[row].record, memory_order_relaxed);
        if (!aff_record_is_frozen(catalogue, record))
            free(record);
    }
    categories = &catalogue->categories;
    for (uint32_t i = 0; i < categories->n; i++)
        if (!is_borrowed(catalogue, categories->at[i].path))
            free(categories->at[i].path);
    free(categories->at);
    aff_idmap_done(&categories->rows);
    free(catalogue->products);
    free(catalogue->frozen);
    free(catalogue->eligibility);
    free(catalogue->durable);
    aff_popular_free(catalogue->popular);
    aff_idmap_done(&catalogue->ids);
    aff_keymap_done(&catalogue->keys);
    free(catalogue);
}

uint32_t aff_catalogue_size(const struct aff_catalogue *catalogue)
{
    return catalogue->n;
}

bool aff_catalogue_has_unlisted(const struct aff_catalogue *catalogue)
{
    return catalogue->n > catalogue->popular->n;
}

uint32_t aff_catalogue_capacity(const struct aff_catalogue *catalogue)
{
    return catalogue->capacity;
}

uint32_t aff_catalogue_find(const struct aff_catalogue *catalogue, struct aff_text id)
{
    return aff_idmap_find(&catalogue->ids, id);
}

uint32_t aff_catalogue_find_key(const struct aff_catalogue *catalogue, int32_t key)
{
    return aff_keymap_find(&catalogue->keys, key);
}

uint64_t aff_catalogue_prefetch(const struct aff_catalogue *catalogue, struct aff_text id)
{
    return aff_idmap_prefetch(&catalogue->ids, id);
}

uint32_t aff_catalogue_guess(const struct aff_catalogue *catalogue, struct aff_text id, uint64_t hash)
{
    return aff_idmap_guess(&catalogue->ids, id, hash);
}

uint32_t aff_catalogue_find_hashed(const struct aff_catalogue *catalogue, struct aff_text id, uint64_t hash)
{
    return aff_idmap_find_hashed(&catalogue->ids, id, hash);
}

const struct aff_product *aff_catalogue_product(const struct aff_catalogue *catalogue, uint32_t row)
{
    assert(row < catalogue->capacity);
    return atomic_load_explicit(&catalogue->products[row].record, memory_order_acquire);
}

const uint8_t *aff_catalogue_eligibility(const struct aff_catalogue *catalogue)
{
    return catalogue->eligibility;
}

const uint8_t *aff_catalogue_durable(const struct aff_catalogue *catalogue)
{
    return catalogue->durable;
}

const float *aff_catalogue_popularity(const struct aff_catalogue *catalogue)
{
    return catalogue->popular->shares;
}

const uint32_t *aff_catalogue_popular(const struct aff_catalogue *catalogue, uint32_t category_row,
                                      uint32_t *ret_n)
{
    const struct aff_popular *popular = catalogue->popular;

    if (category_row == AFF_NO_ROW) {
        *ret_n = popular->n_bought;
        return popular->bought;
    }
    assert(category_row < catalogue->categories.capacity);
    if (category_row >= popular->n_categories) {
        *ret_n = 0;
        return popular->by_category;
    }
    uint32_t start = popular->start[category_row];
    *ret_n = popular->start[category_row + 1] - start;
    return popular->by_category + start;
}

uint32_t aff_catalogue_category_parent(const struct aff_catalogue *catalogue, uint32_t category_row)
{
    assert(category_row < catalogue->categories.capacity);
    return atomic_load_explicit(&catalogue->categories.at[category_row].parent, memory_order_relaxed);
}

uint32_t aff_catalogue_find_category(const struct aff_catalogue *catalogue, struct aff_text path)
{
    return aff_idmap_find(&catalogue->categories.rows, path);
}

uint32_t aff_catalogue_categories(const struct aff_catalogue *catalogue)
{
    return catalogue->categories.n;
}

int64_t aff_catalogue_top_weight(const struct aff_catalogue *catalogue)
{
    return catalogue->popular->top_weight;
}

size_t aff_catalogue_bytes(const struct aff_catalogue *catalogue)
{
    const struct aff_categories *categories = &catalogue->categories;
    size_t bytes = sizeof *catalogue + catalogue->popular->bytes + catalogue->popular->newcomers->bytes +
                   catalogue->record_bytes + catalogue->frozen_bytes;

    bytes += catalogue->capacity *
             (sizeof catalogue->products[0] + sizeof *catalogue->eligibility + sizeof *catalogue->durable);
    bytes += categories->capacity * sizeof *categories->at;
    for (uint32_t i = 0; i < categories->n; i++)
        if (!is_borrowed(catalogue, categories->at[i].path))
            bytes += categories->at[i].path_size;
    return bytes + aff_idmap_bytes(&catalogue->ids) + aff_idmap_bytes(&categories->rows) +
           aff_keymap_bytes(&catalogue->keys);
}

uint64_t aff_catalogue_bytes_for(const struct aff_catalogue_shape *shape)
{
    const uint64_t products = aff_room_for((uint32_t)shape->products);
    const uint64_t categories = aff_room_for((uint32_t)shape->categories);
    const uint64_t newest = shape->products < AFF_NEWCOMERS ? shape->products : AFF_NEWCOMERS;

    return sizeof(struct aff_catalogue) + aff_popular_bytes(shape->products, products, shape->categories) +
           aff_newcomers_bytes(newest, shape->products) + shape->products * sizeof(struct aff_product) +
           shape->product_text + shape->attributes * sizeof(struct aff_attribute) + shape->attribute_text +
           products * (sizeof(struct aff_place) + 2 * sizeof(uint8_t)) +
           categories * sizeof(struct aff_category) + shape->category_text + aff_idmap_bytes_for(products) +
           aff_keymap_bytes_for(products) + aff_idmap_bytes_for(categories);
}
