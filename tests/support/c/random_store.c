/* SPDX-License-Identifier: Apache-2.0 */
#include "random_store.h"

#include <stdio.h>
#include <stdlib.h>

static void must(aff_status status)
{
    if (status == AFF_OK)
        return;
    (void)fprintf(stderr, "random store: %s\n", aff_status_text(status));
    abort();
}

static uint32_t below(struct aff_random *random, uint32_t bound)
{
    return (uint32_t)aff_random_below(random, bound);
}

static bool one_in(struct aff_random *random, uint32_t n)
{
    return below(random, n) == 0;
}

void store_product_id(uint32_t row, char ret_id[24])
{
    (void)snprintf(ret_id, 24, "P%u", (unsigned)row);
}

int32_t store_product_key(uint32_t row)
{
    return (int32_t)(1000 + row * 3);
}

void store_customer_id(uint32_t number, char ret_id[24])
{
    (void)snprintf(ret_id, 24, "C%u", (unsigned)number);
}

static const char *const categories[] = {"",    "Tea", "Tea > Green", "Tea > Black", "Tea > Green > Sencha",
                                         "Cups"};
static const char *const brands[] = {"", "Aster", "Birch", "Cedar"};
static const char *const names[] = {"",          "red cup",        "Red cup large", "green tea 50 g",
                                    "Green Tea", "black tea 50 g", "cup, blue"};
static const char *const colours[] = {"red", "green", "blue"};

static struct aff_catalogue *make_catalogue(struct aff_random *random, uint32_t n_products)
{
    struct aff_catalogue_builder *builder;
    struct aff_catalogue *catalogue;

    must(aff_catalogue_builder_new(&builder));
    for (uint32_t row = 0; row < n_products; row++) {
        char id[24];
        struct aff_attribute attributes[] = {
            {aff_text_of("colour"), aff_text_of(colours[below(random, 3)])},
            {aff_text_of("size"), aff_text_of(one_in(random, 2) ? "L" : "S")},
        };
        uint32_t orders = one_in(random, 4) ? 0 : 1 + below(random, 50);
        store_product_id(row, id);
        struct aff_product product = {
            .key = store_product_key(row),
            .id = aff_text_of(id),
            .name = aff_text_of(names[below(random, 7)]),
            .category = aff_text_of(categories[below(random, 6)]),
            .brand = aff_text_of(brands[below(random, 4)]),
            .price = one_in(random, 12) ? AFF_NO_MONEY : 100 * (1 + below(random, 40)),
            .compare_at = AFF_NO_MONEY,
            .cost = AFF_NO_MONEY,
            .stock = one_in(random, 3) ? (int32_t)below(random, 6) : AFF_NO_STOCK,
            .available = !one_in(random, 10),
            .durable = one_in(random, 5),
            .attributes = attributes,
            .n_attributes = below(random, 3),
            .orders = orders,
            .sessions = 2 * orders,
            .weight = (int64_t)orders << 20,
        };
        must(aff_catalogue_builder_add(builder, &product));
    }
    must(aff_catalogue_builder_finish(builder, &catalogue));
    aff_catalogue_builder_free(builder);
    return catalogue;
}

static int newest_first(const void *left, const void *right)
{
    const struct aff_purchase *a = left, *b = right;

    return a->last_s > b->last_s ? -1 : a->last_s < b->last_s;
}

static struct aff_customers *make_customers(struct aff_random *random, uint32_t n_products,
                                            uint32_t n_customers)
{
    struct aff_customers_builder *builder;
    struct aff_customers *customers;

    must(aff_customers_builder_new(&builder));
    for (uint32_t i = 0; i < n_customers; i++) {
        struct aff_purchase purchases[12];
        char id[24];
        uint32_t most = n_products < 12 ? n_products : 12;
        uint32_t n = below(random, most + 1), first = below(random, n_products);
        store_customer_id(i, id);
        for (uint32_t j = 0; j < n; j++) {
            uint32_t last_s = STORE_NOW_S - below(random, 400) * 86400u;
            uint32_t orders = 1 + below(random, 4);
            purchases[j] = (struct aff_purchase){
                .row = (first + j) % n_products,
                .orders = orders,
                .first_s = orders == 1 ? last_s : last_s - below(random, 300) * 86400u,
                .last_s = last_s,
            };
        }
        qsort(purchases, n, sizeof *purchases, newest_first);
        must(aff_customers_builder_add(builder, aff_text_of(id), n, purchases, n));
    }
    must(aff_customers_builder_finish(builder, &customers));
    aff_customers_builder_free(builder);
    return customers;
}

