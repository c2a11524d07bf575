/* SPDX-License-Identifier: Apache-2.0 */
#include "core/catalogue/catalogue_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

/* The catalogue grows in place; finishing adds the arrays that need all products. */
struct aff_catalogue_builder {
    struct aff_catalogue *catalogue; /* NULL once finished */
};

aff_status aff_catalogue_builder_new(struct aff_catalogue_builder **ret_builder)
{
    struct aff_catalogue_builder *builder = calloc(1, sizeof *builder);

    if (builder == NULL)
        return AFF_NOMEM;
    builder->catalogue = calloc(1, sizeof *builder->catalogue);
    if (builder->catalogue == NULL) {
        free(builder);
        return AFF_NOMEM;
    }
    *ret_builder = builder;
    return AFF_OK;
}

void aff_catalogue_builder_free(struct aff_catalogue_builder *builder)
{
    if (builder == NULL)
        return;
    aff_catalogue_free(builder->catalogue);
    free(builder);
}

static aff_status grow(struct aff_catalogue_builder *builder)
{
    struct aff_catalogue *catalogue = builder->catalogue;
    uint32_t capacity = catalogue->capacity == 0 ? 64 : catalogue->capacity * 2;
    struct aff_place *products = realloc(catalogue->products, capacity * sizeof *products);

    if (products == NULL)
        return AFF_NOMEM;
    catalogue->products = products;
    catalogue->capacity = capacity;
    return AFF_OK;
}

/* The row of the category `path`, which is made if it is new. */
static aff_status find_category(struct aff_catalogue *catalogue, struct aff_text path, uint32_t *ret_row)
{
    struct aff_categories *categories = &catalogue->categories;
    uint32_t row = aff_idmap_find(&categories->rows, path);

    if (row != AFF_NO_ROW) {
        *ret_row = row;
        return AFF_OK;
    }
    if (categories->n == categories->capacity) {
        aff_status status =
            aff_categories_reserve(categories, categories->capacity == 0 ? 16 : categories->capacity * 2);
        if (status != AFF_OK)
            return status;
    }
    struct aff_category *category = &categories->at[categories->n];
    aff_status status = aff_category_new(path, category);
    if (status != AFF_OK)
        return status;
    status = aff_idmap_add(&categories->rows, aff_category_path(category), categories->n);
    if (status != AFF_OK) {
        free(category->path);
        return status;
    }
    *ret_row = categories->n++;
    return AFF_OK;
}

/* Makes the record with its category. */
static aff_status make_record(struct aff_catalogue *catalogue, const struct aff_product *product,
                              struct aff_product **ret_record)
{
    struct aff_text category = {0};
    uint32_t category_row = AFF_NO_ROW;

    if (product->category.size > 0) {
        aff_status status = find_category(catalogue, product->category, &category_row);
        if (status != AFF_OK)
            return status;
        category = aff_category_path(&catalogue->categories.at[category_row]);
    }
    *ret_record = aff_record_new(product, category, category_row);
    return *ret_record == NULL ? AFF_NOMEM : AFF_OK;
}

aff_status aff_catalogue_builder_add(struct aff_catalogue_builder *builder, const struct aff_product *product)
{
    struct aff_catalogue *catalogue = builder->catalogue;
    struct aff_product *record = NULL;

    if (!aff_text_is_id(product->id) || aff_idmap_find(&catalogue->ids, product->id) != AFF_NO_ROW ||
        aff_keymap_find(&catalogue->keys, product->key) != AFF_NO_ROW)
        return AFF_INVALID;
    if (catalogue->n == UINT32_MAX / 2)
        return AFF_LIMIT;
    if (catalogue->n == catalogue->capacity) {
        aff_status status = grow(builder);
        if (status != AFF_OK)
            return status;
    }
    aff_status status = make_record(catalogue, product, &record);
    if (status == AFF_OK)
        status = aff_keymap_add(&catalogue->keys, record->key, catalogue->n);
    if (status == AFF_OK)
        status = aff_idmap_add(&catalogue->ids, record->id, catalogue->n);
    if (status != AFF_OK) {
        free(record);
        return status;
    }
    catalogue->record_bytes += aff_record_bytes(record);
    atomic_init(&catalogue->products[catalogue->n++].record, record);
    return AFF_OK;
}

aff_status aff_catalogue_builder_finish(struct aff_catalogue_builder *builder,
                                        struct aff_catalogue **ret_catalogue)
{
    struct aff_catalogue *catalogue = builder->catalogue;
    aff_status status = aff_catalogue_complete(catalogue);

    builder->catalogue = NULL;
    if (status == AFF_OK)
        *ret_catalogue = catalogue;
    else
        aff_catalogue_free(catalogue);
    return status;
}
