/* SPDX-License-Identifier: Apache-2.0 */
/* A synthetic store in memory for the benchmarks of the engine. Products belong to themes of 1,000; all
 * neighbours of a product are of its theme, chosen evenly, so that a cart of 5 of one theme with 100
 * neighbours each has about 410 distinct candidates. The rows of a theme are scattered over the whole
 * catalogue: nothing is near in memory by construction. */
#pragma once

#include "core/base/random.h"
#include "core/index/model.h"
#include "core/recommend/recommend.h"

#include <stdio.h>
#include <stdlib.h>

enum { SYNTHETIC_THEME = 1000 };

struct synthetic {
    uint32_t n_products, n_neighbours, n_customers;
    uint64_t seed;
    uint32_t *scattered; /* place in theme order -> row */
    uint32_t *places;    /* row -> place in theme order */
    struct aff_model *model;
};

/* Benchmarks end at the first failure. */
static inline void synthetic_check(aff_status status, const char *what)
{
    if (status == AFF_OK)
        return;
    (void)fprintf(stderr, "%s: %s\n", what, aff_status_text(status));
    exit(2);
}

static inline void *synthetic_memory(size_t n, size_t size)
{
    void *memory = calloc(n, size);

    if (memory == NULL)
        synthetic_check(AFF_NOMEM, "synthetic store");
    return memory;
}

static inline void synthetic_id(uint32_t row, char ret_id[16])
{
    (void)snprintf(ret_id, 16, "SKU-%08u", (unsigned)row);
}

static inline void synthetic_scatter(struct synthetic *store, struct aff_random *random)
{
    store->scattered = synthetic_memory(store->n_products, sizeof *store->scattered);
    store->places = synthetic_memory(store->n_products, sizeof *store->places);
    for (uint32_t i = 0; i < store->n_products; i++) {
        uint32_t j = (uint32_t)aff_random_below(random, i + 1u);
        store->scattered[i] = store->scattered[j];
        store->scattered[j] = i;
    }
    for (uint32_t i = 0; i < store->n_products; i++)
        store->places[store->scattered[i]] = i;
}

static inline struct aff_catalogue *synthetic_catalogue(const struct synthetic *store,
                                                        struct aff_random *random)
{
    struct aff_catalogue_builder *builder;
    struct aff_catalogue *catalogue;

    synthetic_check(aff_catalogue_builder_new(&builder), "catalogue");
    for (uint32_t row = 0; row < store->n_products; row++) {
        char id[16], name[48], category[48], brand[24];
        uint32_t theme = store->places[row] / SYNTHETIC_THEME;
        uint32_t orders = (uint32_t)(2000 / (1 + aff_random_below(random, 1000)));
        synthetic_id(row, id);
        (void)snprintf(name, sizeof name, "Product %u of theme %u", (unsigned)row, (unsigned)theme);
        (void)snprintf(category, sizeof category, "Theme %u > Shelf %u", (unsigned)theme,
                       (unsigned)aff_random_below(random, 10));
        (void)snprintf(brand, sizeof brand, "Brand %u", (unsigned)aff_random_below(random, 500));
        struct aff_product product = {
            .key = (int32_t)row + 1,
            .id = aff_text_of(id),
            .name = aff_text_of(name),
            .category = aff_text_of(category),
            .brand = aff_text_of(brand),
            .price = 100 + (int64_t)aff_random_below(random, 10000),
            .compare_at = AFF_NO_MONEY,
            .cost = AFF_NO_MONEY,
            .stock = AFF_NO_STOCK,
            .available = aff_random_below(random, 20) != 0,
            .orders = orders,
            .weight = (int64_t)orders << 18,
        };
        synthetic_check(aff_catalogue_builder_add(builder, &product), "product");
    }
    synthetic_check(aff_catalogue_builder_finish(builder, &catalogue), "catalogue");
    aff_catalogue_builder_free(builder);
    return catalogue;
}

static inline struct aff_customers *synthetic_customers(const struct synthetic *store,
                                                        struct aff_random *random)
{
    struct aff_customers_builder *builder;
    struct aff_customers *customers;

    synthetic_check(aff_customers_builder_new(&builder), "customers");
    for (uint32_t i = 0; i < store->n_customers; i++) {
        struct aff_purchase purchases[16];
        char id[16];
        uint32_t n = (uint32_t)aff_random_below(random, 16);
        (void)snprintf(id, sizeof id, "C%08u", (unsigned)i);
        for (uint32_t j = 0; j < n; j++) {
            uint32_t last_s = 1700000000u + (uint32_t)aff_random_below(random, 30000000);
            purchases[j] = (struct aff_purchase){
                .row = (uint32_t)((i * 7919u + j * 104729u) % store->n_products),
                .orders = 1 + (uint32_t)aff_random_below(random, 4),
                .first_s = last_s - 5000000,
                .last_s = last_s,
            };
        }
        synthetic_check(aff_customers_builder_add(builder, aff_text_of(id), n, purchases, n), "customer");
    }
    synthetic_check(aff_customers_builder_finish(builder, &customers), "customers");
    aff_customers_builder_free(builder);
    return customers;
}

