/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/fit.h"

#include <math.h>
#include <stdlib.h>

enum { ROUNDS = 2, GRID_MAX = 9 };

struct grid {
    int weight; /* or how fast values fade */
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
    {AFF_FADE_HALF_LIFE, KNOWN | NEXT, {7, 15, 30, 60, 120, 240, 480, -1}},
    {AFF_FADE_CART_LINES, ADDED, {1, 2, 5, 20, 1000, -1}},
    {AFF_WEIGHT_PERSONAL, KNOWN, {0, 0.1, 0.2, 0.35, 0.6, 1, 1.6, 2.5, -1}},
    {AFF_WEIGHT_POPULARITY, CARTS | ADDED, {0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, -1}},
    {AFF_WEIGHT_SEQUENCE, NEXT, {0, 0.1, 0.3, -1}},
    {AFF_WEIGHT_TRACE + AFF_TRACE_ADDED, CARTS, {0, 0.15, 0.3, 0.6, -1}},
    {AFF_WEIGHT_TRACE + AFF_TRACE_ADDED, ADDED, {0, 0.25, 0.5, 1, 2, -1}},
    {AFF_WEIGHT_TRACE + AFF_TRACE_HISTORY, KNOWN, {0, 0.05, 0.15, 0.3, -1}},
    {AFF_WEIGHT_TRACE + AFF_TRACE_HISTORY, NEXT, {0, 0.07, 0.15, 0.3, 0.6, 1, -1}},
    {AFF_WEIGHT_TRACE + AFF_TRACE_RECENT, CARTS | ADDED, {0, 0.05, 0.15, 0.4, 0.8, -1}},
    {AFF_WEIGHT_TRACE + AFF_TRACE_RECENT, NEXT, {0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.8, 1.2, -1}},
    {AFF_WEIGHT_POPULARITY, NEXT, {0, 0.02, 0.1, 0.3, 0.6, -1}},
    {AFF_FADE_ALIKE_VIEWS, VIEWS, {0.1, 0.2, 0.35, 0.6, 1, 2, 4, -1}},
    {AFF_WEIGHT_AFFINITY, VIEWS, {0, 0.1, 0.3, -1}},
    {AFF_WEIGHT_TRACE + AFF_TRACE_VIEWED, VIEWS, {0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.5, -1}},
    {AFF_WEIGHT_TRACE + AFF_TRACE_SEEN, VIEWS, {0, 0.1, 0.2, 0.3, 0.5, 0.8, -1}},
};

struct fitting {
    const struct aff_model *model;
    struct aff_fit_settings settings; /* all that is left to defaults is filled in */
    struct aff_workspace *workspace;
    struct aff_task half; /* the groups that are asked about now */
    struct aff_task_score *scores;
    float *best;           /* value of each question with the best weights */
    uint64_t tried, total; /* sets of weights */
};

/* The groups with odd (or even) numbers. */
static void take_half(const struct aff_task *task, uint32_t odd, struct aff_task *half)
{
    half->n = 0;
    for (uint32_t q = 0; q < task->n; q++)
        if (task->queries[q].group % 2 == odd)
            half->queries[half->n++] = task->queries[q];
}

static aff_status ask(struct fitting *fitting, const struct aff_weights *weights)
{
    const struct aff_watch *watch = &fitting->settings.watch;

    if (watch->call != NULL && !watch->call(watch->context, fitting->tried++, fitting->total))
        return AFF_CANCELLED;
    return aff_task_ask(&fitting->half, fitting->model, weights, fitting->settings.personal_half_life_days,
                        fitting->workspace, fitting->scores);
}

static float value_of(const struct fitting *fitting, uint32_t question)
{
    return aff_task_value(fitting->half.situation, &fitting->scores[question]);
}

static aff_status ask_for_sum(struct fitting *fitting, const struct aff_weights *weights, double *ret_sum)
{
    aff_status status = ask(fitting, weights);

    *ret_sum = 0;
    for (uint32_t q = 0; status == AFF_OK && q < fitting->half.n; q++)
        *ret_sum += (double)value_of(fitting, q);
    return status;
}

static bool is_for(const struct grid *grid, enum aff_situation situation)
{
    return (grid->situations >> situation & 1) != 0;
}

static aff_status climb(struct fitting *fitting, struct aff_weights *weights, double best)
{
    aff_status status = AFF_OK;

    for (int round = 0; round < ROUNDS; round++) {
        for (size_t g = 0; g < sizeof grids / sizeof grids[0]; g++) {
            if (!is_for(&grids[g], fitting->half.situation))
                continue;
            for (int i = 0; status == AFF_OK && grids[g].values[i] >= 0; i++) {
                struct aff_weights tried = *weights;
                double sum = 0;
                if (*aff_weights_at(&tried, grids[g].weight) == grids[g].values[i])
                    continue;
                *aff_weights_at(&tried, grids[g].weight) = grids[g].values[i];
                status = ask_for_sum(fitting, &tried, &sum);
                if (status == AFF_OK && sum > best) {
                    best = sum;
                    *weights = tried;
                }
            }
        }
    }
    return status;
}

/* How much better the answers in `scores` are than those with the values `than`, and how sure that is. */
static void compare(const struct fitting *fitting, const float *than, double *ret_gain,
                    double *ret_standard_error, uint32_t *ret_differing)
{
    const struct aff_task *half = &fitting->half;
    double sum = 0, squares = 0;
    uint32_t n_groups = 0, differing = 0;

    for (uint32_t q = 0; q < half->n; q++)
        sum += (double)value_of(fitting, q) - (double)than[q];
    const double mean = half->n > 0 ? sum / half->n : 0;
    for (uint32_t q = 0, next; q < half->n; q = next) {
        double group = 0;
        bool differs = false;
        for (next = q; next < half->n && half->queries[next].group == half->queries[q].group; next++) {
            const double difference = (double)value_of(fitting, next) - (double)than[next];
            differs = differs || difference != 0;
            group += difference - mean;
        }
        n_groups++;
        differing += differs;
        squares += group * group;
    }
    *ret_gain = mean;
    *ret_standard_error = n_groups > 1 ? sqrt(squares * n_groups / (n_groups - 1.0)) / half->n : INFINITY;
    *ret_differing = differing;
}

