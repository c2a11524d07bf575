/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sequence/traces.h"

#include "core/sequence/alike.h"

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
    aff_traces_drop_views(traces);
    aff_traces_drop_baskets(traces);
    free(traces);
}

struct aff_traces_sizes aff_traces_sizes(const struct aff_traces *traces)
{
    if (traces == NULL)
        return (struct aff_traces_sizes){0};
    return (struct aff_traces_sizes){
        .alike = aff_successors_bytes(traces->alike),
        .viewed = aff_successors_bytes(traces->viewed),
        .added = aff_successors_bytes(traces->added),
        .recent = traces->n_recent * sizeof *traces->recent + traces->n_products * sizeof *traces->recent_of,
        .rest = sizeof *traces + aff_sequences_bytes(traces->sessions),
    };
}

size_t aff_traces_bytes(const struct aff_traces *traces)
{
    const struct aff_traces_sizes sizes = aff_traces_sizes(traces);

    return sizes.alike + sizes.viewed + sizes.added + sizes.recent + sizes.rest;
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

aff_status aff_traces_learn_views(struct aff_traces *traces, const struct aff_sequences *sessions)
{
    static const struct aff_successors_settings viewed = {
        .reach = 2, .keep = 50, .half_life_days = 10, .shrink = 3, .repeats = true};
    struct aff_alike_settings alike = aff_alike_default();
    aff_status status = AFF_OK;

    traces->n_sessions = sessions->n;
    traces->revisits = count_revisits(sessions);
    if (traces->revisits < AFF_TRACES_FEW_REVISITS)
        alike.own = 0;
    if (sessions->product_starts[sessions->n_products] > 0)
        status = aff_alike_build(sessions, &alike, &traces->alike);
    return status == AFF_OK ? aff_successors_build(sessions, &viewed, &traces->viewed) : status;
}

aff_status aff_traces_learn_views_within(struct aff_traces *traces, struct aff_sequences *sessions,
                                         uint32_t holders, uint64_t bytes)
{
    const uint32_t n_given = sessions->n;
    double most = 1; /* share of the sessions that may be tried next */
    aff_status status = AFF_OK;

    while (status == AFF_OK && sessions->n > 0) {
        status = aff_traces_learn_views(traces, sessions);
        const size_t needed = aff_successors_bytes(traces->alike) + aff_successors_bytes(traces->viewed);
        if (status != AFF_OK || needed <= bytes)
            break;
        /* The part that fits if all were alike, and a little less. Lists are full from some number of
         * sessions on, so that it may be much less: then half at a time. */
        const double share = fmin(0.95 * (double)bytes / (double)needed, most);
        struct aff_sequences *newest = NULL;
        most = 0.5;
        aff_traces_drop_views(traces);
        status = aff_sequences_newest(sessions, (uint32_t)(share * (double)sessions->n), holders, &newest);
        if (status == AFF_OK) {
            aff_sequences_free(sessions);
            sessions = newest;
        }
    }
    traces->sessions_left_out = n_given - sessions->n;
    aff_sequences_free(sessions);
    return status;
}

void aff_traces_drop_views(struct aff_traces *traces)
{
    aff_successors_free(traces->alike);
    aff_successors_free(traces->viewed);
    traces->alike = NULL;
    traces->viewed = NULL;
    traces->n_sessions = 0;
    traces->revisits = 0;
}

void aff_traces_drop_baskets(struct aff_traces *traces)
{
    aff_successors_free(traces->added);
    traces->added = NULL;
    drop_recent(traces);
}

void aff_traces_restrict(struct aff_traces *traces, const struct aff_traces_bounds *bounds)
{
    if (bounds->holders == 0) {
        aff_successors_free(traces->alike);
        traces->alike = NULL;
    }
    if (bounds->sessions == 0)
        aff_traces_drop_views(traces);
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
