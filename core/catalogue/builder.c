/* SPDX-License-Identifier: Apache-2.0 */
#include "core/catalogue/catalogue_internal.h"

#include <stdlib.h>

/* The catalogue grows in place; finishing adds the arrays that need all products. */
struct aff_catalogue_builder {
    struct aff_catalogue *catalogue; /* NULL once finished */
    size_t capacity;                 /* of products */
    size_t category_capacity;        /* of category_path */
};

/* A product in the order of popularity. */
struct place {
    int64_t weight;
    uint32_t row;
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
    size_t capacity = builder->capacity == 0 ? 64 : builder->capacity * 2;
    struct aff_product *products =
        realloc(builder->catalogue->products, capacity * sizeof *builder->catalogue->products);

    if (products == NULL)
        return AFF_NOMEM;
    builder->catalogue->products = products;
    builder->capacity = capacity;
    return AFF_OK;
}

static aff_status copy_text(struct aff_catalogue *catalogue, struct aff_text *text)
{
    *text = aff_arena_copy(&catalogue->texts, *text);
    return text->at == NULL ? AFF_NOMEM : AFF_OK;
}

static aff_status copy_attributes(struct aff_catalogue *catalogue, struct aff_product *product)
{
    size_t bytes = product->n_attributes * sizeof *product->attributes;

    if (bytes == 0) {
        product->attributes = NULL;
        return AFF_OK;
    }
    struct aff_attribute *copies = aff_arena_take(&catalogue->texts, bytes);
    if (copies == NULL)
        return AFF_NOMEM;
    memcpy(copies, product->attributes, bytes);
    product->attributes = copies;
    for (uint32_t i = 0; i < product->n_attributes; i++) {
        aff_status status = copy_text(catalogue, &copies[i].name);
        if (status == AFF_OK)
            status = copy_text(catalogue, &copies[i].value);
        if (status != AFF_OK)
            return status;
    }
    return AFF_OK;
}

/* The row of the category `path`, which is made if it is new. */
static aff_status find_category(struct aff_catalogue_builder *builder, struct aff_text path,
                                uint32_t *ret_row)
{
    struct aff_catalogue *catalogue = builder->catalogue;
    uint32_t row = aff_idmap_find(&catalogue->categories, path);

    if (row != AFF_NO_ROW) {
        *ret_row = row;
        return AFF_OK;
    }
    if (catalogue->n_categories == builder->category_capacity) {
        size_t capacity = builder->category_capacity == 0 ? 16 : builder->category_capacity * 2;
        struct aff_text *paths = realloc(catalogue->category_path, capacity * sizeof *paths);
        if (paths == NULL)
            return AFF_NOMEM;
        catalogue->category_path = paths;
        builder->category_capacity = capacity;
    }
    aff_status status = copy_text(catalogue, &path);
    if (status == AFF_OK)
        status = aff_idmap_add(&catalogue->categories, path, catalogue->n_categories);
    if (status != AFF_OK)
        return status;
    *ret_row = catalogue->n_categories;
    catalogue->category_path[catalogue->n_categories++] = path;
    return AFF_OK;
}

/* Copies what the record borrows, in place. */
static aff_status copy_record(struct aff_catalogue_builder *builder, struct aff_product *product)
{
    struct aff_catalogue *catalogue = builder->catalogue;
    aff_status status = copy_text(catalogue, &product->id);

    if (status == AFF_OK)
        status = copy_text(catalogue, &product->name);
    if (status == AFF_OK)
        status = copy_text(catalogue, &product->brand);
    if (status == AFF_OK)
        status = copy_attributes(catalogue, product);
    product->category_row = AFF_NO_ROW;
    if (status != AFF_OK || product->category.size == 0)
        return status;
    status = find_category(builder, product->category, &product->category_row);
    if (status == AFF_OK)
        product->category = catalogue->category_path[product->category_row];
    return status;
}

aff_status aff_catalogue_builder_add(struct aff_catalogue_builder *builder, const struct aff_product *product)
{
    struct aff_catalogue *catalogue = builder->catalogue;
    struct aff_product record = *product;

    if (!aff_text_is_id(product->id) || aff_idmap_find(&catalogue->ids, product->id) != AFF_NO_ROW ||
        aff_keymap_find(&catalogue->keys, product->key) != AFF_NO_ROW)
        return AFF_INVALID;
    if (catalogue->n == AFF_NO_ROW)
        return AFF_LIMIT;
    if (catalogue->n == builder->capacity) {
        aff_status status = grow(builder);
        if (status != AFF_OK)
            return status;
    }
    aff_status status = copy_record(builder, &record);
    if (status == AFF_OK)
        status = aff_keymap_add(&catalogue->keys, record.key, catalogue->n);
    if (status == AFF_OK)
        status = aff_idmap_add(&catalogue->ids, record.id, catalogue->n);
    if (status != AFF_OK)
        return status;
    catalogue->products[catalogue->n++] = record;
    return AFF_OK;
}

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;

    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