static void keep_values(const struct fitting *fitting, float *values)
{
    for (uint32_t q = 0; q < fitting->half.n; q++)
        values[q] = value_of(fitting, q);
}

/* Draws weights back to the configured ones while that costs less than one standard error. */
static aff_status draw_back(struct fitting *fitting, struct aff_weights *weights)
{
    static const double shares[] = {0, 0.5}; /* of the way from the configured weight that are left */
    struct aff_weights configured = fitting->settings.configured;
    aff_status status = ask(fitting, weights);

    if (status == AFF_OK)
        keep_values(fitting, fitting->best);
    for (int w = 0; w < AFF_FITTED_MAX; w++) {
        const double from = *aff_weights_at(&configured, w), to = *aff_weights_at(weights, w);
        if (from == to)
            continue;
        for (size_t i = 0; status == AFF_OK && i < sizeof shares / sizeof shares[0]; i++) {
            struct aff_weights tried = *weights;
            double gain, standard_error;
            uint32_t differing;
            *aff_weights_at(&tried, w) = from + shares[i] * (to - from);
            status = ask(fitting, &tried);
            if (status != AFF_OK)
                break;
            compare(fitting, fitting->best, &gain, &standard_error, &differing);
            if (gain < -standard_error)
                continue;
            *weights = tried;
            break;
        }
    }
    return status;
}

/* The weights that the half in hand finds best. */
static aff_status find(struct fitting *fitting, struct aff_weights *ret)
{
    const struct aff_fit_settings *settings = &fitting->settings;
    double in_use = 0, configured = 0;
    aff_status status = ask_for_sum(fitting, &settings->in_use, &in_use);

    if (status == AFF_OK)
        status = ask_for_sum(fitting, &settings->configured, &configured);
    *ret = configured >= in_use ? settings->configured : settings->in_use;
    if (status == AFF_OK)
        status = climb(fitting, ret, configured >= in_use ? configured : in_use);
    if (status == AFF_OK)
        status = draw_back(fitting, ret);
    return status;
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
    aff_status status = ask(fitting, &fit->before);

    if (status != AFF_OK)
        return status;
    fit->n = fitting->half.n;
    fit->before_mean = mean_of(fitting->scores, fit->n);
    keep_values(fitting, fitting->best);
    status = ask(fitting, &fit->after);
    if (status != AFF_OK)
        return status;
    fit->after_mean = mean_of(fitting->scores, fit->n);
    compare(fitting, fitting->best, &fit->gain, &fit->standard_error, &fit->differing);
    fit->better = fit->n >= AFF_FIT_JUDGES && fit->differing >= AFF_FIT_DIFFERING &&
                  fit->gain > AFF_FIT_Z * fit->standard_error;
    return AFF_OK;
}

/* Sets of weights that a fit tries, at most. */
static uint64_t count_tries(enum aff_situation situation)
{
    enum { SETTLED = 5 }; /* in use and configured, best, and both judged */
    uint64_t n = SETTLED;

    for (size_t g = 0; g < sizeof grids / sizeof grids[0]; g++) {
        if (!is_for(&grids[g], situation))
            continue;
        n += 2; /* drawn back */
        for (int i = 0; grids[g].values[i] >= 0; i++)
            n += ROUNDS;
    }
    return n;
}

static void fill_in(struct aff_weights *weights, double half_life_days)
{
    if (weights->half_life_days <= 0)
        weights->half_life_days = half_life_days;
    if (weights->cart_lines <= 0)
        weights->cart_lines = AFF_CART_LINES;
    if (weights->alike_views <= 0)
        weights->alike_views = AFF_ALIKE_VIEWS;
}

aff_status aff_fit_weights(const struct aff_task *task, const struct aff_model *model,
                           const struct aff_fit_settings *settings, struct aff_fit *ret)
{
    struct fitting fitting = {.model = model,
                              .settings = *settings,
                              .half = {.situation = task->situation, .rows = task->rows},
                              .total = count_tries(task->situation)};
    aff_status status = aff_workspace_new(&fitting.workspace);

    fill_in(&fitting.settings.in_use, settings->personal_half_life_days);
    fill_in(&fitting.settings.configured, settings->personal_half_life_days);
    *ret = (struct aff_fit){.before = fitting.settings.in_use, .after = fitting.settings.in_use};
    fitting.scores = malloc(((size_t)task->n + 1) * sizeof *fitting.scores);
    fitting.best = malloc(((size_t)task->n + 1) * sizeof *fitting.best);
    fitting.half.queries = malloc(((size_t)task->n + 1) * sizeof *fitting.half.queries);
    if (status == AFF_OK && (fitting.scores == NULL || fitting.best == NULL || fitting.half.queries == NULL))
        status = AFF_NOMEM;
    if (status == AFF_OK) {
        take_half(task, 0, &fitting.half);
        status = fitting.half.n > 0 ? find(&fitting, &ret->after) : AFF_OK;
    }
    if (status == AFF_OK) {
        take_half(task, 1, &fitting.half);
        status = fitting.half.n > 0 ? judge(&fitting, ret) : AFF_OK;
    }
    free(fitting.scores);
    free(fitting.best);
    free(fitting.half.queries);
    aff_workspace_free(fitting.workspace);
    return status;
}
