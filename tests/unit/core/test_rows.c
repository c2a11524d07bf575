/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/rows.h"

#include "core/learn/decay.h"
#include "core/learn/top.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { PRODUCTS = 4, KEPT = 3 };

struct taken {
    uint32_t n[PRODUCTS];
    float residuals[PRODUCTS];
    struct aff_neighbour neighbours[PRODUCTS][KEPT];
    struct aff_pair_counts counts[PRODUCTS][KEPT];
};

static aff_status take(void *context, int thread, uint32_t a, float residual,
                       const struct aff_neighbour *neighbours, const struct aff_pair_counts *counts,
                       uint32_t n)
{
    struct taken *taken = context;

    (void)thread;
    assert_true(n <= KEPT);
    taken->n[a] = n;
    taken->residuals[a] = residual;
    memcpy(taken->neighbours[a], neighbours, n * sizeof *neighbours);
    memcpy(taken->counts[a], counts, n * sizeof *counts);
    return AFF_OK;
}

/* 100 orders. 0 and 1 are bought together; 2 is in almost every order; 3 was bought once, with 0 and 2. */
static struct aff_pairs *small_shop(void)
{
    const struct aff_product_stat stats[PRODUCTS] = {
        {.product = 10, .orders = 20, .weight = 16 * AFF_WEIGHT_ONE},
        {.product = 11, .orders = 10, .weight = 4 * AFF_WEIGHT_ONE},
        {.product = 12, .orders = 80, .weight = 64 * AFF_WEIGHT_ONE},
        {.product = 13, .orders = 1, .weight = AFF_WEIGHT_ONE},
    };
    struct aff_pairs_builder *builder = NULL;
    struct aff_pairs *pairs = NULL;
    struct aff_pair pair = {.orders = 8,
                            .discounted = 2,
                            .weight = 4 * AFF_WEIGHT_ONE,
                            .revenue_a = 100,
                            .revenue_b = 200,
                            .margin_a = 30,
                            .margin_b = 40};

    assert_int_equal(aff_pairs_builder_new(stats, PRODUCTS, 100, 90 * AFF_WEIGHT_ONE, &builder), AFF_OK);
    assert_int_equal(aff_pairs_builder_add(builder, 0, 1, &pair), AFF_OK);
    pair = (struct aff_pair){.orders = 16, .weight = 8 * AFF_WEIGHT_ONE};
    assert_int_equal(aff_pairs_builder_add(builder, 0, 2, &pair), AFF_OK);
    pair = (struct aff_pair){.orders = 1, .weight = AFF_WEIGHT_ONE};
    assert_int_equal(aff_pairs_builder_add(builder, 0, 3, &pair), AFF_OK);
    assert_int_equal(aff_pairs_builder_add(builder, 2, 3, &pair), AFF_OK);
    assert_int_equal(aff_pairs_builder_finish(builder, &pairs), AFF_OK);
    aff_pairs_builder_free(builder);
    return pairs;
}

static struct taken rows_by(enum aff_method method, struct aff_floors floors, uint32_t neighbours)
{
    struct aff_pairs *pairs = small_shop();
    const struct aff_rows_settings settings = {
        .method = method, .neighbours = neighbours, .others = 10, .lambda = 2, .floors = floors};
    struct taken taken = {0};

    assert_int_equal(aff_rows_build(pairs, &settings, 2, NULL, take, &taken), AFF_OK);
    aff_pairs_free(pairs);
    return taken;
}

static void assert_close(float actual, double expected)
{
    assert_true(fabs((double)actual - expected) < 1e-6);
}

static const struct aff_floors none = {0};

static void confidence_is_the_share_of_the_rows_own_orders(void **state)
{
    (void)state;
    struct taken taken = rows_by(AFF_METHOD_CONFIDENCE, none, KEPT);

    assert_int_equal(taken.n[0], 3);
    assert_int_equal(taken.neighbours[0][0].row, 2);
    assert_close(taken.neighbours[0][0].score, 16.0 / 20);
    assert_int_equal(taken.neighbours[0][1].row, 1);
    assert_close(taken.neighbours[0][1].score, 8.0 / 20);
    assert_close(taken.neighbours[1][0].score, 8.0 / 10);
    assert_int_equal(taken.n[1], 1);
}

static void lift_compares_with_chance(void **state)
{
    (void)state;
    struct taken taken = rows_by(AFF_METHOD_LIFT, none, KEPT);

    assert_int_equal(taken.neighbours[0][0].row, 3);
    assert_close(taken.neighbours[0][0].score, 5); /* 1 x 100 / (20 x 1) */
    assert_int_equal(taken.neighbours[0][1].row, 1);
    assert_close(taken.neighbours[0][1].score, 4); /* 8 x 100 / (20 x 10) */
    assert_int_equal(taken.neighbours[0][2].row, 2);
    assert_close(taken.neighbours[0][2].score, 1); /* 16 x 100 / (20 x 80) */
}

