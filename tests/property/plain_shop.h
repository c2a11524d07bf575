/* SPDX-License-Identifier: Apache-2.0 */
/* A shop as plain data: random changes of it that are put into a batch at the same time, and a model that is
 * built anew from it. */
#pragma once

#include "core/base/random.h"
#include "core/index/update.h"

#include <stdio.h>
#include <stdlib.h>

enum { PRODUCTS = 60, CUSTOMERS = 30, NEIGHBOURS = 6 };

/* What one product, customer or row is; text fields are small numbers. */
struct plain_product {
    bool there;
    uint32_t row; /* in the order of adding */
    unsigned name, category, brand, n_attributes;
    int64_t price;
    int32_t stock;
    bool available, durable;
    struct aff_product_counts counts;
    struct aff_update_neighbour rows[3][NEIGHBOURS]; /* relation - 1 */
    uint32_t n_row[3];
};

struct plain_customer {
    bool there;
    uint32_t orders, n;
    struct aff_update_purchase purchases[NEIGHBOURS];
};

struct shop {
    struct aff_random random;
    struct plain_product products[PRODUCTS];
    struct plain_customer customers[CUSTOMERS];
    uint32_t n_products;
    struct aff_totals totals;
    uint64_t version;
};

static const char *const categories[] = {"",      "A",         "A > B", "A > B > C", "A > B > C > D",
                                         "A > E", "A > E > F", "G > H", "G"};

static uint32_t below(struct shop *shop, uint32_t bound)
{
    return (uint32_t)aff_random_below(&shop->random, bound);
}

static int32_t key_of(uint32_t number)
{
    return (int32_t)(number * 7 + 3);
}

static const char *text_of(char *text, const char *prefix, unsigned number)
{
    (void)snprintf(text, 24, "%s%u", prefix, number);
    return text;
}

static void change_product(struct shop *shop, struct plain_product *product)
{
    product->name = below(shop, 1000);
    product->category = below(shop, sizeof categories / sizeof categories[0]);
    product->brand = below(shop, 4);
    product->n_attributes = below(shop, 3);
    product->price = below(shop, 6) == 0 ? AFF_NO_MONEY : (int64_t)below(shop, 1000);
    product->stock = below(shop, 3) == 0 ? (int32_t)below(shop, 3) : AFF_NO_STOCK;
    product->available = below(shop, 5) != 0;
    product->durable = below(shop, 2) == 0;
}

/* Fills `ret_product` from the description; the texts are in `texts`. */
struct texts {
    char id[24], name[24], brand[24], values[2][24];
    struct aff_attribute attributes[2];
};

static struct aff_product record_of(const struct plain_product *product, uint32_t number, struct texts *texts)
{
    for (unsigned i = 0; i < 2; i++)
        texts->attributes[i] =
            (struct aff_attribute){aff_text_of(i == 0 ? "colour" : "size"),
                                   aff_text_of(text_of(texts->values[i], "value ", product->name * 2 + i))};
    return (struct aff_product){
        .key = key_of(number),
        .id = aff_text_of(text_of(texts->id, "P", number)),
        .name = aff_text_of(text_of(texts->name, "name ", product->name)),
        .category = aff_text_of(categories[product->category]),
        .brand = product->brand == 0 ? (struct aff_text){0}
                                     : aff_text_of(text_of(texts->brand, "brand ", product->brand)),
        .price = product->price,
        .compare_at = AFF_NO_MONEY,
        .cost = product->price == AFF_NO_MONEY ? 7 : product->price / 2,
        .stock = product->stock,
        .available = product->available,
        .durable = product->durable,
        .attributes = texts->attributes,
        .n_attributes = product->n_attributes,
        .orders = product->counts.orders,
        .weight = product->counts.weight,
        .revenue = product->counts.revenue,
        .margin = product->counts.margin,
        .last_at_us = product->counts.last_at_us,
        .discounted = product->counts.discounted,
        .sessions = product->counts.sessions,
    };
}

static void put_product(struct shop *shop, struct aff_update *update)
{
    uint32_t number = below(shop, PRODUCTS);
    struct plain_product *product = &shop->products[number];
    struct texts texts;

    if (!product->there) {
        *product = (struct plain_product){.there = true, .row = shop->n_products++};
    }
    change_product(shop, product);
    struct aff_product record = record_of(product, number, &texts);
    record.orders = 12345; /* is to be ignored */
    record.weight = -1;
    assert_int_equal(aff_update_product(update, &record), AFF_OK);
}

static void put_counts(struct shop *shop, struct aff_update *update)
{
    uint32_t number = below(shop, PRODUCTS), orders = below(shop, 9);
    struct plain_product *product = &shop->products[number];
    struct aff_product_counts counts = {orders,
                                        (int64_t)orders << 20,
                                        (int64_t)below(shop, 999),
                                        -(int64_t)below(shop, 999),
                                        (int64_t)below(shop, 1u << 30),
                                        below(shop, orders + 1),
                                        below(shop, 99)};

    assert_int_equal(aff_update_product_counts(update, key_of(number), &counts),
                     product->there ? AFF_OK : AFF_NOTFOUND);
    if (product->there)
        product->counts = counts;
}

