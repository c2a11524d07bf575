/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/viewed.h"

#include "core/learn/top.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Room for n more entries of `size` bytes; false: memory is out. */
static bool reserve(void **entries, size_t used, size_t n, size_t *capacity, size_t size)
{
    if (used + n <= *capacity)
        return true;
    size_t larger = (used + n) * 2;
    void *moved = realloc(*entries, larger * size);
    if (moved == NULL)
        return false;
    *entries = moved;
    *capacity = larger;
    return true;
}

static bool reserve_all(struct aff_viewed *viewed, uint32_t n_products, uint32_t n_pairs)
{
    void *products = viewed->products, *pairs = viewed->pairs;
    const bool good =
        reserve(&products, viewed->n_products, n_products, &viewed->product_capacity,
                sizeof *viewed->products) &&
        reserve(&pairs, viewed->n_pairs, n_pairs, &viewed->pair_capacity, sizeof *viewed->pairs);

    viewed->products = products;
    viewed->pairs = pairs;
    return good;
}

static bool holds(const int32_t *products, uint32_t n, int32_t product)
{
    uint32_t from = 0, to = n;

    while (from < to) {
        const uint32_t middle = (from + to) / 2;
        if (products[middle] < product)
            from = middle + 1;
        else
            to = middle;
    }
    return from < n && products[from] == product;
}

/* Counts `sign` for what `products` hold and `others` do not. */
static void count(struct aff_viewed *viewed, const int32_t *products, uint32_t n, const int32_t *others,
                  uint32_t n_others, int sign)
{
    bool kept[AFF_VIEWED_PRODUCTS];

    for (uint32_t i = 0; i < n; i++) {
        kept[i] = holds(others, n_others, products[i]);
        if (!kept[i])
            viewed->products[viewed->n_products++] = (struct aff_viewed_product){products[i], sign};
    }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = i + 1; j < n; j++)
            if (!kept[i] || !kept[j])
                viewed->pairs[viewed->n_pairs++] = (struct aff_viewed_pair){products[i], products[j], sign};
}

aff_status aff_viewed_add(struct aff_viewed *viewed, const int32_t *before, uint32_t n_before,
                          const int32_t *after, uint32_t n_after)
{
    if (n_before > AFF_VIEWED_PRODUCTS || n_after > AFF_VIEWED_PRODUCTS)
        return AFF_LIMIT;
    if (n_before == n_after && (n_after == 0 || memcmp(before, after, n_after * sizeof *after) == 0))
        return AFF_OK;
    if (!reserve_all(viewed, n_before + n_after, n_before * n_before + n_after * n_after))
        return AFF_NOMEM;
    count(viewed, before, n_before, after, n_after, -1);
    count(viewed, after, n_after, before, n_before, 1);
    viewed->sessions += (n_after > 0) - (n_before > 0);
    return AFF_OK;
}

static int by_product(const void *x, const void *y)
{
    const struct aff_viewed_product *a = x, *b = y;

    return a->product < b->product ? -1 : a->product > b->product;
}

static int by_pair(const void *x, const void *y)
{
    const struct aff_viewed_pair *a = x, *b = y;

    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    return a->b < b->b ? -1 : a->b > b->b;
}

void aff_viewed_sum(struct aff_viewed *viewed)
{
    size_t n = 0;

    if (viewed->n_products > 0)
        qsort(viewed->products, viewed->n_products, sizeof *viewed->products, by_product);
    for (size_t i = 0; i < viewed->n_products;) {
        struct aff_viewed_product sum = viewed->products[i++];
        for (; i < viewed->n_products && viewed->products[i].product == sum.product; i++)
            sum.sessions += viewed->products[i].sessions;
        if (sum.sessions != 0)
            viewed->products[n++] = sum;
    }
    viewed->n_products = n;
    n = 0;
    if (viewed->n_pairs > 0)
        qsort(viewed->pairs, viewed->n_pairs, sizeof *viewed->pairs, by_pair);
    for (size_t i = 0; i < viewed->n_pairs;) {
        struct aff_viewed_pair sum = viewed->pairs[i++];
        for (; i < viewed->n_pairs && by_pair(&viewed->pairs[i], &sum) == 0; i++)
            sum.sessions += viewed->pairs[i].sessions;
        if (sum.sessions != 0)
            viewed->pairs[n++] = sum;
    }
    viewed->n_pairs = n;
}

void aff_viewed_done(struct aff_viewed *viewed)
{
    free(viewed->products);
    free(viewed->pairs);
    *viewed = (struct aff_viewed){0};
}

/* Puts the kept others to the front; `room` has a place for each. */
static void arrange(const struct aff_top *top, struct aff_viewed_other *others, struct aff_viewed_other *room,
                    float *ret_scores)
{
    for (uint32_t i = 0; i < top->n; i++) {
        room[i] = others[top->entries[i].payload];
        ret_scores[i] = top->entries[i].score;
    }
    if (top->n > 0)
        memcpy(others, room, top->n * sizeof *others);
}

aff_status aff_viewed_row(const struct aff_viewed_settings *settings, uint32_t sessions, uint64_t total,
                          struct aff_viewed_other *others, uint32_t n, float *ret_scores, uint32_t *ret_n)
{
    struct aff_top top = {.capacity = settings->neighbours};
    struct aff_viewed_other *room = malloc(settings->neighbours * sizeof *room);

    top.entries = malloc(settings->neighbours * sizeof *top.entries);
    if (top.entries == NULL || room == NULL) {
        free(top.entries);
        free(room);
        return AFF_NOMEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct aff_viewed_other *other = &others[i];
        const struct aff_scored entry = {
            .score = (float)((double)other->sessions / sqrt((double)sessions * (double)other->in_all)),
            .row = i,
            .payload = i};
        if (other->sessions > 0 && other->in_all > 0 && sessions > 0 && aff_top_takes(&top, entry) &&
            aff_floors_pass(&settings->floors, other->sessions, sessions, other->in_all, total))
            aff_top_offer(&top, entry);
    }
    aff_top_sort(&top);
    arrange(&top, others, room, ret_scores);
    *ret_n = top.n;
    free(top.entries);
    free(room);
    return AFF_OK;
}