/* A row for `row` of distinct products of its theme, falling scores. */
static inline struct aff_row *synthetic_row(const struct synthetic *store, uint32_t row,
                                            struct aff_random *random)
{
    struct aff_row *made;
    struct aff_neighbour *entries;
    struct aff_pair_counts *counts;
    uint32_t start = store->places[row] / SYNTHETIC_THEME * SYNTHETIC_THEME;
    uint32_t n_theme =
        store->n_products - start < SYNTHETIC_THEME ? store->n_products - start : SYNTHETIC_THEME;
    uint32_t n = store->n_neighbours < n_theme - 1 ? store->n_neighbours : n_theme - 1;
    uint16_t order[SYNTHETIC_THEME] = {0};

    synthetic_check(aff_row_new(n, &made, &entries, &counts), "row");
    for (uint32_t i = 0; i < n_theme; i++)
        order[i] = (uint16_t)i;
    float score = 0.2f;
    for (uint32_t i = 0, taken = 0; taken < n; i++) {
        uint32_t j = i + (uint32_t)aff_random_below(random, n_theme - i);
        uint16_t other = order[j];
        order[j] = order[i];
        if (store->scattered[start + other] == row)
            continue;
        entries[taken] = (struct aff_neighbour){.row = store->scattered[start + other], .score = score};
        counts[taken++] =
            (struct aff_pair_counts){.orders = 1 + n - taken, .weight = (int64_t)(n - taken) << 18};
        score *= (float)(0.94 + 0.06 * aff_random_unit(random));
    }
    return made;
}

static inline void synthetic_build(struct synthetic *store)
{
    struct aff_random random = {.state = store->seed};
    struct aff_model *model = synthetic_memory(1, sizeof *model);

    synthetic_scatter(store, &random);
    model->catalogue = synthetic_catalogue(store, &random);
    model->customers = synthetic_customers(store, &random);
    synthetic_check(aff_neighbours_new(store->n_products, &model->together), "neighbours");
    synthetic_check(aff_neighbours_new(store->n_products, &model->next), "neighbours");
    model->totals.orders = 1000000;
    for (uint32_t row = 0; row < store->n_products; row++)
        aff_neighbours_set(model->together, row, synthetic_row(store, row, &random));
    store->model = model;
}

/* Frees what the model does not own. */
static inline void synthetic_done(struct synthetic *store)
{
    free(store->scattered);
    free(store->places);
}

/* Carts of distinct products of one theme, as a shop would send them. */
struct synthetic_carts {
    uint32_t n, size;
    char (*ids)[16];
    struct aff_cart_line *lines;
};

static inline struct synthetic_carts synthetic_carts(const struct synthetic *store, uint32_t n, uint32_t size,
                                                     struct aff_random *random)
{
    struct synthetic_carts carts = {.n = n, .size = size};
    const uint32_t n_themes = store->n_products / SYNTHETIC_THEME;

    carts.ids = synthetic_memory((size_t)n * size, sizeof *carts.ids);
    carts.lines = synthetic_memory((size_t)n * size, sizeof *carts.lines);
    for (size_t i = 0; i < n; i++) {
        uint32_t start = (uint32_t)aff_random_below(random, n_themes) * SYNTHETIC_THEME;
        uint32_t at = (uint32_t)aff_random_below(random, SYNTHETIC_THEME);
        for (size_t line = i * size; line < (i + 1) * size; line++) {
            at = (at + 1 + (uint32_t)aff_random_below(random, SYNTHETIC_THEME / size)) % SYNTHETIC_THEME;
            synthetic_id(store->scattered[start + at], carts.ids[line]);
            carts.lines[line] = (struct aff_cart_line){
                .product = aff_text_of(carts.ids[line]), .quantity = 1, .price = AFF_NO_MONEY};
        }
    }
    return carts;
}

static inline void synthetic_carts_done(struct synthetic_carts *carts)
{
    free(carts->ids);
    free(carts->lines);
}

/* The common request: a cart, ten items. */
static inline struct aff_request synthetic_request(const struct synthetic_carts *carts, uint32_t number)
{
    return (struct aff_request){
        .cart = carts->lines + (size_t)number * carts->size,
        .n_cart = carts->size,
        .limit = AFF_LIMIT_DEFAULT,
        .price_min = AFF_NO_MONEY,
        .price_max = AFF_NO_MONEY,
        .now_us = INT64_C(1732000000000000),
    };
}

static inline int synthetic_compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

/* The value below which a share of `values` lies; sorts them. */
static inline double synthetic_quantile(double *values, size_t n, double share)
{
    qsort(values, n, sizeof *values, synthetic_compare);
    size_t at = (size_t)(share * (double)n);
    return values[at < n ? at : n - 1];
}
