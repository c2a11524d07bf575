/* SPDX-License-Identifier: Apache-2.0 */
/* One small tea shop, and what each parameter of a request does to its answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/recommend/recommend.h"

#include <math.h>
#include <stdlib.h>

#define NOW_S 1732000000u
#define DAY_S 86400u

enum { POT, GREEN, BLACK, CUP, SIEVE, BOOK, SOLD_OUT, UNPRICED, LONELY, N_PRODUCTS };

struct shop {
    struct aff_model *model;
    struct aff_workspace *workspace;
    struct aff_answer *answer;
    struct aff_blend blend;
    struct aff_request request;
    struct aff_cart_line cart[4];
};

static const struct aff_product shop_products[N_PRODUCTS] = {
    [POT] = {.id = {"pot", 3}, .category = {"Pots", 4}, .price = 3000, .durable = true, .orders = 40},
    [GREEN] = {.id = {"green", 5}, .category = {"Tea", 3}, .brand = {"Leaf", 4}, .price = 500, .orders = 60},
    [BLACK] = {.id = {"black", 5}, .category = {"Tea", 3}, .brand = {"Leaf", 4}, .price = 600, .orders = 50},
    [CUP] = {.id = {"cup", 3}, .category = {"Cups", 4}, .price = 900, .orders = 30},
    [SIEVE] = {.id = {"sieve", 5}, .category = {"Pots", 4}, .price = 400, .orders = 10},
    [BOOK] = {.id = {"book", 4}, .category = {"Tea", 3}, .price = 1500, .orders = 5},
    [SOLD_OUT] = {.id = {"sold-out", 8}, .category = {"Cups", 4}, .price = 100, .stock = 0, .orders = 100},
    [UNPRICED] = {.id = {"unpriced", 8}, .price = AFF_NO_MONEY, .orders = 3},
    [LONELY] = {.id = {"lonely", 6}, .category = {"Cups", 4}, .price = 800, .orders = 0},
};

static void add_row(struct aff_neighbours *neighbours, uint32_t at, const struct aff_neighbour *from,
                    const uint32_t *orders, uint32_t n)
{
    struct aff_row *row;
    struct aff_neighbour *entries;
    struct aff_pair_counts *counts;

    assert_int_equal(aff_row_new(n, &row, &entries, &counts), AFF_OK);
    for (uint32_t i = 0; i < n; i++) {
        entries[i] = from[i];
        counts[i] = (struct aff_pair_counts){.orders = orders[i]};
    }
    aff_neighbours_set(neighbours, at, row);
}

static void fill_catalogue(struct aff_model *model)
{
    struct aff_catalogue_builder *builder;

    assert_int_equal(aff_catalogue_builder_new(&builder), AFF_OK);
    for (int32_t i = 0; i < N_PRODUCTS; i++) {
        struct aff_product product = shop_products[i];
        product.key = i;
        product.available = true;
        product.stock = i == SOLD_OUT ? 0 : AFF_NO_STOCK;
        product.weight = (int64_t)product.orders << 20;
        assert_int_equal(aff_catalogue_builder_add(builder, &product), AFF_OK);
    }
    assert_int_equal(aff_catalogue_builder_finish(builder, &model->catalogue), AFF_OK);
    aff_catalogue_builder_free(builder);
}

static void fill_customers(struct aff_model *model)
{
    const struct aff_purchase ann[] = {
        {GREEN, 3, NOW_S - 70 * DAY_S, NOW_S - 10 * DAY_S}, /* every 30 days: due after 15 */
        {POT, 1, NOW_S - 70 * DAY_S, NOW_S - 70 * DAY_S},
        {BLACK, 2, NOW_S - 100 * DAY_S, NOW_S - 80 * DAY_S},
    };
    struct aff_customers_builder *builder;

    assert_int_equal(aff_customers_builder_new(&builder), AFF_OK);
    assert_int_equal(aff_customers_builder_add(builder, aff_text_of("ann"), 5, ann, 3), AFF_OK);
    assert_int_equal(aff_customers_builder_finish(builder, &model->customers), AFF_OK);
    aff_customers_builder_free(builder);
}

