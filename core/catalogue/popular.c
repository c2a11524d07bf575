/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/sort.h"
#include "core/catalogue/catalogue_internal.h"
#include "core/catalogue/newcomers.h"

#include <stdlib.h>

size_t aff_popular_bytes(uint64_t n, uint64_t capacity, uint64_t n_categories)
{
    return sizeof(struct aff_popular) + capacity * sizeof(float) +
           (n_categories + 1 + 2 * n) * sizeof(uint32_t);
}

static struct aff_popular *allocate(uint32_t n, uint32_t capacity, uint32_t n_categories)
{
    const size_t bytes = aff_popular_bytes(n, capacity, n_categories);
    struct aff_popular *popular = calloc(1, bytes);

    if (popular == NULL)
        return NULL;
    popular->bytes = bytes;
    popular->n = n;
    popular->n_categories = n_categories;
    popular->shares = (void *)(popular + 1);
    popular->start = (void *)(popular->shares + capacity);
    popular->bought = popular->start + n_categories + 1;
    popular->by_category = popular->bought + n;
    return popular;
}

/* What a list needs of a product, so that the records are read once, in their order. */
struct place {
    uint32_t category;
    bool bought;
};

/* Deals the rows, which come by falling popularity, to the lists of the store and of their categories. */
static void fill_lists(struct aff_popular *popular, const struct aff_keyed *order, const struct place *places,
                       uint32_t n)
{
    uint32_t *start = popular->start;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = order[i].value, category = places[row].category;
        if (places[row].bought)
            popular->bought[popular->n_bought++] = row;
        if (category != AFF_NO_ROW)
            popular->by_category[start[category]++] = row;
    }
    /* Each start has moved to the end of its list, which is the start of the next one. */
    for (uint32_t category = popular->n_categories; category > 0; category--)
        start[category] = start[category - 1];
    start[0] = 0;
}

/* Reads all records once: keys by falling weight, places, and the sizes of the categories' lists. */
static void read_records(struct aff_popular *popular, uint32_t n, aff_record_fn record, const void *context,
                         struct aff_keyed *order, struct place *places, struct aff_newest *newest)
{
    for (uint32_t row = 0; row < n; row++) {
        const struct aff_product *product = record(context, row);
        order[row] = (struct aff_keyed){.key = ~aff_sort_signed(product->weight), .value = row};
        places[row] = (struct place){product->category_row, product->orders > 0};
        aff_newest_see(newest, row, product);
        if (product->weight > popular->top_weight)
            popular->top_weight = product->weight;
        if (product->category_row != AFF_NO_ROW)
            popular->start[product->category_row + 1]++;
    }
    for (uint32_t category = 0; category < popular->n_categories; category++)
        popular->start[category + 1] += popular->start[category];
    for (uint32_t row = 0; row < n; row++) {
        int64_t weight = (int64_t)(~order[row].key ^ (UINT64_C(1) << 63));
        if (weight > 0)
            popular->shares[row] = (float)((double)weight / (double)popular->top_weight);
    }
}

void aff_popular_free(struct aff_popular *popular)
{
    if (popular == NULL)
        return;
    free(popular->newcomers);
    free(popular);
}

aff_status aff_popular_new(uint32_t n, uint32_t capacity, uint32_t n_categories, aff_record_fn record,
                           const void *context, struct aff_popular **ret_popular)
{
    struct aff_popular *popular = allocate(n, capacity, n_categories);
    /* Never an allocation of 0 bytes, whose NULL would look like a failure. */
    struct aff_keyed *order = malloc(((size_t)n + 1) * sizeof *order);
    struct aff_keyed *scratch = malloc(((size_t)n + 1) * sizeof *scratch);
    struct place *places = malloc(((size_t)n + 1) * sizeof *places);
    struct aff_newest newest = {0};
    aff_status status = AFF_NOMEM;

    if (popular != NULL && order != NULL && scratch != NULL && places != NULL) {
        read_records(popular, n, record, context, order, places, &newest);
        aff_sort_keyed(order, n, scratch);
        fill_lists(popular, order, places, n);
        status = aff_newcomers_new(&newest, popular, record, context, &popular->newcomers);
    }
    if (status == AFF_OK)
        *ret_popular = popular;
    else
        aff_popular_free(popular);
    free(order);
    free(scratch);
    free(places);
    return status;
}
