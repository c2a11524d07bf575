/* SPDX-License-Identifier: Apache-2.0 */
/* Fits of random stores: the same for the same orders, and judged as a plain reckoning judges them. */
#include "core/measure/fit.h"
#include "core/measure/train.h"
#include "measured_store.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STORES = 6 };

struct made {
    struct measured_store store;
    struct aff_train train;
    struct aff_task task;
};

static void make(uint64_t seed, int n_threads, enum aff_situation situation, struct made *made)
{
    const struct aff_train_settings learning = {
        .baskets = {.window_us = INT64_MAX / 4, .half_life_s = 120 * 86400, .cap = 512},
        .rows = {.method = AFF_METHOD_RIDGE, .neighbours = 30, .others = 20, .lambda = 2},
        .session_holders = 100,
        .n_threads = n_threads,
    };
    struct aff_random random = {.state = seed};
    struct aff_error error;

    *made = (struct made){0};
    measured_store_make(&random, 80, 60, 600, (uint32_t)aff_random_below(&random, 9), &made->store);
    measured_store_add_sessions(&random, 150, &made->store);
    assert_int_equal(
        aff_train(&made->store.whole, &made->store.orders, 400, 100, &learning, &made->train, &error),
        AFF_OK);
    assert_int_equal(aff_task_make(situation, &made->store.whole, &made->store.orders, 400, 100, &made->task),
                     AFF_OK);
}

static void done(struct made *made)
{
    aff_task_done(&made->task);
    aff_train_done(&made->train);
    measured_store_done(&made->store);
}

static struct aff_fit fit(const struct made *made, enum aff_situation situation)
{
    const struct aff_blend blend = aff_blend_default();
    struct aff_fit_settings settings = {.in_use = blend.of[situation],
                                        .configured = blend.of[situation],
                                        .personal_half_life_days = blend.personal_half_life_days};
    struct aff_fit fit;

    settings.in_use.popularity = 0.5;
    memset(&fit, 0, sizeof fit);
    assert_int_equal(aff_fit_weights(&made->task, made->train.model, &settings, &fit), AFF_OK);
    return fit;
}

static void the_same_orders_give_the_same_fit(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= STORES; seed++) {
        for (int s = 0; s < AFF_SITUATION_MAX; s++) {
            struct made one, two;
            make(seed, 1, (enum aff_situation)s, &one);
            make(seed, 2, (enum aff_situation)s, &two);
            const struct aff_fit a = fit(&one, (enum aff_situation)s), b = fit(&two, (enum aff_situation)s);
            assert_memory_equal(&a.after, &b.after, sizeof a.after);
            assert_memory_equal(&a.after_mean, &b.after_mean, sizeof a.after_mean);
            assert_true(a.gain == b.gain && a.standard_error == b.standard_error && a.n == b.n &&
                        a.differing == b.differing && a.better == b.better);
            done(&one);
            done(&two);
        }
    }
}

/* Value of each question under the weights. */
static float *ask(const struct made *made, const struct aff_weights *weights)
{
    struct aff_task_score *scores = calloc((size_t)made->task.n + 1, sizeof *scores);
    float *values = calloc((size_t)made->task.n + 1, sizeof *values);
    struct aff_workspace *workspace;

    assert_non_null(scores);
    assert_non_null(values);
    assert_int_equal(aff_workspace_new(&workspace), AFF_OK);
    assert_int_equal(aff_task_ask(&made->task, made->train.model, weights,
                                  aff_blend_default().personal_half_life_days, workspace, scores),
                     AFF_OK);
    for (uint32_t q = 0; q < made->task.n; q++)
        values[q] = aff_task_value(made->task.situation, &scores[q]);
    aff_workspace_free(workspace);
    free(scores);
    return values;
}

/* The reckoning: for each group by itself, over all questions. */
static void judge_plainly(const struct made *made, const struct aff_fit *fit, double *ret_gain,
                          double *ret_standard_error)
{
    float *before = ask(made, &fit->before), *after = ask(made, &fit->after);
    double sum = 0, squares = 0;
    uint32_t n = 0, n_groups = 0;

    for (uint32_t q = 0; q < made->task.n; q++) {
        if (made->task.queries[q].group % 2 == 0)
            continue;
        sum += (double)after[q] - (double)before[q];
        n++;
    }
    for (uint32_t g = 1; g < made->task.n_groups; g += 2) {
        double group = 0;
        uint32_t size = 0;
        for (uint32_t q = 0; q < made->task.n; q++) {
            if (made->task.queries[q].group != g)
                continue;
            group += (double)after[q] - (double)before[q];
            size++;
        }
        assert_true(size > 0);
        group -= size * sum / n;
        squares += group * group;
        n_groups++;
    }
    *ret_gain = sum / n;
    *ret_standard_error = sqrt(squares * n_groups / (n_groups - 1.0)) / n;
    free(before);
    free(after);
}

static void it_is_judged_as_a_plain_reckoning_judges_it(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= STORES; seed++) {
        for (int s = 0; s < AFF_SITUATION_MAX; s++) {
            struct made made;
            double gain, standard_error;
            make(seed, 1, (enum aff_situation)s, &made);
            const struct aff_fit found = fit(&made, (enum aff_situation)s);
            judge_plainly(&made, &found, &gain, &standard_error);
            assert_true(fabs(found.gain - gain) < 1e-9);
            assert_true(fabs(found.standard_error - standard_error) < 1e-9);
            assert_true(!found.better || (gain > AFF_FIT_Z * standard_error && found.n >= AFF_FIT_JUDGES));
            done(&made);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_orders_give_the_same_fit),
        cmocka_unit_test(it_is_judged_as_a_plain_reckoning_judges_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
