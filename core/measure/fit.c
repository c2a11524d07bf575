/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/fit.h"

#include <math.h>
#include <stdlib.h>

enum { ROUNDS = 2, GRID_MAX = 9 };

struct grid {
    int weight;
    unsigned situations;
    double values[GRID_MAX]; /* ended by a negative one */
};

#define CARTS (1u << AFF_SITUATION_CART | 1u << AFF_SITUATION_CART_KNOWN)
#define ADDED (1u << AFF_SITUATION_ADDED | 1u << AFF_SITUATION_ADDED_KNOWN)
#define KNOWN (1u << AFF_SITUATION_CART_KNOWN | 1u << AFF_SITUATION_ADDED_KNOWN)
#define NEXT (1u << AFF_SITUATION_NEXT_BASKET)
#define VIEWS (1u << AFF_SITUATION_VIEWS)

/* What is relative to the others stays: affinity for carts, personal for the next basket, alike for views. */
static const struct grid grids[] = {
    {AFF_WEIGHT_PERSONAL, KNOWN, {0, 0.1, 0.2, 0.35, 0.6, 1, 1.6, 2.5, -1}},
    {AFF_WEIGHT_POPULARITY, CARTS | ADDED, {0, 0.02, 0.05, 0.1, 0.2, 0.4, -1}},
    {AFF_WEIGHT_SEQUENCE, NEXT, {0, 0.1, 0.3, -1}},
    {AFF_WEIGHT_TRACE + AFF_TRACE_ADDED, ADDED, {0, 0.25, 0.5, 1, 2, -1}},
    {AFF_WEIGHT_TRACE + AFF_TRACE_HISTORY, KNOWN, {0, 0.05, 0.15, 0.3, -1}},
    {AFF_WEIGHT_TRACE + AFF_TRACE_HISTORY, NEXT, {0, 0.07, 0.15, 0.3, 0.6, 1, -1}},
    {AFF_WEIGHT_TRACE + AFF_TRACE_RECENT, NEXT, {0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.8, 1.2, -1}},
    {AFF_WEIGHT_POPULARITY, NEXT, {0, 0.02, 0.1, 0.3, 0.6, -1}},
    {AFF_WEIGHT_AFFINITY, VIEWS, {0, 0.1, 0.3, -1}},
    {AFF_WEIGHT_TRACE + AFF_TRACE_VIEWED, VIEWS, {0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.5, -1}},
    {AFF_WEIGHT_TRACE + AFF_TRACE_SEEN, VIEWS, {0, 0.05, 0.1, 0.2, 0.4, 0.8, -1}},
};

struct fitting {
    const struct aff_task *task;
    const struct aff_model *model;
    double half_life_days;
    struct aff_workspace *workspace;
    struct aff_task_score *scores;
    struct aff_task half; /* every second question */
};

static aff_status value_of(struct fitting *fitting, const struct aff_weights *weights, double *ret_value)
{
    double sum = 0;
    aff_status status = aff_task_ask(&fitting->half, fitting->model, weights, fitting->half_life_days,
                                     fitting->workspace, fitting->scores);

    for (uint32_t q = 0; status == AFF_OK && q < fitting->half.n; q++)
        sum += (double)aff_task_value(fitting->task->situation, &fitting->scores[q]);
    *ret_value = sum;
    return status;
}

static aff_status climb(struct fitting *fitting, struct aff_weights *weights)
{
    double best = 0;
    aff_status status = value_of(fitting, weights, &best);

    for (int round = 0; round < ROUNDS; round++) {
        for (size_t g = 0; g < sizeof grids / sizeof grids[0]; g++) {
            if (!(grids[g].situations >> fitting->task->situation & 1))
                continue;
            for (int i = 0; status == AFF_OK && grids[g].values[i] >= 0; i++) {
                struct aff_weights tried = *weights;
                double value = 0;
                if (*aff_weights_at(&tried, grids[g].weight) == grids[g].values[i])
                    continue;
                *aff_weights_at(&tried, grids[g].weight) = grids[g].values[i];
                status = value_of(fitting, &tried, &value);
                if (status == AFF_OK && value > best) {
                    best = value;
                    *weights = tried;
                }
            }
        }
    }
    return status;
}

