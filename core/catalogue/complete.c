/* SPDX-License-Identifier: Apache-2.0 */
#include "core/catalogue/catalogue_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

aff_status aff_categories_reserve(struct aff_categories *categories, uint32_t capacity)
{
    struct aff_category *at = realloc(categories->at, capacity * sizeof *at);

    if (at == NULL)
        return AFF_NOMEM;
    categories->at = at;
    categories->capacity = capacity;
    return AFF_OK;
}

aff_status aff_category_new(struct aff_text path, struct aff_category *ret_category)
{
    char *copy = malloc(path.size);

    if (copy == NULL)
        return AFF_NOMEM;
    memcpy(copy, path.at, path.size);
    ret_category->path = copy;
    ret_category->path_size = path.size;
    atomic_init(&ret_category->parent, AFF_NO_ROW);
    return AFF_OK;
}

static uint32_t find_parent(const struct aff_categories *categories, struct aff_text path)
{
    const struct aff_text separator = aff_text_of(AFF_CATEGORY_SEPARATOR);

    for (size_t end = path.size; end-- > 0;)
        if (path.size - end > separator.size && memcmp(path.at + end, separator.at, separator.size) == 0)
            return aff_idmap_find(&categories->rows, (struct aff_text){path.at, end});
    return AFF_NO_ROW;
}

void aff_categories_link(struct aff_categories *categories)
{
    for (uint32_t i = 0; i < categories->n; i++) {
        struct aff_category *category = &categories->at[i];
        if (atomic_load_explicit(&category->parent, memory_order_relaxed) == AFF_NO_ROW)
            atomic_store_explicit(&category->parent, find_parent(categories, aff_category_path(category)),
                                  memory_order_relaxed);
    }
}

static const struct aff_product *record_of(const void *context, uint32_t row)
{
    return aff_catalogue_product(context, row);
}

/* Gives everything by row and by category its room. */
static aff_status reserve(struct aff_catalogue *catalogue)
{
    struct aff_categories *categories = &catalogue->categories;
    const uint32_t capacity = aff_room_for(catalogue->n);
    const uint32_t category_capacity = aff_room_for(categories->n);
    struct aff_place *products = realloc(catalogue->products, capacity * sizeof *products);

    if (products == NULL)
        return AFF_NOMEM;
    catalogue->products = products;
    catalogue->capacity = capacity;
    for (uint32_t row = catalogue->n; row < capacity; row++)
        atomic_init(&catalogue->products[row].record, NULL);
    catalogue->eligibility = calloc(capacity, sizeof *catalogue->eligibility);
    catalogue->durable = calloc(capacity, sizeof *catalogue->durable);
    if (catalogue->eligibility == NULL || catalogue->durable == NULL)
        return AFF_NOMEM;
    aff_status status = aff_idmap_reserve(&catalogue->ids, capacity);
    if (status == AFF_OK)
        status = aff_keymap_reserve(&catalogue->keys, capacity);
    if (status == AFF_OK)
        status = aff_categories_reserve(categories, category_capacity);
    if (status == AFF_OK)
        status = aff_idmap_reserve(&categories->rows, category_capacity);
    return status;
}

aff_status aff_catalogue_complete(struct aff_catalogue *catalogue)
{
    aff_status status = reserve(catalogue);

    if (status == AFF_OK)
        status = aff_popular_new(catalogue->n, catalogue->capacity, catalogue->categories.n, record_of,
                                 catalogue, &catalogue->popular);
    if (status != AFF_OK)
        return status;
    for (uint32_t row = 0; row < catalogue->n; row++) {
        const struct aff_product *record = record_of(catalogue, row);
        catalogue->eligibility[row] = aff_record_eligibility(record);
        catalogue->durable[row] = record->durable;
    }
    aff_categories_link(&catalogue->categories);
    return AFF_OK;
}