static int open_shop(void **state)
{
    static const struct aff_neighbour pot[] = {{GREEN, 0.4f}, {SIEVE, 0.3f}, {CUP, 0.2f}, {SOLD_OUT, 0.1f}};
    static const struct aff_neighbour green[] = {{CUP, 0.5f}, {POT, 0.3f}, {UNPRICED, 0.2f}, {BLACK, 0.1f}};
    static const struct aff_neighbour after[] = {{BLACK, 0.5f}, {BOOK, 0.25f}};
    static const uint32_t pot_orders[] = {12, 9, 4, 3}, green_orders[] = {20, 12, 2, 2},
                          after_orders[] = {6, 3};
    struct shop *shop = calloc(1, sizeof *shop);

    assert_non_null(shop);
    shop->model = calloc(1, sizeof *shop->model);
    shop->answer = calloc(1, sizeof *shop->answer);
    assert_true(shop->model != NULL && shop->answer != NULL);
    fill_catalogue(shop->model);
    fill_customers(shop->model);
    assert_int_equal(aff_neighbours_new(N_PRODUCTS, &shop->model->together), AFF_OK);
    assert_int_equal(aff_neighbours_new(N_PRODUCTS, &shop->model->next), AFF_OK);
    add_row(shop->model->together, POT, pot, pot_orders, 4);
    add_row(shop->model->together, GREEN, green, green_orders, 4);
    add_row(shop->model->next, GREEN, after, after_orders, 2);
    shop->model->totals.orders = 200;
    assert_int_equal(aff_workspace_new(&shop->workspace), AFF_OK);
    shop->blend = aff_blend_default();
    shop->blend.content = 0; /* new products are in test_new_products.c */
    shop->request = (struct aff_request){.cart = shop->cart,
                                         .limit = 10,
                                         .price_min = AFF_NO_MONEY,
                                         .price_max = AFF_NO_MONEY,
                                         .strict = true,
                                         .now_us = (int64_t)NOW_S * 1000000};
    *state = shop;
    return 0;
}

static int close_shop(void **state)
{
    struct shop *shop = *state;

    aff_model_free(shop->model);
    aff_workspace_free(shop->workspace);
    free(shop->answer);
    free(shop);
    return 0;
}

static void put_in_cart(struct shop *shop, const char *id)
{
    shop->cart[shop->request.n_cart++] = (struct aff_cart_line){.product = aff_text_of(id), .quantity = 1};
}

static const struct aff_answer *ask(struct shop *shop)
{
    assert_int_equal(aff_recommend(shop->model, &shop->blend, shop->workspace, &shop->request, shop->answer),
                     AFF_OK);
    return shop->answer;
}

/* The answer's rows are these, in this order; AFF_NO_ROW ends the list. */
static void assert_rows(const struct aff_answer *answer, const uint32_t *rows)
{
    uint32_t n = 0;

    for (; rows[n] != AFF_NO_ROW; n++) {
        assert_true(n < answer->n_items);
        assert_int_equal(answer->items[n].row, rows[n]);
    }
    assert_int_equal(answer->n_items, n);
}

static void a_cart_gives_the_sums_of_its_rows(void **state)
{
    struct shop *shop = *state;

    put_in_cart(shop, "pot");
    put_in_cart(shop, "green");
    put_in_cart(shop, "pot");
    const struct aff_answer *answer = ask(shop);
    /* cup 0.2 + 0.5, sieve 0.3, black 0.1; green and pot are in the cart. */
    assert_rows(answer, (uint32_t[]){CUP, SIEVE, BLACK, AFF_NO_ROW});
    assert_true(fabsf(answer->items[0].score - (1 + 0.02f * 0.3f)) < 1e-6f);
    assert_true(fabsf(answer->items[1].score - (0.3f / 0.7f + 0.02f * 0.1f)) < 1e-6f);
    assert_int_equal(answer->items[0].via, GREEN);
    assert_int_equal(answer->items[0].via_relation, AFF_RELATION_TOGETHER);
    assert_int_equal(answer->items[0].origin, AFF_ORIGIN_AFFINITY);
    assert_null(answer->items[0].evidence);
    assert_int_equal(answer->candidates, 7);
    assert_int_equal(answer->dropped[AFF_DROP_IN_CART], 2);
    assert_int_equal(answer->dropped[AFF_DROP_UNAVAILABLE], 1);
    assert_int_equal(answer->dropped[AFF_DROP_UNPRICED], 1);
    assert_int_equal(answer->short_reason, AFF_SHORT_FEW_CANDIDATES);
}