/* Deals the rows, which come by falling popularity, to the lists of the store and of their categories. */
static void fill_lists(struct aff_catalogue *catalogue, const struct place *places)
{
    uint32_t *start = catalogue->category_start;

    for (uint32_t row = 0; row < catalogue->n; row++)
        if (catalogue->products[row].category_row != AFF_NO_ROW)
            start[catalogue->products[row].category_row + 1]++;
    for (uint32_t category = 0; category < catalogue->n_categories; category++)
        start[category + 1] += start[category];
    for (uint32_t i = 0; i < catalogue->n; i++) {
        const struct aff_product *product = &catalogue->products[places[i].row];
        if (product->orders > 0)
            catalogue->popular[catalogue->n_popular++] = places[i].row;
        if (product->category_row != AFF_NO_ROW)
            catalogue->by_category[start[product->category_row]++] = places[i].row;
    }
    /* Each start has moved to the end of its list, which is the start of the next one. */
    for (uint32_t category = catalogue->n_categories; category > 0; category--)
        start[category] = start[category - 1];
    start[0] = 0;
}

static uint32_t find_parent(const struct aff_catalogue *catalogue, struct aff_text path)
{
    const struct aff_text separator = aff_text_of(AFF_CATEGORY_SEPARATOR);

    for (size_t end = path.size; end-- > 0;)
        if (path.size - end > separator.size && memcmp(path.at + end, separator.at, separator.size) == 0)
            return aff_idmap_find(&catalogue->categories, (struct aff_text){path.at, end});
    return AFF_NO_ROW;
}

static void fill_rows(struct aff_catalogue *catalogue, struct place *places)
{
    for (uint32_t row = 0; row < catalogue->n; row++) {
        const struct aff_product *product = &catalogue->products[row];
        bool sold_out = product->stock != AFF_NO_STOCK && product->stock <= 0;
        places[row] = (struct place){.weight = product->weight, .row = row};
        if (!product->available || sold_out)
            catalogue->eligibility[row] |= AFF_INELIGIBLE_UNAVAILABLE;
        if (product->price == AFF_NO_MONEY)
            catalogue->eligibility[row] |= AFF_INELIGIBLE_UNPRICED;
        catalogue->durable[row] = product->durable;
        if (product->weight > catalogue->top_weight)
            catalogue->top_weight = product->weight;
    }
    for (uint32_t row = 0; row < catalogue->n; row++) {
        int64_t weight = catalogue->products[row].weight;
        if (weight > 0)
            catalogue->popularity[row] = (float)((double)weight / (double)catalogue->top_weight);
    }
}

aff_status aff_catalogue_builder_finish(struct aff_catalogue_builder *builder,
                                        struct aff_catalogue **ret_catalogue)
{
    struct aff_catalogue *catalogue = builder->catalogue;
    size_t n =
        (size_t)catalogue->n + 1; /* never an allocation of 0 bytes, whose NULL would look like a failure */
    struct place *places = malloc(n * sizeof *places);

    catalogue->eligibility = calloc(n, sizeof *catalogue->eligibility);
    catalogue->durable = calloc(n, sizeof *catalogue->durable);
    catalogue->popularity = calloc(n, sizeof *catalogue->popularity);
    catalogue->popular = malloc(n * sizeof *catalogue->popular);
    catalogue->by_category = malloc(n * sizeof *catalogue->by_category);
    catalogue->category_start = calloc((size_t)catalogue->n_categories + 1, sizeof(uint32_t));
    catalogue->category_parent = malloc(((size_t)catalogue->n_categories + 1) * sizeof(uint32_t));
    if (places == NULL || catalogue->eligibility == NULL || catalogue->durable == NULL ||
        catalogue->popularity == NULL || catalogue->popular == NULL || catalogue->by_category == NULL ||
        catalogue->category_start == NULL || catalogue->category_parent == NULL) {
        free(places);
        aff_catalogue_free(catalogue);
        builder->catalogue = NULL;
        return AFF_NOMEM;
    }
    fill_rows(catalogue, places);
    qsort(places, catalogue->n, sizeof *places, compare_places);
    fill_lists(catalogue, places);
    for (uint32_t category = 0; category < catalogue->n_categories; category++)
        catalogue->category_parent[category] = find_parent(catalogue, catalogue->category_path[category]);
    free(places);
    builder->catalogue = NULL;
    *ret_catalogue = catalogue;
    return AFF_OK;
}
