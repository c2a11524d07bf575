/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/metrics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define Z 1.959963984540054

static const int64_t prices[] = {100, 250, 999, 0, 4000, 10};

static void assert_close(double actual, double expected)
{
    if (!(fabs(actual - expected) < 1e-12))
        fail_msg("%.17g is not %.17g", actual, expected);
}

static void one_hidden_product_in_third_place(void **state)
{
    (void)state;
    const uint32_t shown[] = {0, 1, 2, 3, 4}, truth[] = {2};
    struct aff_query_score score = aff_query_score(shown, 5, 10, truth, 1, prices);

    assert_close(score.of[AFF_METRIC_HR], 1);
    assert_close(score.of[AFF_METRIC_MRR], 1.0 / 3);
    assert_close(score.of[AFF_METRIC_NDCG], 0.5); /* 1 / log2(4) */
    assert_close(score.of[AFF_METRIC_RECALL], 1);
    assert_close(score.of[AFF_METRIC_REVENUE], 999);
}

static void what_stands_behind_k_does_not_count(void **state)
{
    (void)state;
    const uint32_t shown[] = {0, 1, 2, 3, 4}, truth[] = {2};
    struct aff_query_score score = aff_query_score(shown, 5, 2, truth, 1, prices);

    for (int metric = 0; metric < AFF_METRIC_OF_QUERY; metric++)
        assert_close(score.of[metric], 0);
}

static void no_item_scores_nothing(void **state)
{
    (void)state;
    const uint32_t truth[] = {2};
    struct aff_query_score score = aff_query_score(truth, 0, 10, truth, 1, prices);

    for (int metric = 0; metric < AFF_METRIC_OF_QUERY; metric++)
        assert_close(score.of[metric], 0);
}

static void three_hidden_products_of_which_two_are_found(void **state)
{
    (void)state;
    const uint32_t shown[] = {3, 1, 0, 4}, truth[] = {4, 5, 1};
    struct aff_query_score score = aff_query_score(shown, 4, 4, truth, 3, prices);
    const double best = 1 + 1 / log2(3) + 0.5;

    assert_close(score.of[AFF_METRIC_HR], 1);
    assert_close(score.of[AFF_METRIC_MRR], 0.5);
    assert_close(score.of[AFF_METRIC_NDCG], (1 / log2(3) + 1 / log2(5)) / best);
    assert_close(score.of[AFF_METRIC_RECALL], 2.0 / 3);
    assert_close(score.of[AFF_METRIC_REVENUE], 250 + 4000);
}

/* More are hidden than can be shown: the best order is full of them. */
static void ndcg_is_1_when_every_item_is_right(void **state)
{
    (void)state;
    const uint32_t shown[] = {5, 4}, truth[] = {4, 5, 1, 0};
    struct aff_query_score score = aff_query_score(shown, 2, 2, truth, 4, prices);

    assert_close(score.of[AFF_METRIC_NDCG], 1);
    assert_close(score.of[AFF_METRIC_RECALL], 0.5);
}

static void score_of_hits(const int *hits, uint32_t n, struct aff_query_score *ret)
{
    for (uint32_t q = 0; q < n; q++)
        ret[q] = (struct aff_query_score){
            .of = {[AFF_METRIC_HR] = hits[q], [AFF_METRIC_REVENUE] = 100.0 * hits[q]}};
}

