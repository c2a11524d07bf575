/* SPDX-License-Identifier: Apache-2.0 */
/* A shop with two kinds of lamp and what goes with them, and products that nobody has bought. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/recommend/confidence.h"
#include "core/recommend/recommend.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW_US (INT64_C(1732000000) * 1000000)

enum { LAMP, TORCH, BULB, BATTERY, NEW_LAMP, NEW_BULB, ODD, N_PRODUCTS };

static const struct aff_product products[N_PRODUCTS] = {
    [LAMP] = {.id = {"lamp", 4},
              .name = {"Desk lamp", 9},
              .category = {"Light > Lamps", 13},
              .price = 4000,
              .orders = 90},
    [TORCH] = {.id = {"torch", 5},
               .name = {"Torch", 5},
               .category = {"Light > Torches", 15},
               .price = 2000,
               .orders = 80},
    [BULB] = {.id = {"bulb", 4}, .name = {"Bulb", 4}, .category = {"Bulbs", 5}, .price = 500, .orders = 70},
    [BATTERY] =
        {.id = {"battery", 7}, .name = {"Battery", 7}, .category = {"Power", 5}, .price = 300, .orders = 60},
    [NEW_LAMP] = {.id = {"new-lamp", 8},
                  .name = {"Desk lamp", 9},
                  .category = {"Light > Lamps", 13},
                  .price = 4100},
    [NEW_BULB] = {.id = {"new-bulb", 8}, .name = {"Bulb", 4}, .category = {"Bulbs", 5}, .price = 510},
    [ODD] = {.id = {"odd", 3}, .name = {"torch holder", 12}, .price = 1900},
};

struct shop {
    struct aff_model model;
    struct aff_workspace *workspace;
    struct aff_answer *answer;
    struct aff_blend blend;
    struct aff_request request;
    struct aff_impressed impressed;
};

static void set_row(struct aff_model *model, uint32_t at, uint32_t first, uint32_t second)
{
    struct aff_row *row;
    struct aff_neighbour *entries;
    struct aff_pair_counts *counts;

    assert_int_equal(aff_row_new(2, &row, &entries, &counts), AFF_OK);
    entries[0] = (struct aff_neighbour){first, 0.5F};
    entries[1] = (struct aff_neighbour){second, 0.25F};
    counts[0] = (struct aff_pair_counts){.orders = 20};
    counts[1] = (struct aff_pair_counts){.orders = 4};
    aff_neighbours_set(model->together, at, row);
}

static void add_products(struct aff_model *model)
{
    struct aff_catalogue_builder *builder;

    assert_int_equal(aff_catalogue_builder_new(&builder), AFF_OK);
    for (int32_t i = 0; i < N_PRODUCTS; i++) {
        struct aff_product product = products[i];
        product.key = 1 + i;
        product.available = true;
        product.stock = AFF_NO_STOCK;
        product.weight = (int64_t)product.orders << 20;
        assert_int_equal(aff_catalogue_builder_add(builder, &product), AFF_OK);
    }
    assert_int_equal(aff_catalogue_builder_finish(builder, &model->catalogue), AFF_OK);
    aff_catalogue_builder_free(builder);
}

static int open_shop(void **state)
{
    struct shop *shop = calloc(1, sizeof *shop);
    struct aff_customers_builder *builder;

    assert_non_null(shop);
    add_products(&shop->model);
    assert_int_equal(aff_customers_builder_new(&builder), AFF_OK);
    assert_int_equal(aff_customers_builder_finish(builder, &shop->model.customers), AFF_OK);
    aff_customers_builder_free(builder);
    assert_int_equal(aff_neighbours_new(N_PRODUCTS, &shop->model.together), AFF_OK);
    assert_int_equal(aff_neighbours_new(N_PRODUCTS, &shop->model.next), AFF_OK);
    set_row(&shop->model, LAMP, BULB, BATTERY);
    set_row(&shop->model, TORCH, BATTERY, BULB);
    set_row(&shop->model, BULB, LAMP, TORCH);
    shop->model.totals.orders = 5000;
    shop->blend = aff_blend_default();
    for (int i = 0; i < AFF_SITUATION_MAX; i++)
        shop->blend.of[i].popularity = 0;
    shop->request = (struct aff_request){.limit = 10,
                                         .strict = true,
                                         .explain = AFF_EXPLAIN_FULL,
                                         .price_min = AFF_NO_MONEY,
                                         .price_max = AFF_NO_MONEY,
                                         .now_us = NOW_US};
    shop->answer = calloc(1, sizeof *shop->answer);
    assert_non_null(shop->answer);
    assert_int_equal(aff_workspace_new(&shop->workspace), AFF_OK);
    *state = shop;
    return 0;
}

static int close_shop(void **state)
{
    struct shop *shop = *state;

    aff_workspace_free(shop->workspace);
    aff_catalogue_free(shop->model.catalogue);
    aff_customers_free(shop->model.customers);
    aff_neighbours_free(shop->model.together);
    aff_neighbours_free(shop->model.next);
    free(shop->answer);
    free(shop);
    return 0;
}

static const struct aff_answer *ask(struct shop *shop, const char *product)
{
    shop->request.product = aff_text_of(product);
    assert_int_equal(aff_recommend(&shop->model, &shop->blend, shop->workspace, &shop->request, shop->answer),
                     AFF_OK);
    uint32_t sum = shop->answer->n_items;
    for (int drop = 0; drop < AFF_DROP_MAX; drop++)
        sum += shop->answer->dropped[drop];
    assert_int_equal(shop->answer->candidates, sum);
    return shop->answer;
}

static const struct aff_item *item_of(const struct aff_answer *answer, uint32_t row)
{
    for (uint32_t i = 0; i < answer->n_items; i++)
        if (answer->items[i].row == row)
            return &answer->items[i];
    return NULL;
}

static void a_new_product_is_offered_what_goes_with_products_like_it(void **state)
{
    struct shop *shop = *state;
    const struct aff_answer *answer = ask(shop, "new-lamp");
    const struct aff_item *first = &answer->items[0];

    /* The lamp is of its category. */
    assert_int_equal(first->row, BULB);
    assert_int_equal(first->origin, AFF_ORIGIN_CONTENT);
    assert_int_equal(first->via, NEW_LAMP);
    assert_int_equal(first->via_relation, AFF_RELATION_TOGETHER);
    assert_null(first->evidence);
    assert_true(aff_item_low_confidence(&shop->model, first));
    assert_true(first->n_terms == 1 && first->terms[0].via == LAMP);
    assert_int_equal(answer->items[1].row, BATTERY);
    assert_float_equal(first->score, 1, 1e-6);
}

