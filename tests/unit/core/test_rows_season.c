/* SPDX-License-Identifier: Apache-2.0 */
/* 160 summer orders hold umbrellas and sun screen independently of each other, each every other time, and
 * half of those with sun screen lotion for afterwards, which no other order holds; 800 winter orders hold
 * none of the three. So umbrella and sun screen have a lift of 6 over the year and of 1 within the summer. */
#include "core/base/clock.h"
#include "core/learn/rows.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { UMBRELLA, SCREEN, LOTION, TEA, PRODUCTS, SUMMER = 160, WINTER = 800, KEY = 10 };

struct rows {
    float scores[PRODUCTS][PRODUCTS]; /* 0: not in the row */
    struct aff_pair_counts counts[PRODUCTS][PRODUCTS];
};

static aff_status take(void *context, int thread, uint32_t a, float residual,
                       const struct aff_neighbour *neighbours, const struct aff_pair_counts *counts,
                       uint32_t n)
{
    struct rows *rows = context;

    (void)thread, (void)residual;
    for (uint32_t i = 0; i < n; i++) {
        rows->scores[a][neighbours[i].row] = neighbours[i].score;
        rows->counts[a][neighbours[i].row] = counts[i];
    }
    return AFF_OK;
}

static void buy(struct aff_baskets_builder *builder, int order, bool summer, int product)
{
    struct aff_line line = {.order_key = order,
                            .customer = AFF_NO_CUSTOMER,
                            .at_us = (summer ? 160 : 340) * AFF_DAY_US + order,
                            .product = KEY + product};

    assert_int_equal(aff_baskets_builder_add(builder, &line), AFF_OK);
}

static struct aff_pairs *shop(void)
{
    const struct aff_baskets_settings settings = {
        .window_us = 1000 * AFF_DAY_US, .half_life_s = INT64_C(1) << 40, .cap = 10};
    struct aff_baskets_builder *builder = NULL;
    struct aff_baskets *baskets = NULL;
    struct aff_pairs *pairs = NULL;

    assert_int_equal(aff_baskets_builder_new(&builder), AFF_OK);
    for (int order = 0; order < SUMMER + WINTER; order++) {
        bool summer = order < SUMMER;
        if (summer && order % 2 == 0)
            buy(builder, order, true, UMBRELLA);
        if (summer && order / 2 % 2 == 0)
            buy(builder, order, true, SCREEN);
        if (summer && order / 2 % 4 == 0)
            buy(builder, order, true, LOTION);
        buy(builder, order, summer, TEA);
    }
    assert_int_equal(aff_baskets_builder_finish(builder, &settings, &baskets), AFF_OK);
    aff_baskets_builder_free(builder);
    assert_int_equal(aff_pairs_count(baskets, 1, NULL, &pairs), AFF_OK);
    aff_baskets_free(baskets);
    return pairs;
}

static struct rows rows_with(enum aff_method method, double damping, const struct aff_reviews *reviews)
{
    const struct aff_rows_settings settings = {.method = method,
                                               .neighbours = PRODUCTS,
                                               .others = 10,
                                               .lambda = 0.1,
                                               .floors = aff_floors_default(),
                                               .season_damping = damping,
                                               .reviews = reviews};
    struct rows rows;
    struct aff_pairs *pairs = shop();

    memset(&rows, 0, sizeof rows);
    assert_int_equal(aff_rows_build(pairs, &settings, 1, NULL, take, &rows), AFF_OK);
    aff_pairs_free(pairs);
    return rows;
}

static void what_only_shares_a_season_is_damped_and_a_true_pair_is_not(void **state)
{
    (void)state;
    for (int method = AFF_METHOD_COSINE; method <= AFF_METHOD_LIFT; method++) {
        struct rows plain = rows_with((enum aff_method)method, 1, NULL);
        struct rows damped = rows_with((enum aff_method)method, 0.25, NULL);
        assert_true(plain.scores[UMBRELLA][SCREEN] > 0);
        assert_true(damped.scores[UMBRELLA][SCREEN] == plain.scores[UMBRELLA][SCREEN] * 0.25F);
        assert_true(damped.scores[SCREEN][UMBRELLA] == plain.scores[SCREEN][UMBRELLA] * 0.25F);
        assert_true(plain.scores[SCREEN][LOTION] > 0);
        assert_true(damped.scores[SCREEN][LOTION] == plain.scores[SCREEN][LOTION]);
    }
    struct rows plain = rows_with(AFF_METHOD_RIDGE, 0, NULL), damped = rows_with(AFF_METHOD_RIDGE, 0.5, NULL);
    assert_true(plain.scores[UMBRELLA][SCREEN] > 0);
    assert_true(fabsf(damped.scores[UMBRELLA][SCREEN] / plain.scores[UMBRELLA][SCREEN] - 0.5F) < 1e-5F);
    assert_true(damped.scores[SCREEN][LOTION] == plain.scores[SCREEN][LOTION]);
}

static void rows_carry_what_the_season_explains(void **state)
{
    struct rows rows = rows_with(AFF_METHOD_COSINE, 1, NULL);

    (void)state;
    assert_int_equal(rows.counts[UMBRELLA][SCREEN].orders, 40);
    assert_true(rows.counts[UMBRELLA][SCREEN].season_expected == 40); /* 80 x 80 / 160 */
    assert_true(rows.counts[UMBRELLA][SCREEN].season_z == 0);
    assert_int_equal(rows.counts[SCREEN][LOTION].orders, 40);
    assert_true(rows.counts[SCREEN][LOTION].season_expected == 20); /* 80 x 40 / 160 */
    assert_true(rows.counts[SCREEN][LOTION].season_z > 7);
}

static void an_approved_pair_is_not_damped_and_a_rejected_one_is_in_no_row(void **state)
{
    struct aff_reviews reviews = {0};
    struct rows plain = rows_with(AFF_METHOD_COSINE, 1, NULL);

    (void)state;
    assert_int_equal(aff_reviews_put(&reviews, KEY + SCREEN, KEY + UMBRELLA, AFF_VERDICT_APPROVE), AFF_OK);
    assert_int_equal(aff_reviews_put(&reviews, KEY + SCREEN, KEY + LOTION, AFF_VERDICT_REJECT), AFF_OK);
    for (int method = AFF_METHOD_RIDGE; method <= AFF_METHOD_COSINE; method++) {
        struct rows rows = rows_with((enum aff_method)method, 0.25, &reviews);
        assert_true(rows.scores[SCREEN][LOTION] == 0 && rows.scores[LOTION][SCREEN] == 0);
        if (method == AFF_METHOD_COSINE)
            assert_true(rows.scores[UMBRELLA][SCREEN] == plain.scores[UMBRELLA][SCREEN]);
    }
    aff_reviews_done(&reviews);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_only_shares_a_season_is_damped_and_a_true_pair_is_not),
        cmocka_unit_test(rows_carry_what_the_season_explains),
        cmocka_unit_test(an_approved_pair_is_not_damped_and_a_rejected_one_is_in_no_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