static void the_page_product_counts_like_one_of_the_cart_and_is_not_offered(void **state)
{
    struct shop *shop = *state;

    put_in_cart(shop, "pot");
    shop->request.product = aff_text_of("green");
    const struct aff_answer *answer = ask(shop);
    assert_rows(answer, (uint32_t[]){CUP, SIEVE, BLACK, AFF_NO_ROW});
    assert_int_equal(answer->dropped[AFF_DROP_IS_PRODUCT], 1);
    assert_int_equal(answer->dropped[AFF_DROP_IN_CART], 1);
}

static void explain_gives_evidence_and_terms_that_add_up(void **state)
{
    struct shop *shop = *state;

    put_in_cart(shop, "pot");
    put_in_cart(shop, "green");
    shop->request.explain = AFF_EXPLAIN_FULL;
    const struct aff_item *cup = &ask(shop)->items[0];
    assert_int_equal(cup->evidence->orders, 20);
    assert_int_equal(cup->n_terms, 3);
    assert_int_equal(cup->terms[0].via, GREEN);
    assert_int_equal(cup->terms[1].via, POT);
    assert_int_equal(cup->terms[2].source, AFF_ORIGIN_POPULAR);
    assert_true(fabs(cup->terms[0].value - 5.0 / 7) < 1e-6);
    double sum = 0;
    for (uint32_t i = 0; i < cup->n_terms; i++)
        sum += cup->terms[i].weight * cup->terms[i].value;
    assert_true(fabs(sum - (double)cup->score) < 1e-6);
}

static void unknown_ids_are_listed_once_and_the_rest_is_answered(void **state)
{
    struct shop *shop = *state;
    const struct aff_text exclude[] = {aff_text_of("cup"), aff_text_of("gone"), aff_text_of("never")};

    put_in_cart(shop, "gone");
    put_in_cart(shop, "pot");
    put_in_cart(shop, "gone");
    shop->request.product = aff_text_of("nothing");
    shop->request.exclude = exclude;
    shop->request.n_exclude = 3;
    shop->request.customer = aff_text_of("nobody");
    const struct aff_answer *answer = ask(shop);
    assert_int_equal(answer->n_unknown, 3);
    assert_true(aff_text_equal(answer->unknown[0], aff_text_of("gone")));
    assert_true(aff_text_equal(answer->unknown[1], aff_text_of("nothing")));
    assert_true(aff_text_equal(answer->unknown[2], aff_text_of("never")));
    assert_false(answer->customer_known);
    assert_rows(answer, (uint32_t[]){GREEN, SIEVE, AFF_NO_ROW});
    assert_int_equal(answer->dropped[AFF_DROP_EXCLUDED], 1);
}

static void a_known_customer_gets_what_is_bought_again_and_is_due(void **state)
{
    struct shop *shop = *state;

    shop->request.customer = aff_text_of("ann");
    const struct aff_answer *answer = ask(shop);
    assert_true(answer->customer_known);
    assert_rows(answer, (uint32_t[]){GREEN, BLACK, CUP, SIEVE, AFF_NO_ROW});
    assert_int_equal(answer->items[0].kind, AFF_KIND_REPLENISH);
    assert_int_equal(answer->items[0].origin, AFF_ORIGIN_NEIGHBOURS);
    /* What goes with the purchases comes after them. */
    assert_int_equal(answer->items[2].kind, AFF_KIND_CROSS_SELL);
    assert_int_equal(answer->items[2].origin, AFF_ORIGIN_NEIGHBOURS);
    assert_int_equal(answer->items[2].via, GREEN);
    shop->request.kinds = 1u << AFF_KIND_REPLENISH;
    answer = ask(shop);
    assert_rows(answer, (uint32_t[]){BLACK, AFF_NO_ROW});
    assert_int_equal(answer->dropped[AFF_DROP_NOT_DUE], 1);
    assert_int_equal(answer->dropped[AFF_DROP_OWNED], 1);
    /* Five days later half of the 30 days have passed. */
    shop->request.now_us += INT64_C(5) * DAY_S * 1000000;
    assert_rows(ask(shop), (uint32_t[]){GREEN, BLACK, AFF_NO_ROW});
}