/* With queries that have nothing in common it is the interval of a share: sqrt(p (1 - p) / (n - 1)). */
static void the_interval_of_a_share(void **state)
{
    (void)state;
    const int hits[] = {1, 0, 0, 1, 1, 0, 1, 1, 0, 1};
    const uint32_t groups[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct aff_query_score scores[10];
    struct aff_figure figure;

    score_of_hits(hits, 10, scores);
    assert_int_equal(aff_metric_mean(scores, NULL, AFF_METRIC_HR, groups, 10, 10, &figure), AFF_OK);
    assert_close(figure.value, 0.6);
    assert_close(figure.low, 0.6 - Z * sqrt(0.6 * 0.4 / 9));
    assert_close(figure.high, 0.6 + Z * sqrt(0.6 * 0.4 / 9));
    assert_int_equal(aff_metric_mean(scores, NULL, AFF_METRIC_REVENUE, groups, 10, 10, &figure), AFF_OK);
    assert_close(figure.value, 60);
    assert_true(fabs(figure.high - 60 - 100 * Z * sqrt(0.6 * 0.4 / 9)) < 1e-9);
}

/* Sessions {1, 1, 1} and {0} and {0, 0}: the mean is 1/2, the sums less mean times size are 3/2, -1/2, -1. */
static void queries_of_one_session_count_together(void **state)
{
    (void)state;
    const int hits[] = {1, 1, 1, 0, 0, 0};
    const uint32_t groups[] = {0, 0, 0, 1, 2, 2};
    struct aff_query_score scores[6];
    struct aff_figure figure;

    score_of_hits(hits, 6, scores);
    assert_int_equal(aff_metric_mean(scores, NULL, AFF_METRIC_REVENUE, groups, 6, 3, &figure), AFF_OK);
    assert_close(figure.value, 50);
    assert_close(figure.high - 50, 100 * Z * sqrt(3.0 / 2 * (2.25 + 0.25 + 1)) / 6);
    assert_int_equal(aff_metric_mean(scores, NULL, AFF_METRIC_HR, groups, 6, 3, &figure), AFF_OK);
    assert_close(figure.low, 0); /* a share stays one */
    assert_close(figure.high, 1);
}

static void one_group_says_nothing_about_others(void **state)
{
    (void)state;
    const int hits[] = {1, 0};
    const uint32_t groups[] = {0, 0};
    struct aff_query_score scores[2];
    struct aff_figure figure;

    score_of_hits(hits, 2, scores);
    assert_int_equal(aff_metric_mean(scores, NULL, AFF_METRIC_REVENUE, groups, 2, 1, &figure), AFF_OK);
    assert_close(figure.value, 50);
    assert_true(isinf(figure.high));
}

static void differences_are_taken_query_by_query(void **state)
{
    (void)state;
    const int hits[] = {1, 0, 0, 1}, others[] = {1, 1, 0, 1};
    const uint32_t groups[] = {0, 1, 2, 3};
    struct aff_query_score scores[4], beside[4];
    struct aff_figure figure;

    score_of_hits(hits, 4, scores);
    score_of_hits(others, 4, beside);
    assert_int_equal(aff_metric_mean(scores, beside, AFF_METRIC_HR, groups, 4, 4, &figure), AFF_OK);
    assert_close(figure.value, -0.25);
    assert_close(figure.high + 0.25, Z * sqrt(4.0 / 3 * (0.75 * 0.75 + 3 * 0.0625)) / 4);
    assert_int_equal(aff_metric_mean(scores, scores, AFF_METRIC_HR, groups, 4, 4, &figure), AFF_OK);
    assert_close(figure.low, 0);
    assert_close(figure.high, 0);
}

/* Answers {0, 1}, {0, 2}, {0, 1}, the first two about one order: of five products three are shown, product 2
 * by the first order alone; product 1 by both. Leaving out the orders leaves 2 and 3 products: 1 and 0 fewer.
 */
static void coverage_and_its_jackknife(void **state)
{
    (void)state;
    const uint32_t shown[] = {0, 1, 9, 0, 2, 9, 0, 1, 9}, n_shown[] = {2, 2, 2}, groups[] = {0, 0, 1};
    struct aff_figure figure;

    assert_int_equal(aff_metric_coverage(shown, n_shown, 3, groups, 3, 2, 10, 5, &figure), AFF_OK);
    assert_close(figure.value, 0.6);
    assert_close(figure.high - 0.6, Z * sqrt(0.5 * (0.25 + 0.25)) / 5);
    assert_close(0.6 - figure.low, figure.high - 0.6);
}

static void coverage_of_nothing_is_0(void **state)
{
    (void)state;
    const uint32_t shown[] = {0, 0}, n_shown[] = {0, 0}, groups[] = {0, 1};
    struct aff_figure figure;

    assert_int_equal(aff_metric_coverage(shown, n_shown, 1, groups, 2, 2, 10, 0, &figure), AFF_OK);
    assert_close(figure.value, 0);
    assert_close(figure.high, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_hidden_product_in_third_place),
        cmocka_unit_test(what_stands_behind_k_does_not_count),
        cmocka_unit_test(no_item_scores_nothing),
        cmocka_unit_test(three_hidden_products_of_which_two_are_found),
        cmocka_unit_test(ndcg_is_1_when_every_item_is_right),
        cmocka_unit_test(the_interval_of_a_share),
        cmocka_unit_test(queries_of_one_session_count_together),
        cmocka_unit_test(one_group_says_nothing_about_others),
        cmocka_unit_test(differences_are_taken_query_by_query),
        cmocka_unit_test(coverage_and_its_jackknife),
        cmocka_unit_test(coverage_of_nothing_is_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