static void jaccard_is_the_share_of_the_orders_with_any_of_both(void **state)
{
    (void)state;
    struct taken taken = rows_by(AFF_METHOD_JACCARD, none, KEPT);

    assert_int_equal(taken.n[0], 3);
    assert_int_equal(taken.neighbours[0][0].row, 1);
    assert_close(taken.neighbours[0][0].score, 8.0 / (20 + 10 - 8));
    assert_close(taken.neighbours[0][1].score, 16.0 / (20 + 80 - 16));
    assert_int_equal(taken.neighbours[0][1].row, 2);
    assert_close(taken.neighbours[0][2].score, 1.0 / (20 + 1 - 1));
    assert_close(taken.neighbours[1][0].score, taken.neighbours[0][0].score);
}

/* The 2 x 2 table of products 0 and 1 is {8, 12; 2, 78}, of 0 and 3 {1, 19; 0, 80}. */
static void log_likelihood_ratio_needs_more_than_chance(void **state)
{
    (void)state;
    struct taken taken = rows_by(AFF_METHOD_LLR, none, KEPT);
    const double both = 8 * log(8 / 2.0) + 12 * log(12 / 18.0) + 2 * log(2 / 8.0) + 78 * log(78 / 72.0);
    const double once = 1 * log(1 / 0.2) + 19 * log(19 / 19.8) + 80 * log(80 / 79.2);

    assert_int_equal(taken.n[0], 2); /* 0 and 2 have a lift of 1 */
    assert_int_equal(taken.neighbours[0][0].row, 1);
    assert_true(fabs((double)taken.neighbours[0][0].score - 2 * both) < 1e-4);
    assert_int_equal(taken.neighbours[0][1].row, 3);
    assert_true(fabs((double)taken.neighbours[0][1].score - 2 * once) < 1e-4);
}

static void cosine_works_on_weights(void **state)
{
    (void)state;
    struct taken taken = rows_by(AFF_METHOD_COSINE, none, KEPT);

    assert_int_equal(taken.neighbours[0][0].row, 1);
    assert_close(taken.neighbours[0][0].score, 4 / sqrt(16.0 * 4));
    assert_close(taken.neighbours[0][1].score, 8 / sqrt(16.0 * 64)); /* equal to the next: lower row first */
    assert_int_equal(taken.neighbours[0][1].row, 2);
    assert_int_equal(taken.neighbours[0][2].row, 3);
}

static void ridge_scores_are_own_coefficients_scaled_by_residuals(void **state)
{
    (void)state;
    struct taken taken = rows_by(AFF_METHOD_RIDGE, none, KEPT);
    /* Product 1 shares baskets with 0 alone: w = G_01 / (G_00 + lambda). Product 0: (6) w_1 = 4, and 2 and 3
     * together {66 1; 1 3} {w_2 w_3} = {8 1}, whose determinant is 197. */
    double residual1 = 4 + 2 - 4 * 4.0 / 18;
    double residual0 = 16 + 2 - 4 * 4.0 / 6 - 8 * 23.0 / 197 - 1 * 58.0 / 197;

    assert_close(taken.residuals[1], residual1);
    assert_close(taken.residuals[0], residual0);
    assert_int_equal(taken.n[1], 1);
    assert_close(taken.neighbours[1][0].score, 4.0 / 18 * residual0 / residual1);
    bool found = false;
    for (uint32_t i = 0; i < taken.n[0]; i++)
        if (taken.neighbours[0][i].row == 1) {
            found = true;
            assert_close(taken.neighbours[0][i].score, 4.0 / 6 * residual1 / residual0);
        }
    assert_true(found);
}

static void rows_of_some_products_are_those_of_a_full_build(void **state)
{
    (void)state;
    struct aff_pairs *pairs = small_shop();
    struct aff_pair_links *links = NULL;
    struct aff_rows_room *room = NULL;
    const struct aff_rows_settings settings = {
        .method = AFF_METHOD_RIDGE, .neighbours = KEPT, .others = 10, .lambda = 2};
    struct taken full = rows_by(AFF_METHOD_RIDGE, none, KEPT), some = {0};
    float residuals[PRODUCTS];
    const uint32_t wanted[] = {2, 0};

    memcpy(residuals, full.residuals, sizeof residuals);
    residuals[0] = residuals[2] = 0; /* found anew */
    assert_int_equal(aff_pair_links_new(pairs, &links), AFF_OK);
    struct aff_links view = aff_pair_links_view(links);
    assert_int_equal(aff_rows_room_new(&settings, 1, &room), AFF_OK);
    assert_int_equal(aff_rows_make(room, &view, wanted, 2, residuals, NULL, take, &some), AFF_OK);
    aff_rows_room_free(room);
    assert_memory_equal(residuals, full.residuals, sizeof residuals);
    assert_int_equal(some.n[1], 0);
    for (int i = 0; i < 2; i++) {
        uint32_t a = wanted[i];
        assert_int_equal(some.n[a], full.n[a]);
        assert_memory_equal(some.neighbours[a], full.neighbours[a], full.n[a] * sizeof full.neighbours[a][0]);
    }
    aff_pair_links_free(links);
    aff_pairs_free(pairs);
}

