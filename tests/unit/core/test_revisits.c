/* SPDX-License-Identifier: Apache-2.0 */
/* How often visitors come back to a product, and this visitor does, decides how much the product that is
 * looked at counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/recommend/recommend.h"

#include <stdlib.h>

enum { N_PRODUCTS = 4, NOW_S = 5000 };

static const char *const ids[N_PRODUCTS] = {"p0", "p1", "p2", "p3"};

static struct aff_traces *learn(const uint32_t *const *sessions, const uint32_t *lengths, uint32_t n)
{
    struct aff_sequences_builder *builder;
    struct aff_sequences *sequences;
    struct aff_traces *traces = calloc(1, sizeof *traces);

    assert_non_null(traces);
    assert_int_equal(aff_sequences_builder_new(&builder), AFF_OK);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(aff_sequences_builder_add(builder, sessions[i], lengths[i], 1000 + i), AFF_OK);
    assert_int_equal(aff_sequences_builder_finish(builder, N_PRODUCTS, 10, &sequences), AFF_OK);
    aff_sequences_builder_free(builder);
    assert_int_equal(aff_traces_learn_views(traces, sequences), AFF_OK);
    aff_sequences_free(sequences);
    return traces;
}

static float revisits_of(const uint32_t *const *sessions, const uint32_t *lengths, uint32_t n)
{
    struct aff_traces *traces = learn(sessions, lengths, n);
    const float revisits = traces->revisits;
    aff_traces_free(traces);
    return revisits;
}

static void views_of_a_product_seen_before_are_counted_among_those_after_the_first(void **state)
{
    const uint32_t back[] = {0, 1, 0, 0}, forth[] = {2, 3};

    (void)state;
    assert_true(revisits_of((const uint32_t *const[]){back, forth}, (const uint32_t[]){4, 2}, 2) == 0.5F);
    assert_true(revisits_of((const uint32_t *const[]){forth}, (const uint32_t[]){2}, 1) == 0);
    assert_true(revisits_of((const uint32_t *const[]){forth}, (const uint32_t[]){1}, 1) == 0);
}

static void open_model(struct aff_model *model, struct aff_traces *traces)
{
    struct aff_catalogue_builder *catalogue;
    struct aff_customers_builder *customers;

    assert_int_equal(aff_catalogue_builder_new(&catalogue), AFF_OK);
    for (int32_t i = 0; i < N_PRODUCTS; i++) {
        const struct aff_product product = {
            .id = aff_text_of(ids[i]), .key = i, .price = 100, .available = true, .stock = AFF_NO_STOCK};
        assert_int_equal(aff_catalogue_builder_add(catalogue, &product), AFF_OK);
    }
    assert_int_equal(aff_catalogue_builder_finish(catalogue, &model->catalogue), AFF_OK);
    aff_catalogue_builder_free(catalogue);
    assert_int_equal(aff_customers_builder_new(&customers), AFF_OK);
    assert_int_equal(aff_customers_builder_finish(customers, &model->customers), AFF_OK);
    aff_customers_builder_free(customers);
    assert_int_equal(aff_neighbours_new(N_PRODUCTS, &model->together), AFF_OK);
    assert_int_equal(aff_neighbours_new(N_PRODUCTS, &model->next), AFF_OK);
    model->traces = traces;
}

static void close_model(struct aff_model *model)
{
    aff_neighbours_free(model->together);
    aff_neighbours_free(model->next);
    aff_customers_free(model->customers);
    aff_catalogue_free(model->catalogue);
}

/* The score of the product viewed last, if only the given source speaks. */
static double score_of_newest(const struct aff_model *model, enum aff_trace trace, const uint32_t *views,
                              size_t n)
{
    struct aff_cart_line cart[4];
    struct aff_blend blend = aff_blend_default();
    struct aff_workspace *workspace;
    struct aff_answer answer;
    double score = 0;
    const struct aff_request request = {.cart = cart,
                                        .n_cart = n,
                                        .as = AFF_AS_VIEWS,
                                        .limit = N_PRODUCTS,
                                        .strict = true,
                                        .price_min = AFF_NO_MONEY,
                                        .price_max = AFF_NO_MONEY,
                                        .now_us = INT64_C(1000000) * NOW_S};

    for (size_t i = 0; i < n; i++)
        cart[i] = (struct aff_cart_line){.product = aff_text_of(ids[views[i]])};
    blend.of[AFF_SITUATION_VIEWS] = (struct aff_weights){0};
    blend.of[AFF_SITUATION_VIEWS].traces[trace] = 1;
    assert_int_equal(aff_workspace_new(&workspace), AFF_OK);
    assert_int_equal(aff_recommend(model, &blend, workspace, &request, &answer), AFF_OK);
    for (size_t i = 0; i < answer.n_items; i++)
        if (answer.items[i].row == views[n - 1])
            score = answer.items[i].score;
    aff_workspace_free(workspace);
    return score;
}

static void the_newest_product_counts_more_for_who_came_back_before(void **state)
{
    const uint32_t stayed[] = {0, 0}, went[] = {0, 1}, came[] = {0, 1};
    const uint32_t roamer[] = {2, 3, 0}, returner[] = {2, 2, 0}, beginner[] = {0};
    struct aff_traces *traces =
        learn((const uint32_t *const[]){stayed, went, came}, (const uint32_t[]){2, 2, 2}, 3);
    struct aff_model model = {0};

    (void)state;
    open_model(&model, traces);
    for (int i = 0; i < 2; i++) {
        const enum aff_trace trace = i == 0 ? AFF_TRACE_ALIKE : AFF_TRACE_VIEWED;
        const double roams = score_of_newest(&model, trace, roamer, 3);
        const double returns = score_of_newest(&model, trace, returner, 3);
        assert_true(roams > 0 && roams < returns);
    }
    /* After p0 comes p1 twice as often as p0. A third of all views return, a ninth of the roamer's as it is
     * reckoned, four of nine of the returner's. */
    assert_float_equal(score_of_newest(&model, AFF_TRACE_VIEWED, beginner, 1), 1.0 / 2, 1e-6);
    assert_float_equal(score_of_newest(&model, AFF_TRACE_VIEWED, roamer, 3), 1.0 / 6, 1e-6);
    assert_float_equal(score_of_newest(&model, AFF_TRACE_VIEWED, returner, 3), 2.0 / 3, 1e-6);
    close_model(&model);
    aff_traces_free(traces);
}

static void the_newest_product_is_not_offered_where_nobody_returns(void **state)
{
    const uint32_t there[] = {0, 1}, back[] = {1, 0}, view[] = {0};
    struct aff_traces *traces = learn((const uint32_t *const[]){there, back}, (const uint32_t[]){2, 2}, 2);
    struct aff_model model = {0};
    uint32_t n = 0;

    (void)state;
    open_model(&model, traces);
    (void)aff_successors_of(traces->alike, 0, &n);
    assert_int_equal(n, 1);
    assert_true(score_of_newest(&model, AFF_TRACE_ALIKE, view, 1) == 0);
    close_model(&model);
    aff_traces_free(traces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_of_a_product_seen_before_are_counted_among_those_after_the_first),
        cmocka_unit_test(the_newest_product_counts_more_for_who_came_back_before),
        cmocka_unit_test(the_newest_product_is_not_offered_where_nobody_returns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