static void with_a_cart_the_rhythm_counts_only_where_replenish_is_asked_for(void **state)
{
    struct shop *shop = *state;

    put_in_cart(shop, "cup");
    shop->request.customer = aff_text_of("ann");
    assert_rows(ask(shop), (uint32_t[]){GREEN, BLACK, AFF_NO_ROW});
    shop->request.kinds = 1u << AFF_KIND_REPLENISH;
    assert_rows(ask(shop), (uint32_t[]){BLACK, AFF_NO_ROW});
    shop->request.kinds = 1u << AFF_KIND_CROSS_SELL;
    assert_rows(ask(shop), (uint32_t[]){AFF_NO_ROW});
    assert_int_equal(shop->answer->dropped[AFF_DROP_WRONG_KIND], 2);
    assert_int_equal(shop->answer->short_reason, AFF_SHORT_ALL_DROPPED);
}

static void sequence_follows_the_newest_cart_product(void **state)
{
    struct shop *shop = *state;

    put_in_cart(shop, "pot");
    put_in_cart(shop, "green");
    for (int i = 0; i < AFF_SITUATION_MAX; i++)
        shop->blend.of[i].sequence = 3;
    shop->request.explain = AFF_EXPLAIN_BASIC;
    const struct aff_answer *answer = ask(shop);
    assert_rows(answer, (uint32_t[]){BLACK, BOOK, CUP, SIEVE, AFF_NO_ROW});
    assert_int_equal(answer->items[0].origin, AFF_ORIGIN_SEQUENCE);
    assert_int_equal(answer->items[0].via, GREEN);
    assert_int_equal(answer->items[0].via_relation, AFF_RELATION_NEXT);
    assert_int_equal(answer->items[0].evidence->orders, 6);
    shop->request.n_cart = 1; /* the pot alone, which nothing follows */
    assert_int_equal(ask(shop)->items[0].origin, AFF_ORIGIN_AFFINITY);
}

static void substitutes_are_alike_and_about_as_dear(void **state)
{
    struct shop *shop = *state;

    shop->request.product = aff_text_of("green");
    shop->request.kinds = 1u << AFF_KIND_SUBSTITUTE;
    const struct aff_answer *answer = ask(shop);
    /* The book is tea by category, at three times the price. */
    assert_rows(answer, (uint32_t[]){BLACK, AFF_NO_ROW});
    assert_int_equal(answer->items[0].kind, AFF_KIND_SUBSTITUTE);
    assert_int_equal(answer->items[0].origin, AFF_ORIGIN_CONTENT);
    assert_int_equal(answer->items[0].via, GREEN);
    assert_true(fabsf(answer->items[0].score - (0.6f + 0.02f * 0.5f)) < 1e-6f);
    assert_int_equal(answer->dropped[AFF_DROP_WRONG_KIND], 2);
}

static void filters_prices_and_floors_each_have_their_reason(void **state)
{
    struct shop *shop = *state;
    const struct aff_filter filter = {
        .field = AFF_FILTER_CATEGORY, .compare = AFF_COMPARE_NE, .value = aff_text_of("Cups")};

    put_in_cart(shop, "pot");
    shop->request.filters = &filter;
    shop->request.n_filters = 1;
    shop->request.price_min = 500;
    const struct aff_answer *answer = ask(shop);
    assert_rows(answer, (uint32_t[]){GREEN, AFF_NO_ROW});
    assert_int_equal(answer->dropped[AFF_DROP_FILTERED], 1);
    assert_int_equal(answer->dropped[AFF_DROP_PRICE], 1);
    shop->request.price_min = AFF_NO_MONEY;
    shop->request.min_lift = 2; /* green 12 * 200 / (40 * 60) = 1, sieve 9 * 200 / (40 * 10) = 4.5 */
    answer = ask(shop);
    assert_rows(answer, (uint32_t[]){SIEVE, AFF_NO_ROW});
    assert_int_equal(answer->dropped[AFF_DROP_BELOW_FLOOR], 1);
    shop->request.min_lift = 0;
    shop->request.min_confidence = 0.3; /* green 12 / 40, sieve 9 / 40 */
    assert_rows(ask(shop), (uint32_t[]){GREEN, AFF_NO_ROW});
    shop->request.min_confidence = 0;
    shop->request.min_orders = 10;
    assert_rows(ask(shop), (uint32_t[]){GREEN, AFF_NO_ROW});
}