static void counts_are_those_of_the_other_product(void **state)
{
    (void)state;
    struct taken taken = rows_by(AFF_METHOD_COSINE, none, KEPT);

    assert_int_equal(taken.counts[0][0].orders, 8);
    assert_int_equal(taken.counts[0][0].discounted, 2);
    assert_int_equal(taken.counts[0][0].weight, 4 * AFF_WEIGHT_ONE);
    assert_int_equal(taken.counts[0][0].revenue, 200); /* of product 1 */
    assert_int_equal(taken.counts[0][0].margin, 40);
    assert_int_equal(taken.neighbours[1][0].row, 0);
    assert_int_equal(taken.counts[1][0].revenue, 100); /* of product 0 */
    assert_int_equal(taken.counts[1][0].margin, 30);
}

static void floors_keep_out_chance_and_the_merely_popular(void **state)
{
    (void)state;
    static const enum aff_method methods[] = {AFF_METHOD_RIDGE, AFF_METHOD_COSINE, AFF_METHOD_CONFIDENCE,
                                              AFF_METHOD_LIFT};

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        struct taken taken = rows_by(methods[i], aff_floors_default(), KEPT);
        assert_int_equal(taken.n[0], 1); /* neither the bestseller (lift 1) nor the pair seen once */
        assert_int_equal(taken.neighbours[0][0].row, 1);
        assert_int_equal(taken.n[2], 0);
        assert_int_equal(taken.n[3], 0);
    }
}

static void only_the_best_are_kept(void **state)
{
    (void)state;
    struct taken taken = rows_by(AFF_METHOD_CONFIDENCE, none, 1);

    assert_int_equal(taken.n[0], 1);
    assert_int_equal(taken.neighbours[0][0].row, 2);
}

static aff_status refuse(void *context, int thread, uint32_t a, float residual,
                         const struct aff_neighbour *neighbours, const struct aff_pair_counts *counts,
                         uint32_t n)
{
    (void)context, (void)thread, (void)a, (void)residual, (void)neighbours, (void)counts, (void)n;
    return AFF_IO;
}

static void failing_sink_ends_the_work(void **state)
{
    (void)state;
    struct aff_pairs *pairs = small_shop();
    struct aff_rows_settings settings = {.neighbours = KEPT, .others = 10, .lambda = 1};

    assert_int_equal(aff_rows_build(pairs, &settings, 2, NULL, refuse, NULL), AFF_IO);
    settings.method = AFF_METHOD_LIFT;
    assert_int_equal(aff_rows_build(pairs, &settings, 1, NULL, refuse, NULL), AFF_IO);
    aff_pairs_free(pairs);
}

static void methods_are_known_by_name(void **state)
{
    (void)state;
    enum aff_method method = AFF_METHOD_LIFT;

    assert_true(aff_method_parse(aff_text_of("ridge"), &method));
    assert_int_equal(method, AFF_METHOD_RIDGE);
    assert_false(aff_method_parse(aff_text_of("Ridge"), &method));
    assert_string_equal(aff_method_name(AFF_METHOD_CONFIDENCE), "confidence");
}

static void best_few_come_out_by_score_then_row(void **state)
{
    (void)state;
    static const float scores[] = {3, 1, 2, 3, 5, 0, 2};
    struct aff_scored entries[4];
    struct aff_top top = {.entries = entries, .capacity = 4};

    for (uint32_t i = 0; i < 7; i++) {
        struct aff_scored entry = {.score = scores[i], .row = 10 - i};
        bool takes = aff_top_takes(&top, entry);
        assert_true(takes == (i != 5)); /* 0 is behind all four kept */
        aff_top_offer(&top, entry);
    }
    aff_top_sort(&top);
    assert_int_equal(entries[0].row, 6);
    assert_int_equal(entries[1].row, 7); /* 3, before 3 of row 10 */
    assert_int_equal(entries[2].row, 10);
    assert_int_equal(entries[3].row, 4); /* 2, before 2 of row 8 */
    aff_top_sort_by_row(&top);
    assert_int_equal(entries[0].row, 4);
    assert_int_equal(entries[3].row, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(confidence_is_the_share_of_the_rows_own_orders),
        cmocka_unit_test(lift_compares_with_chance),
        cmocka_unit_test(jaccard_is_the_share_of_the_orders_with_any_of_both),
        cmocka_unit_test(log_likelihood_ratio_needs_more_than_chance),
        cmocka_unit_test(cosine_works_on_weights),
        cmocka_unit_test(ridge_scores_are_own_coefficients_scaled_by_residuals),
        cmocka_unit_test(rows_of_some_products_are_those_of_a_full_build),
        cmocka_unit_test(counts_are_those_of_the_other_product),
        cmocka_unit_test(floors_keep_out_chance_and_the_merely_popular),
        cmocka_unit_test(only_the_best_are_kept),
        cmocka_unit_test(failing_sink_ends_the_work),
        cmocka_unit_test(methods_are_known_by_name),
        cmocka_unit_test(best_few_come_out_by_score_then_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