static int best_first(const void *left, const void *right)
{
    const struct aff_neighbour *a = left, *b = right;

    return a->score > b->score ? -1 : a->score < b->score;
}

struct aff_row *store_row(struct aff_random *random, uint32_t n_products, uint32_t n)
{
    struct aff_row *row;
    struct aff_neighbour *entries;
    struct aff_pair_counts *counts;
    uint32_t first = below(random, n_products), step = 1 + below(random, 3);
    bool coarse = one_in(random, 2);

    if ((uint64_t)n * step > n_products)
        n = n_products / step;
    must(aff_row_new(n, &row, &entries, &counts));
    for (uint32_t i = 0; i < n; i++) {
        /* Coarse scores give ties and sums of 0, also of -0. */
        float score =
            coarse ? (float)below(random, 5) * 0.25f - 0.25f : (float)aff_random_unit(random) - 0.1f;
        if (one_in(random, 30))
            score = -0.0f;
        entries[i] = (struct aff_neighbour){.row = (first + i * step) % n_products, .score = score};
        counts[i] = (struct aff_pair_counts){.orders = 1 + below(random, 20), .weight = 1 << 20};
    }
    qsort(entries, n, sizeof *entries, best_first);
    return row;
}

static struct aff_neighbours *make_neighbours(struct aff_random *random, uint32_t n_products)
{
    struct aff_neighbours *neighbours;

    must(aff_neighbours_new(n_products, &neighbours));
    for (uint32_t row = 0; row < n_products; row++)
        if (!one_in(random, 6))
            aff_neighbours_set(neighbours, row, store_row(random, n_products, below(random, 30)));
    return neighbours;
}

struct aff_model *store_model(struct aff_random *random, uint32_t n_products, uint32_t n_customers)
{
    struct aff_model *model = calloc(1, sizeof *model);

    if (model == NULL)
        must(AFF_NOMEM);
    model->catalogue = make_catalogue(random, n_products);
    model->customers = make_customers(random, n_products, n_customers);
    model->together = make_neighbours(random, n_products);
    model->next = make_neighbours(random, n_products);
    model->viewed = make_neighbours(random, n_products);
    model->totals = (struct aff_totals){.orders = 400, .sessions = 900, .weight = INT64_C(400) << 20};
    return model;
}

/* The id of a product, known nine times in ten. */
static struct aff_text random_id(struct aff_random *random, uint32_t n_products,
                                 struct random_request *request)
{
    char *id = request->ids[request->n_ids++];

    store_product_id(below(random, n_products + n_products / 10 + 1), id);
    return aff_text_of(id);
}

static void add_filters(struct aff_random *random, struct random_request *random_request)
{
    struct aff_request *request = &random_request->request;

    request->filters = random_request->filters;
    request->n_filters = one_in(random, 4) ? 1 + below(random, 2) : 0;
    for (size_t i = 0; i < request->n_filters; i++) {
        struct aff_filter *filter = &random_request->filters[i];
        filter->field = (enum aff_filter_field)below(random, 4);
        filter->compare = (enum aff_filter_compare)below(random, filter->field == AFF_FILTER_PRICE ? 6 : 2);
        filter->name = aff_text_of(one_in(random, 2) ? "colour" : "size");
        filter->price = 100 * (1 + below(random, 40));
        if (filter->field == AFF_FILTER_CATEGORY)
            filter->value = aff_text_of(categories[1 + below(random, 5)]);
        else if (filter->field == AFF_FILTER_BRAND)
            filter->value = aff_text_of(brands[below(random, 4)]);
        else
            filter->value = aff_text_of(one_in(random, 2) ? "red" : "L");
    }
}

/* Products that were shown, some of them unknown, each once. */
static void add_impressed(struct aff_random *random, uint32_t n_products, struct random_request *ret_request)
{
    struct aff_request *request = &ret_request->request;
    uint32_t first = below(random, n_products), n = below(random, 16);

    request->impressed = ret_request->impressed;
    request->n_impressed = n < n_products ? n : n_products;
    for (uint32_t i = 0; i < request->n_impressed; i++)
        ret_request->impressed[i] = (struct aff_impressed){
            .product = one_in(random, 8) ? 7 : store_product_key((first + i) % n_products),
            .times = 0.1F + 4 * (float)aff_random_unit(random),
        };
}

