/* SPDX-License-Identifier: Apache-2.0 */
/* What is put into a basket after a product, as a source of answers for carts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/recommend/recommend.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_PRODUCTS = 8, NOW_S = 1732000000, LINES = 6 };

struct shop {
    struct aff_model model;
    struct aff_traces traces;
    struct aff_successors added;
    struct aff_workspace *workspace;
    struct aff_answer answer;
    struct aff_blend blend;
    uint32_t limit;
    char ids[N_PRODUCTS][16];
    struct aff_cart_line cart[LINES];
};

/* After product 0 comes 6, or 3 half as often; after 1 comes 7. */
static uint32_t starts[N_PRODUCTS + 1] = {0, 2, 3, 3, 3, 3, 3, 3, 3};
static struct aff_neighbour entries[] = {{6, 0.5F}, {3, 0.25F}, {7, 0.5F}};

static void fill_catalogue(struct shop *shop)
{
    struct aff_catalogue_builder *builder;

    assert_int_equal(aff_catalogue_builder_new(&builder), AFF_OK);
    for (int32_t i = 0; i < N_PRODUCTS; i++) {
        (void)snprintf(shop->ids[i], sizeof shop->ids[i], "p%d", i);
        const struct aff_product product = {.id = aff_text_of(shop->ids[i]),
                                            .key = i,
                                            .price = 100,
                                            .available = true,
                                            .stock = AFF_NO_STOCK};
        assert_int_equal(aff_catalogue_builder_add(builder, &product), AFF_OK);
    }
    assert_int_equal(aff_catalogue_builder_finish(builder, &shop->model.catalogue), AFF_OK);
    aff_catalogue_builder_free(builder);
}

/* Products 2 and 3 are bought together. */
static void fill_neighbours(struct shop *shop)
{
    struct aff_row *row;
    struct aff_neighbour *neighbours;
    struct aff_pair_counts *counts;

    assert_int_equal(aff_neighbours_new(N_PRODUCTS, &shop->model.together), AFF_OK);
    assert_int_equal(aff_neighbours_new(N_PRODUCTS, &shop->model.next), AFF_OK);
    assert_int_equal(aff_row_new(1, &row, &neighbours, &counts), AFF_OK);
    neighbours[0] = (struct aff_neighbour){3, 0.5F};
    counts[0] = (struct aff_pair_counts){.orders = 5};
    aff_neighbours_set(shop->model.together, 2, row);
}

static int open_shop(void **state)
{
    struct aff_customers_builder *builder;
    struct shop *shop = calloc(1, sizeof *shop);

    assert_non_null(shop);
    fill_catalogue(shop);
    assert_int_equal(aff_customers_builder_new(&builder), AFF_OK);
    const struct aff_purchase bought = {5, 1, NOW_S - 100, NOW_S - 100};
    assert_int_equal(aff_customers_builder_add(builder, aff_text_of("ann"), 1, &bought, 1), AFF_OK);
    assert_int_equal(aff_customers_builder_finish(builder, &shop->model.customers), AFF_OK);
    aff_customers_builder_free(builder);
    fill_neighbours(shop);
    shop->added = (struct aff_successors){.n_products = N_PRODUCTS, .starts = starts, .entries = entries};
    shop->traces.added = &shop->added;
    shop->model.traces = &shop->traces;
    shop->limit = 10;
    shop->blend = aff_blend_default();
    for (int s = 0; s < AFF_SITUATION_MAX; s++)
        shop->blend.of[s] = (struct aff_weights){.affinity = 1, .traces[AFF_TRACE_ADDED] = 1};
    assert_int_equal(aff_workspace_new(&shop->workspace), AFF_OK);
    *state = shop;
    return 0;
}

static int close_shop(void **state)
{
    struct shop *shop = *state;

    aff_workspace_free(shop->workspace);
    aff_neighbours_free(shop->model.together);
    aff_neighbours_free(shop->model.next);
    aff_customers_free(shop->model.customers);
    aff_catalogue_free(shop->model.catalogue);
    free(shop);
    return 0;
}

/* Asks with the numbered products, newest last, and gives the score of product `of`, 0 if it is not there. */
static double ask(struct shop *shop, enum aff_as as, const char *customer, const uint32_t *cart, size_t n,
                  uint32_t of)
{
    const struct aff_request request = {.cart = shop->cart,
                                        .n_cart = n,
                                        .as = as,
                                        .customer = aff_text_of(customer),
                                        .limit = shop->limit,
                                        .strict = true,
                                        .price_min = AFF_NO_MONEY,
                                        .price_max = AFF_NO_MONEY,
                                        .now_us = (int64_t)NOW_S * 1000000};

    for (size_t i = 0; i < n; i++)
        shop->cart[i].product = aff_text_of(shop->ids[cart[i]]);
    assert_int_equal(aff_recommend(&shop->model, &shop->blend, shop->workspace, &request, &shop->answer),
                     AFF_OK);
    for (uint32_t i = 0; i < shop->answer.n_items; i++)
        if (shop->answer.items[i].row == of)
            return (double)shop->answer.items[i].score;
    return 0;
}

static void a_cart_in_the_order_of_adding_is_asked_by_its_newest_product(void **state)
{
    struct shop *shop = *state;

    assert_true(ask(shop, AFF_AS_ADDED, "", (const uint32_t[]){1, 0}, 2, 6) > 0.99);
    assert_true(ask(shop, AFF_AS_ADDED, "", (const uint32_t[]){1, 0}, 2, 7) == 0);
}

static void another_cart_is_asked_by_its_five_newest_lines(void **state)
{
    struct shop *shop = *state;

    assert_true(ask(shop, AFF_AS_CART, "", (const uint32_t[]){1, 0}, 2, 6) > 0.99);
    const double older = ask(shop, AFF_AS_CART, "", (const uint32_t[]){1, 0}, 2, 7);
    assert_true(fabs(older - exp(-0.5)) < 1e-6);
    const double fifth = ask(shop, AFF_AS_CART, "", (const uint32_t[]){1, 2, 3, 4, 0}, 5, 7);
    assert_true(fabs(fifth - exp(-2)) < 1e-6);
    assert_true(ask(shop, AFF_AS_CART, "", (const uint32_t[]){1, 2, 3, 4, 5, 0}, 6, 7) == 0);
}

/* A product that a rule has named, but not among the best, is in the next request one like any other. */
static void nothing_stays_of_a_request(void **state)
{
    struct shop *shop = *state;
    const double before = ask(shop, AFF_AS_CART, "", (const uint32_t[]){2}, 1, 3);

    assert_true(before > 0);
    shop->limit = 1;
    assert_true(ask(shop, AFF_AS_CART, "ann", (const uint32_t[]){0}, 1, 3) == 0);
    assert_true(ask(shop, AFF_AS_CART, "", (const uint32_t[]){2}, 1, 3) == before);
    assert_int_equal(shop->answer.candidates, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_cart_in_the_order_of_adding_is_asked_by_its_newest_product,
                                        open_shop, close_shop),
        cmocka_unit_test_setup_teardown(another_cart_is_asked_by_its_five_newest_lines, open_shop,
                                        close_shop),
        cmocka_unit_test_setup_teardown(nothing_stays_of_a_request, open_shop, close_shop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