static void with_orders_of_its_own_it_borrows_less_and_then_nothing(void **state)
{
    struct shop *shop = *state;

    shop->blend.content_below_orders = 0;
    assert_int_equal(ask(shop, "new-lamp")->n_items, 0);
    shop->blend.content_below_orders = 5;
    shop->blend.content = 0;
    assert_int_equal(ask(shop, "new-lamp")->n_items, 0);
    shop->blend.content = 0.5;
    /* A product that is known is answered by its own row alone. */
    const struct aff_item *bulb = item_of(ask(shop, "lamp"), BULB);
    assert_true(bulb != NULL && bulb->origin == AFF_ORIGIN_AFFINITY && bulb->via == LAMP);
    assert_false(aff_item_low_confidence(&shop->model, bulb));
}

static void without_a_category_its_name_and_price_say_what_it_is_like(void **state)
{
    struct shop *shop = *state;
    const struct aff_answer *answer = ask(shop, "odd");

    assert_int_equal(answer->n_items, 3); /* like the torch: batteries, bulbs, and for these the new bulb */
    assert_int_equal(answer->items[0].row, BATTERY);
    assert_int_equal(answer->items[0].via, ODD);
}

static void a_known_product_s_item_makes_room_for_a_new_one_like_it(void **state)
{
    struct shop *shop = *state;
    const struct aff_answer *answer = ask(shop, "lamp");
    const struct aff_item *fresh = item_of(answer, NEW_BULB);

    assert_non_null(fresh);
    assert_int_equal(fresh->origin, AFF_ORIGIN_CONTENT);
    assert_int_equal(fresh->kind, AFF_KIND_CROSS_SELL);
    assert_true(fresh->via == BULB && fresh->via_relation == 0 && fresh->n_terms == 1);
    /* Category 0.4, price 0.15, name 0.15. */
    assert_float_equal(fresh->score, 0.35F * answer->items[0].score, 1e-6);
    assert_true(aff_item_low_confidence(&shop->model, fresh));
    shop->request.min_orders = 1; /* it has no pair to show */
    assert_null(item_of(ask(shop, "lamp"), NEW_BULB));
    assert_int_equal(shop->answer->dropped[AFF_DROP_BELOW_FLOOR], 1);
    shop->request.min_orders = 0;
    shop->request.exclude = &products[NEW_BULB].id;
    shop->request.n_exclude = 1;
    assert_null(item_of(ask(shop, "lamp"), NEW_BULB));
    assert_int_equal(shop->answer->dropped[AFF_DROP_EXCLUDED], 1);
    shop->request.n_exclude = 0;
    shop->blend.content = 0;
    assert_null(item_of(ask(shop, "lamp"), NEW_BULB));
}