static void fallback_fills_by_category_then_by_store(void **state)
{
    struct shop *shop = *state;

    put_in_cart(shop, "green");
    shop->request.strict = false;
    shop->request.limit = 6;
    const struct aff_answer *answer = ask(shop);
    /* Rows give cup, pot, black; then tea by popularity, then the store. */
    assert_rows(answer, (uint32_t[]){CUP, POT, BLACK, BOOK, SIEVE, AFF_NO_ROW});
    assert_int_equal(answer->items[2].origin, AFF_ORIGIN_AFFINITY);
    assert_int_equal(answer->items[3].origin, AFF_ORIGIN_POPULAR);
    assert_int_equal(answer->items[3].via, GREEN);
    assert_int_equal(answer->items[4].via, AFF_NO_ROW);
    assert_true(answer->items[3].score < answer->items[2].score);
    assert_int_equal(answer->short_reason, AFF_SHORT_ALL_DROPPED);
    shop->request.limit = 4;
    assert_int_equal(ask(shop)->short_reason, AFF_SHORT_NONE);
}

static void without_any_input_the_store_is_offered_unless_strict(void **state)
{
    struct shop *shop = *state;

    assert_int_equal(ask(shop)->n_items, 0);
    assert_int_equal(shop->answer->short_reason, AFF_SHORT_NO_INPUT);
    shop->request.product = aff_text_of("lonely");
    assert_int_equal(ask(shop)->n_items, 0);
    assert_int_equal(shop->answer->short_reason, AFF_SHORT_NO_DATA);
    shop->request.product = aff_text_of("");
    shop->request.strict = false;
    assert_rows(ask(shop), (uint32_t[]){GREEN, BLACK, POT, CUP, SIEVE, BOOK, AFF_NO_ROW});
}

static void why_not_tells_the_fate_of_a_product(void **state)
{
    static const struct {
        const char *id;
        enum aff_fate fate;
        enum aff_drop drop;
    } cases[] = {
        {"cup", AFF_FATE_OFFERED, AFF_DROP_LIMIT},
        {"pot", AFF_FATE_DROPPED, AFF_DROP_IN_CART},
        {"sold-out", AFF_FATE_DROPPED, AFF_DROP_UNAVAILABLE},
        {"book", AFF_FATE_NO_CANDIDATE, AFF_DROP_LIMIT},
        {"sieve", AFF_FATE_DROPPED, AFF_DROP_LIMIT},
        {"gone", AFF_FATE_UNKNOWN, AFF_DROP_LIMIT},
    };
    struct shop *shop = *state;

    put_in_cart(shop, "pot");
    put_in_cart(shop, "green");
    shop->request.limit = 1;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        shop->request.why_not = aff_text_of(cases[i].id);
        const struct aff_answer *answer = ask(shop);
        assert_int_equal(answer->why_not, cases[i].fate);
        if (cases[i].fate == AFF_FATE_DROPPED)
            assert_int_equal(answer->why_not_drop, cases[i].drop);
    }
}

static void diversity_prefers_another_category_to_a_slightly_better_item(void **state)
{
    static const struct aff_neighbour cup[] = {{GREEN, 0.5f}, {BLACK, 0.45f}, {SIEVE, 0.4f}};
    static const uint32_t orders[] = {5, 5, 5};
    struct shop *shop = *state;

    add_row(shop->model->together, CUP, cup, orders, 3);
    put_in_cart(shop, "cup");
    shop->request.limit = 2;
    assert_rows(ask(shop), (uint32_t[]){GREEN, BLACK, AFF_NO_ROW});
    shop->request.diversity = 0.5;
    shop->request.why_not = aff_text_of("black");
    const struct aff_answer *answer = ask(shop);
    assert_rows(answer, (uint32_t[]){GREEN, SIEVE, AFF_NO_ROW});
    assert_int_equal(answer->dropped[AFF_DROP_DIVERSITY], 1);
    assert_int_equal(answer->dropped[AFF_DROP_LIMIT], 0);
    assert_int_equal(answer->why_not_drop, AFF_DROP_DIVERSITY);
}

