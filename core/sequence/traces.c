/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sequence/traces.h"

#include <math.h>
#include <stdlib.h>

#define WEEK_S (7 * 86400.0)

enum { RECENT_KEPT = 200 };

static void drop_recent(struct aff_traces *traces)
{
    if (!traces->recent_borrowed) {
        free(traces->recent);
        free(traces->recent_of);
    }
    traces->recent = NULL;
    traces->recent_of = NULL;
    traces->n_recent = traces->n_products = 0;
    traces->recent_borrowed = false;
}

void aff_traces_free(struct aff_traces *traces)
{
    if (traces == NULL)
        return;
    aff_sequences_free(traces->sessions);
    aff_successors_free(traces->viewed);
    aff_successors_free(traces->added);
    drop_recent(traces);
    free(traces);
}

struct aff_traces_sizes aff_traces_sizes(const struct aff_traces *traces)
{
    if (traces == NULL)
        return (struct aff_traces_sizes){0};
    return (struct aff_traces_sizes){
        .sessions = aff_sequences_bytes(traces->sessions),
        .viewed = aff_successors_bytes(traces->viewed),
        .added = aff_successors_bytes(traces->added),
        .recent = traces->n_recent * sizeof *traces->recent + traces->n_products * sizeof *traces->recent_of,
        .rest = sizeof *traces,
    };
}

size_t aff_traces_bytes(const struct aff_traces *traces)
{
    const struct aff_traces_sizes sizes = aff_traces_sizes(traces);

    return sizes.sessions + sizes.viewed + sizes.added + sizes.recent + sizes.rest;
}

static int by_score(const void *x, const void *y)
{
    const struct aff_neighbour *a = x, *b = y;

    if (a->score != b->score)
        return a->score < b->score ? 1 : -1;
    return a->row < b->row ? -1 : a->row > b->row;
}

aff_status aff_traces_set_recent(struct aff_traces *traces, float *weights, uint32_t n, uint32_t keep)
{
    struct aff_neighbour *recent = malloc(((size_t)n + 1) * sizeof *recent);
    uint32_t n_recent = 0;

    drop_recent(traces);
    traces->recent_of = weights;
    traces->n_products = n;
    if (recent == NULL)
        return AFF_NOMEM;
    for (uint32_t row = 0; row < n; row++)
        if (weights[row] > 0)
            recent[n_recent++] = (struct aff_neighbour){row, weights[row]};
    qsort(recent, n_recent, sizeof *recent, by_score);
    const float most = n_recent > 0 ? recent[0].score : 1;
    for (uint32_t i = 0; i < n_recent; i++) {
        recent[i].score /= most;
        weights[recent[i].row] = recent[i].score;
    }
    traces->n_recent = n_recent < keep ? n_recent : keep;
    traces->recent = recent;
    struct aff_neighbour *fitting = realloc(recent, ((size_t)traces->n_recent + 1) * sizeof *recent);
    if (fitting != NULL)
        traces->recent = fitting;
    return AFF_OK;
}

/* Of the views after the first of a session. */
static float count_revisits(const struct aff_sequences *sessions)
{
    uint64_t views = 0, revisits = 0;

    for (uint32_t s = 0; s < sessions->n; s++)
        for (uint32_t i = sessions->starts[s] + 1; i < sessions->starts[s + 1]; i++) {
            uint32_t before = sessions->starts[s];
            while (sessions->rows[before] != sessions->rows[i])
                before++;
            views++;
            revisits += before < i;
        }
    return views == 0 ? 0 : (float)((double)revisits / (double)views);
}

aff_status aff_traces_learn_views(struct aff_traces *traces)
{
    static const struct aff_successors_settings settings = {
        .reach = 2, .keep = 50, .half_life_days = 10, .shrink = 3, .repeats = true};

    traces->revisits = count_revisits(traces->sessions);
    return aff_successors_build(traces->sessions, &settings, &traces->viewed);
}

aff_status aff_traces_set_sessions(struct aff_traces *traces, struct aff_sequences *sessions,
                                   uint32_t holders, uint64_t bytes)
{
    aff_status status = AFF_OK;
    uint32_t left_out = 0;

    traces->sessions = sessions;
    while (status == AFF_OK && traces->sessions->n > 0) {
        status = aff_traces_learn_views(traces);
        if (status != AFF_OK)
            break;
        const size_t needed =
            aff_successors_bytes(traces->viewed) + (holders > 0 ? aff_sequences_bytes(traces->sessions) : 0);
        if (needed <= bytes)
            break;
        /* The part that fits if all were alike, and a little less, so that few rounds find one that does. */
        const uint32_t n = traces->sessions->n;
        const uint32_t fitting = (uint32_t)(0.95 * (double)n * (double)bytes / (double)needed);
        struct aff_sequences *newest = NULL;
        aff_successors_free(traces->viewed);
        traces->viewed = NULL;
        status = aff_sequences_newest(traces->sessions, fitting, holders, &newest);
        if (status == AFF_OK) {
            aff_sequences_free(traces->sessions);
            traces->sessions = newest;
            left_out += n - fitting;
        }
    }
    traces->sessions_left_out = left_out;
    if (status != AFF_OK || traces->sessions->n == 0 || holders == 0) {
        aff_sequences_free(traces->sessions);
        traces->sessions = NULL;
    }
    return status;
}

void aff_traces_drop_baskets(struct aff_traces *traces)
{
    aff_successors_free(traces->added);
    traces->added = NULL;
    drop_recent(traces);
}

void aff_traces_restrict(struct aff_traces *traces, const struct aff_traces_bounds *bounds)
{
    if (bounds->sessions == 0 || bounds->holders == 0) {
        aff_sequences_free(traces->sessions);
        traces->sessions = NULL;
    }
    if (bounds->sessions == 0) {
        aff_successors_free(traces->viewed);
        traces->viewed = NULL;
    }
    if (bounds->lines == 0)
        aff_traces_drop_baskets(traces);
}

static aff_status weigh_recent(struct aff_traces *traces, const struct aff_sequences *baskets, uint32_t now_s)
{
    float *weights = calloc((size_t)baskets->n_products + 1, sizeof *weights);
    uint32_t *last = calloc((size_t)baskets->n_products + 1, sizeof *last); /* 1 + the basket */

    if (weights == NULL || last == NULL) {
        free(weights);
        free(last);
        return AFF_NOMEM;
    }
    for (uint32_t s = 0; s < baskets->n; s++) {
        const double age_s = now_s > baskets->at_s[s] ? now_s - baskets->at_s[s] : 0;
        const float weight = (float)exp2(-age_s / WEEK_S);
        for (uint32_t i = baskets->starts[s]; i < baskets->starts[s + 1]; i++) {
            if (last[baskets->rows[i]] != s + 1)
                weights[baskets->rows[i]] += weight;
            last[baskets->rows[i]] = s + 1;
        }
    }
    free(last);
    return aff_traces_set_recent(traces, weights, baskets->n_products, RECENT_KEPT);
}

aff_status aff_traces_learn_baskets(struct aff_traces *traces, const struct aff_sequences *baskets,
                                    uint32_t now_s)
{
    static const struct aff_successors_settings settings = {
        .reach = 10, .keep = 50, .half_life_days = 180, .shrink = 1, .repeats = false};
    aff_status status = aff_successors_build(baskets, &settings, &traces->added);

    return status == AFF_OK ? weigh_recent(traces, baskets, now_s) : status;
}