static void put_row(struct shop *shop, struct aff_update *update)
{
    uint32_t number = below(shop, PRODUCTS), n = below(shop, NEIGHBOURS + 1), relation = below(shop, 3);
    struct plain_product *product = &shop->products[number];
    struct aff_update_neighbour neighbours[NEIGHBOURS];

    for (uint32_t i = 0; i < n; i++)
        neighbours[i] = (struct aff_update_neighbour){
            .product = key_of(below(shop, PRODUCTS)),
            .score = 1.0f / (float)(i + 1),
            .counts = {.orders = below(shop, 100), .weight = (int64_t)below(shop, 100), .gap_days = 2}};
    assert_int_equal(aff_update_row(update, (enum aff_relation)(relation + 1), key_of(number), neighbours, n),
                     product->there ? AFF_OK : AFF_NOTFOUND);
    if (!product->there)
        return;
    product->n_row[relation] = 0;
    for (uint32_t i = 0; i < n; i++)
        if (shop->products[(neighbours[i].product - 3) / 7].there)
            product->rows[relation][product->n_row[relation]++] = neighbours[i];
}

static void put_customer(struct shop *shop, struct aff_update *update)
{
    uint32_t number = below(shop, CUSTOMERS), n = below(shop, NEIGHBOURS + 1);
    struct plain_customer *customer = &shop->customers[number];
    struct aff_update_purchase purchases[NEIGHBOURS];
    char id[24];

    for (uint32_t i = 0; i < n; i++)
        purchases[i] =
            (struct aff_update_purchase){key_of(below(shop, PRODUCTS)), 1 + below(shop, 5), 100, 900 - i};
    *customer = (struct plain_customer){.there = true, .orders = below(shop, 50)};
    assert_int_equal(
        aff_update_customer(update, aff_text_of(text_of(id, "C", number)), customer->orders, purchases, n),
        AFF_OK);
    for (uint32_t i = 0; i < n; i++)
        if (shop->products[(purchases[i].product - 3) / 7].there)
            customer->purchases[customer->n++] = purchases[i];
}

static void put_something(struct shop *shop, struct aff_update *update)
{
    switch (below(shop, 5)) {
    case 0:
        put_product(shop, update);
        break;
    case 1:
        put_counts(shop, update);
        break;
    case 2:
        put_customer(shop, update);
        break;
    default:
        put_row(shop, update);
    }
}

static struct aff_catalogue *build_catalogue(const struct shop *shop)
{
    struct aff_catalogue_builder *builder;
    struct aff_catalogue *catalogue;
    struct texts texts;

    assert_int_equal(aff_catalogue_builder_new(&builder), AFF_OK);
    for (uint32_t row = 0; row < shop->n_products; row++)
        for (uint32_t i = 0; i < PRODUCTS; i++) {
            if (!shop->products[i].there || shop->products[i].row != row)
                continue;
            struct aff_product record = record_of(&shop->products[i], i, &texts);
            assert_int_equal(aff_catalogue_builder_add(builder, &record), AFF_OK);
        }
    assert_int_equal(aff_catalogue_builder_finish(builder, &catalogue), AFF_OK);
    aff_catalogue_builder_free(builder);
    return catalogue;
}

static struct aff_customers *build_customers(const struct shop *shop, const struct aff_catalogue *catalogue)
{
    struct aff_customers_builder *builder;
    struct aff_customers *customers;

    assert_int_equal(aff_customers_builder_new(&builder), AFF_OK);
    for (uint32_t i = 0; i < CUSTOMERS; i++) {
        const struct plain_customer *customer = &shop->customers[i];
        struct aff_purchase purchases[NEIGHBOURS];
        char id[24];
        if (!customer->there)
            continue;
        for (uint32_t j = 0; j < customer->n; j++)
            purchases[j] = (struct aff_purchase){
                aff_catalogue_find_key(catalogue, customer->purchases[j].product),
                customer->purchases[j].orders, customer->purchases[j].first_s, customer->purchases[j].last_s};
        assert_int_equal(aff_customers_builder_add(builder, aff_text_of(text_of(id, "C", i)),
                                                   customer->orders, purchases, customer->n),
                         AFF_OK);
    }
    assert_int_equal(aff_customers_builder_finish(builder, &customers), AFF_OK);
    aff_customers_builder_free(builder);
    return customers;
}

static struct aff_neighbours *build_rows(const struct shop *shop, const struct aff_catalogue *catalogue,
                                         int relation)
{
    struct aff_neighbours *table;
    struct aff_neighbour *entries;
    struct aff_pair_counts *counts;
    struct aff_row *row;

    assert_int_equal(aff_neighbours_new(shop->n_products, &table), AFF_OK);
    for (uint32_t i = 0; i < PRODUCTS; i++) {
        const struct plain_product *product = &shop->products[i];
        if (!product->there || product->n_row[relation] == 0)
            continue;
        assert_int_equal(aff_row_new(product->n_row[relation], &row, &entries, &counts), AFF_OK);
        for (uint32_t j = 0; j < product->n_row[relation]; j++) {
            entries[j].row = aff_catalogue_find_key(catalogue, product->rows[relation][j].product);
            entries[j].score = product->rows[relation][j].score;
            counts[j] = product->rows[relation][j].counts;
        }
        aff_neighbours_set(table, product->row, row);
    }
    return table;
}

static struct aff_model *build_model(const struct shop *shop)
{
    struct aff_model *model = calloc(1, sizeof *model);

    assert_non_null(model);
    model->catalogue = build_catalogue(shop);
    model->customers = build_customers(shop, model->catalogue);
    model->together = build_rows(shop, model->catalogue, 0);
    model->next = build_rows(shop, model->catalogue, 1);
    model->viewed = build_rows(shop, model->catalogue, 2);
    model->totals = shop->totals;
    model->version = shop->version;
    return model;
}