void store_request(struct aff_random *random, uint32_t n_products, uint32_t n_customers,
                   struct random_request *ret_request)
{
    struct aff_request *request = &ret_request->request;

    *request = (struct aff_request){.price_min = AFF_NO_MONEY, .price_max = AFF_NO_MONEY};
    ret_request->n_ids = 0;
    request->cart = ret_request->cart;
    request->n_cart = one_in(random, 4) ? 0 : below(random, 8);
    for (size_t i = 0; i < request->n_cart; i++)
        ret_request->cart[i] = (struct aff_cart_line){
            .product = random_id(random, n_products, ret_request), .quantity = 1, .price = AFF_NO_MONEY};
    request->exclude = ret_request->exclude;
    request->n_exclude = one_in(random, 3) ? below(random, 16) : 0;
    for (size_t i = 0; i < request->n_exclude; i++)
        ret_request->exclude[i] = random_id(random, n_products, ret_request);
    if (one_in(random, 3))
        request->product = random_id(random, n_products, ret_request);
    if (one_in(random, 3))
        request->why_not = random_id(random, n_products, ret_request);
    if (one_in(random, 2)) {
        char *id = ret_request->ids[ret_request->n_ids++];
        store_customer_id(below(random, n_customers + 2), id);
        request->customer = aff_text_of(id);
    }
    add_filters(random, ret_request);
    if (one_in(random, 3))
        add_impressed(random, n_products, ret_request);
    request->kinds = one_in(random, 3) ? below(random, 1u << AFF_KIND_MAX) : 0;
    request->limit = one_in(random, 10) ? 1 + below(random, AFF_ITEMS_MAX) : 1 + below(random, 12);
    request->min_lift = one_in(random, 8) ? 1.5 : 0;
    request->min_confidence = one_in(random, 8) ? 0.2 : 0;
    request->min_orders = one_in(random, 8) ? 5 : 0;
    if (one_in(random, 6))
        request->price_min = 100 * below(random, 20);
    if (one_in(random, 6))
        request->price_max = 100 * (10 + below(random, 30));
    request->diversity = one_in(random, 5) ? aff_random_unit(random) : 0;
    request->rotation = one_in(random, 5) ? aff_random_unit(random) : 0;
    request->seed = aff_random_next(random);
    request->explain = (enum aff_explain)below(random, 3);
    request->strict = one_in(random, 2);
    request->now_us = (int64_t)STORE_NOW_S * 1000000;
}

static struct aff_sequences *make_sequences(struct aff_random *random, uint32_t n_products)
{
    struct aff_sequences_builder *builder;
    struct aff_sequences *sequences;
    const uint32_t n = 1 + below(random, 80);

    must(aff_sequences_builder_new(&builder));
    for (uint32_t s = 0; s < n; s++) {
        uint32_t rows[8], length = 1 + below(random, 8);
        for (uint32_t i = 0; i < length; i++)
            rows[i] = below(random, one_in(random, 2) ? n_products : 1 + n_products / 8);
        must(aff_sequences_builder_add(builder, rows, length, STORE_NOW_S - below(random, 40 * 86400)));
    }
    must(aff_sequences_builder_finish(builder, n_products, 1 + below(random, 40), &sequences));
    aff_sequences_builder_free(builder);
    return sequences;
}

void store_traces(struct aff_random *random, struct aff_model *model)
{
    const uint32_t n_products = aff_catalogue_size(model->catalogue), parts = below(random, 4);

    model->traces = calloc(1, sizeof *model->traces);
    must(model->traces == NULL ? AFF_NOMEM : AFF_OK);
    if (parts != 0) {
        struct aff_sequences *sessions = make_sequences(random, n_products);
        must(aff_traces_learn_views(model->traces, sessions));
        aff_sequences_free(sessions);
    }
    if (parts != 1) {
        struct aff_sequences *baskets = make_sequences(random, n_products);
        must(aff_traces_learn_baskets(model->traces, baskets, STORE_NOW_S));
        aff_sequences_free(baskets);
    }
}

void store_request_of_session(struct aff_random *random, uint32_t n_products, struct random_request *request)
{
    request->request.as = (enum aff_as)below(random, AFF_AS_MAX);
    request->request.rejected = request->rejected;
    request->request.n_rejected = one_in(random, 3) ? below(random, 8) : 0;
    for (size_t i = 0; i < request->request.n_rejected; i++) /* some are of no product */
        request->rejected[i] = (int32_t)(1000 + below(random, n_products + 2) * 3);
}