static void rotation_changes_near_ties_by_seed_only(void **state)
{
    static const struct aff_neighbour cup[] = {{GREEN, 0.5f}, {BLACK, 0.499f}, {SIEVE, 0.3f}};
    static const uint32_t orders[] = {5, 5, 5};
    struct shop *shop = *state;
    uint32_t first[N_PRODUCTS] = {0};

    for (int i = 0; i < AFF_SITUATION_MAX; i++)
        shop->blend.of[i].popularity = 0;
    add_row(shop->model->together, CUP, cup, orders, 3);
    put_in_cart(shop, "cup");
    shop->request.rotation = 1;
    for (shop->request.seed = 0; shop->request.seed < 200; shop->request.seed++) {
        const struct aff_answer *answer = ask(shop);
        first[answer->items[0].row]++;
        assert_int_equal(answer->items[2].row, SIEVE);
        assert_true(answer->items[0].score >= answer->items[1].score && answer->items[0].score <= 1);
    }
    assert_true(first[GREEN] > 60 && first[BLACK] > 60);
}

static void broken_limits_are_refused(void **state)
{
    struct shop *shop = *state;
    const struct aff_request good = shop->request;
    struct aff_request bad[10];
    const struct aff_filter order = {.field = AFF_FILTER_BRAND, .compare = AFF_COMPARE_LT};

    for (size_t i = 0; i < 10; i++)
        bad[i] = good;
    bad[0].limit = 0;
    bad[1].limit = AFF_ITEMS_MAX + 1;
    bad[2].n_cart = AFF_CART_MAX + 1;
    bad[3].n_exclude = AFF_EXCLUDE_MAX + 1;
    bad[4].n_filters = AFF_FILTER_MAX + 1;
    bad[5].diversity = 1.01;
    bad[6].rotation = (double)NAN;
    bad[7].min_lift = -1;
    bad[8].kinds = 1u << AFF_KIND_MAX;
    bad[9].filters = &order;
    bad[9].n_filters = 1;
    shop->answer->n_items = 77;
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(aff_recommend(shop->model, &shop->blend, shop->workspace, &bad[i], shop->answer),
                         AFF_INVALID);
    assert_int_equal(shop->answer->n_items, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_cart_gives_the_sums_of_its_rows, open_shop, close_shop),
        cmocka_unit_test_setup_teardown(the_page_product_counts_like_one_of_the_cart_and_is_not_offered,
                                        open_shop, close_shop),
        cmocka_unit_test_setup_teardown(explain_gives_evidence_and_terms_that_add_up, open_shop, close_shop),
        cmocka_unit_test_setup_teardown(unknown_ids_are_listed_once_and_the_rest_is_answered, open_shop,
                                        close_shop),
        cmocka_unit_test_setup_teardown(a_known_customer_gets_what_is_bought_again_and_is_due, open_shop,
                                        close_shop),
        cmocka_unit_test_setup_teardown(with_a_cart_the_rhythm_counts_only_where_replenish_is_asked_for,
                                        open_shop, close_shop),
        cmocka_unit_test_setup_teardown(sequence_follows_the_newest_cart_product, open_shop, close_shop),
        cmocka_unit_test_setup_teardown(substitutes_are_alike_and_about_as_dear, open_shop, close_shop),
        cmocka_unit_test_setup_teardown(filters_prices_and_floors_each_have_their_reason, open_shop,
                                        close_shop),
        cmocka_unit_test_setup_teardown(fallback_fills_by_category_then_by_store, open_shop, close_shop),
        cmocka_unit_test_setup_teardown(without_any_input_the_store_is_offered_unless_strict, open_shop,
                                        close_shop),
        cmocka_unit_test_setup_teardown(why_not_tells_the_fate_of_a_product, open_shop, close_shop),
        cmocka_unit_test_setup_teardown(diversity_prefers_another_category_to_a_slightly_better_item,
                                        open_shop, close_shop),
        cmocka_unit_test_setup_teardown(rotation_changes_near_ties_by_seed_only, open_shop, close_shop),
        cmocka_unit_test_setup_teardown(broken_limits_are_refused, open_shop, close_shop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