static void a_new_product_that_was_shown_in_vain_gives_way_too(void **state)
{
    struct shop *shop = *state;
    const float before = item_of(ask(shop, "lamp"), NEW_BULB)->score;

    shop->impressed = (struct aff_impressed){.product = 1 + NEW_BULB, .times = 1};
    shop->request.impressed = &shop->impressed;
    shop->request.n_impressed = 1;
    const struct aff_item *fresh = item_of(ask(shop, "lamp"), NEW_BULB);
    assert_float_equal(fresh->score, 0.9F * before, 1e-6);
    assert_int_equal(fresh->n_terms, 2);
    assert_int_equal(fresh->terms[1].source, AFF_ORIGIN_IMPRESSIONS);
}

static void few_orders_of_pair_or_store_are_low_confidence(void **state)
{
    struct shop *shop = *state;
    const struct aff_answer *answer = ask(shop, "lamp");

    assert_false(aff_item_low_confidence(&shop->model, item_of(answer, BULB)));
    assert_true(aff_item_low_confidence(&shop->model, item_of(answer, BATTERY))); /* 4 orders */
    shop->model.totals.orders = AFF_FEW_ORDERS - 1;
    assert_true(aff_item_low_confidence(&shop->model, item_of(answer, BULB)));
}

static void only_the_newest_new_products_are_linked_to_known_ones(void **state)
{
    enum { N = AFF_NEWCOMERS + 40 };
    struct aff_catalogue_builder *builder;
    struct aff_catalogue *catalogue;
    struct aff_newcomer found[2 * N];

    (void)state;
    assert_int_equal(aff_catalogue_builder_new(&builder), AFF_OK);
    for (int32_t i = 0; i <= N; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "P%d", (int)i);
        struct aff_product product = products[LAMP];
        product.id = aff_text_of(id);
        product.key = i == 0 ? 1000000 : 1 + i * 7919 % N; /* in no order; the known product comes first */
        product.orders = i == 0 ? 50 : 0;
        product.weight = (int64_t)product.orders << 20;
        assert_int_equal(aff_catalogue_builder_add(builder, &product), AFF_OK);
    }
    assert_int_equal(aff_catalogue_builder_finish(builder, &catalogue), AFF_OK);
    aff_catalogue_builder_free(builder);
    assert_int_equal(aff_catalogue_newcomers(catalogue, 0, 2 * N, found), AFF_NEWCOMERS);
    for (uint32_t i = 0; i < AFF_NEWCOMERS; i++) {
        assert_true(aff_catalogue_product(catalogue, found[i].row)->key > N - AFF_NEWCOMERS);
        assert_true(i == 0 || found[i - 1].row > found[i].row);
        assert_float_equal(found[i].likeness, 0.7, 1e-6);
    }
    assert_int_equal(aff_catalogue_newcomers(catalogue, 0, 3, found), 3);
    assert_int_equal(aff_catalogue_newcomers(catalogue, 1, 3, found), 0);
    assert_false(aff_catalogue_has_unlisted(catalogue));
    aff_catalogue_free(catalogue);
}

#define SHOP_TEST(name) cmocka_unit_test_setup_teardown(name, open_shop, close_shop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(a_new_product_is_offered_what_goes_with_products_like_it),
        SHOP_TEST(with_orders_of_its_own_it_borrows_less_and_then_nothing),
        SHOP_TEST(without_a_category_its_name_and_price_say_what_it_is_like),
        SHOP_TEST(a_known_product_s_item_makes_room_for_a_new_one_like_it),
        SHOP_TEST(a_new_product_that_was_shown_in_vain_gives_way_too),
        SHOP_TEST(few_orders_of_pair_or_store_are_low_confidence),
        cmocka_unit_test(only_the_newest_new_products_are_linked_to_known_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