/* The questions with odd (or even) numbers. */
static void take_half(const struct aff_task *task, uint32_t odd, struct aff_task *half)
{
    half->n = 0;
    for (uint32_t q = odd; q < task->n; q += 2)
        half->queries[half->n++] = task->queries[q];
}

static struct aff_task_score mean_of(const struct aff_task_score *scores, uint32_t n)
{
    double hit = 0, ndcg = 0, mrr = 0, recall = 0;

    for (uint32_t q = 0; q < n; q++) {
        hit += (double)scores[q].hit;
        ndcg += (double)scores[q].ndcg;
        mrr += (double)scores[q].mrr;
        recall += (double)scores[q].recall;
    }
    return (struct aff_task_score){(float)(hit / n), (float)(ndcg / n), (float)(mrr / n),
                                   (float)(recall / n)};
}

static aff_status judge(struct fitting *fitting, struct aff_fit *fit)
{
    const enum aff_situation situation = fitting->task->situation;
    const uint32_t n = fitting->half.n;
    struct aff_task_score *before = malloc(((size_t)n + 1) * sizeof *before);
    double sum = 0, squares = 0;
    aff_status status = before == NULL ? AFF_NOMEM : AFF_OK;

    if (status == AFF_OK)
        status = aff_task_ask(&fitting->half, fitting->model, &fit->before, fitting->half_life_days,
                              fitting->workspace, before);
    if (status == AFF_OK)
        status = aff_task_ask(&fitting->half, fitting->model, &fit->after, fitting->half_life_days,
                              fitting->workspace, fitting->scores);
    for (uint32_t q = 0; status == AFF_OK && q < n; q++) {
        const double gain = (double)aff_task_value(situation, &fitting->scores[q]) -
                            (double)aff_task_value(situation, &before[q]);
        sum += gain;
        squares += gain * gain;
    }
    if (status == AFF_OK) {
        fit->n = n;
        fit->gain = sum / n;
        fit->standard_error = sqrt(fmax(squares / n - fit->gain * fit->gain, 0) / n);
        fit->better = fit->gain > fit->standard_error && fit->gain > 0;
        fit->before_mean = mean_of(before, n);
        fit->after_mean = mean_of(fitting->scores, n);
    }
    free(before);
    return status;
}

aff_status aff_fit_weights(const struct aff_task *task, const struct aff_model *model,
                           const struct aff_weights *before, double personal_half_life_days,
                           struct aff_fit *ret)
{
    struct fitting fitting = {.task = task, .model = model, .half_life_days = personal_half_life_days};
    aff_status status = aff_workspace_new(&fitting.workspace);

    *ret = (struct aff_fit){.before = *before, .after = *before};
    fitting.half = (struct aff_task){.situation = task->situation, .rows = task->rows};
    fitting.scores = malloc(((size_t)task->n + 1) * sizeof *fitting.scores);
    fitting.half.queries = malloc(((size_t)task->n + 1) * sizeof *fitting.half.queries);
    if (status == AFF_OK && (fitting.scores == NULL || fitting.half.queries == NULL))
        status = AFF_NOMEM;
    if (status == AFF_OK) {
        take_half(task, 0, &fitting.half);
        status = climb(&fitting, &ret->after);
    }
    if (status == AFF_OK) {
        take_half(task, 1, &fitting.half);
        status = fitting.half.n > 0 ? judge(&fitting, ret) : AFF_OK;
    }
    free(fitting.scores);
    free(fitting.half.queries);
    aff_workspace_free(fitting.workspace);
    return status;
}
