/* SPDX-License-Identifier: Apache-2.0 */
#include "core/catalogue/catalogue_internal.h"

#include <assert.h>
#include <stdlib.h>

void aff_catalogue_free(struct aff_catalogue *catalogue)
{
    if (catalogue == NULL)
        return;
    free(catalogue->products);
    free(catalogue->eligibility);
    free(catalogue->durable);
    free(catalogue->popularity);
    free(catalogue->popular);
    free(catalogue->by_category);
    free(catalogue->category_start);
    free(catalogue->category_parent);
    free(catalogue->category_path);
    aff_idmap_done(&catalogue->ids);
    aff_idmap_done(&catalogue->categories);
    aff_keymap_done(&catalogue->keys);
    aff_arena_done(&catalogue->texts);
    free(catalogue);
}

uint32_t aff_catalogue_size(const struct aff_catalogue *catalogue)
{
    return catalogue->n;
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
    assert(row < catalogue->n);
    return &catalogue->products[row];
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
    return catalogue->popularity;
}

const uint32_t *aff_catalogue_popular(const struct aff_catalogue *catalogue, uint32_t category_row,
                                      uint32_t *ret_n)
{
    if (category_row == AFF_NO_ROW) {
        *ret_n = catalogue->n_popular;
        return catalogue->popular;
    }
    assert(category_row < catalogue->n_categories);
    uint32_t start = catalogue->category_start[category_row];
    *ret_n = catalogue->category_start[category_row + 1] - start;
    return catalogue->by_category + start;
}

uint32_t aff_catalogue_category_parent(const struct aff_catalogue *catalogue, uint32_t category_row)
{
    assert(category_row < catalogue->n_categories);
    return catalogue->category_parent[category_row];
}

uint32_t aff_catalogue_find_category(const struct aff_catalogue *catalogue, struct aff_text path)
{
    return aff_idmap_find(&catalogue->categories, path);
}

uint32_t aff_catalogue_categories(const struct aff_catalogue *catalogue)
{
    return catalogue->n_categories;
}

int64_t aff_catalogue_top_weight(const struct aff_catalogue *catalogue)
{
    return catalogue->top_weight;
}

size_t aff_catalogue_bytes(const struct aff_catalogue *catalogue)
{
    size_t row_bytes = sizeof *catalogue->products + sizeof *catalogue->eligibility +
                       sizeof *catalogue->durable + sizeof *catalogue->popularity +
                       sizeof *catalogue->popular + sizeof *catalogue->by_category;
    size_t category_bytes = sizeof *catalogue->category_start + sizeof *catalogue->category_parent +
                            sizeof *catalogue->category_path;

    return sizeof *catalogue + catalogue->n * row_bytes + catalogue->n_categories * category_bytes +
           aff_idmap_bytes(&catalogue->ids) + aff_idmap_bytes(&catalogue->categories) +
           aff_keymap_bytes(&catalogue->keys) + catalogue->texts.total;
}
