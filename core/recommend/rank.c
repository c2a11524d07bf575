/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recommend/run.h"

#include "core/base/random.h"

#include <float.h>
#include <math.h>

/* Rotation 1 takes at most this share off a score. */
#define ROTATION_REACH 0.05

/* Partial maxima side by side: one alone would wait for itself at each step. */
enum { LANES = 16 };

float aff_rank_scale(double weight, float max)
{
    const double scale = max > 0 ? weight / (double)max : 0;

    return scale <= (double)FLT_MAX ? (float)scale : 0; /* purchases of many half-lives ago say nothing */
}

/* Orders like the float, as an integer: the sign bit is flipped, or for negative numbers all bits. Rows in
 * the lower half break ties, the lower row first. */
uint64_t aff_rank_key_of(float score, uint32_t row)
{
    uint32_t bits;

    memcpy(&bits, &score, sizeof bits);
    bits ^= bits >> 31 ? UINT32_MAX : UINT32_C(1) << 31;
    return (uint64_t)bits << 32 | (UINT32_MAX - row);
}

float aff_rank_score_of(uint64_t key)
{
    uint32_t bits = (uint32_t)(key >> 32);
    float score;

    bits ^= bits >> 31 ? UINT32_C(1) << 31 : UINT32_MAX;
    memcpy(&score, &bits, sizeof score);
    return score;
}

uint32_t aff_rank_row_of(uint64_t key)
{
    return UINT32_MAX - (uint32_t)key;
}

float aff_rank_rotation(const struct aff_run *run, uint32_t row)
{
    if (run->request->rotation <= 0)
        return 1;
    struct aff_random random = {.state = run->request->seed ^ (uint64_t)row << 32 ^ row};
    return (float)(1 - run->request->rotation * ROTATION_REACH * aff_random_unit(&random));
}

/* The largest value of each lane, of which each value belongs to one. */
static void find_lane_maxima(const float *values, uint32_t n, float ret_maxima[LANES])
{
    float maxima[LANES];
    uint32_t i = 0;

    for (uint32_t lane = 0; lane < LANES; lane++)
        maxima[lane] = -INFINITY;
    for (; i + LANES <= n; i += LANES)
        for (uint32_t lane = 0; lane < LANES; lane++)
            maxima[lane] = values[i + lane] > maxima[lane] ? values[i + lane] : maxima[lane];
    for (uint32_t lane = 0; i + lane < n; lane++)
        maxima[lane] = values[i + lane] > maxima[lane] ? values[i + lane] : maxima[lane];
    memcpy(ret_maxima, maxima, sizeof maxima);
}

/* The largest of the maxima, 0 if none is positive. */
static float find_max(const float maxima[LANES])
{
    float max = 0;

    for (uint32_t lane = 0; lane < LANES; lane++)
        max = maxima[lane] > max ? maxima[lane] : max;
    return max;
}

/* A value that at least `wanted` of all values reach: the wanted-th largest of the lanes' maxima. It is close
 * to the wanted-th largest value, and found without a sort whose comparisons nobody can guess. */
static float find_floor(const float maxima[LANES], uint32_t wanted)
{
    uint32_t above[LANES] = {0}; /* how many maxima are larger than this one */
    float floor = INFINITY;

    if (wanted > LANES)
        return -INFINITY;
    for (uint32_t other = 0; other < LANES; other++)
        for (uint32_t lane = 0; lane < LANES; lane++)
            above[lane] += maxima[other] > maxima[lane];
    for (uint32_t lane = 0; lane < LANES; lane++)
        floor = above[lane] < wanted && maxima[lane] < floor ? maxima[lane] : floor;
    return floor;
}

/* Finds the largest values of the live candidates with sides. */
static void find_side_maxima(struct aff_run *run)
{
    const struct aff_workspace *space = run->space;
    float sequence = 0, personal = 0, traces[AFF_TRACE_ROOM] = {0};

    for (uint32_t i = run->n_plain; i < run->n_live; i++) {
        const struct aff_side *side = &space->sides[space->live_sides[i]];
        sequence = side->sequence > sequence ? side->sequence : sequence;
        personal = side->personal > personal ? side->personal : personal;
        for (int t = 0; t < AFF_TRACE_ROOM; t++)
            traces[t] = side->traces[t] > traces[t] ? side->traces[t] : traces[t];
    }
    run->max_sequence = sequence;
    run->max_personal = personal;
    memcpy(run->max_traces, traces, sizeof traces);
}

/* Turns the sums of all live candidates into scores without popularity: the single-precision operations that
 * recommend.h defines. A candidate without a side has nothing but its sum. */
static void find_side_scores(struct aff_run *run, float affinity)
{
    const struct aff_workspace *space = run->space;
    float *scores = space->scores;
    const uint32_t n_plain = run->n_plain;
    float traces[AFF_TRACE_MAX];

    for (uint32_t i = 0; i < n_plain; i++)
        scores[i] *= affinity;
    find_side_maxima(run);
    const float sequence = aff_rank_scale(run->weights->sequence, run->max_sequence);
    const float personal = aff_rank_scale(run->weights->personal, run->max_personal);
    for (int t = 0; t < AFF_TRACE_MAX; t++)
        traces[t] = aff_rank_scale(run->weights->traces[t], run->max_traces[t]);
    for (uint32_t i = n_plain; i < run->n_live; i++) {
        const struct aff_side *side = &space->sides[space->live_sides[i]];
        float score = scores[i] * affinity + side->sequence * sequence + side->personal * personal;
        for (int t = 0; run->traced && t < AFF_TRACE_MAX; t++)
            score += side->traces[t] * traces[t];
        if (side->flags & AFF_SIDE_SUBSTITUTE)
            score = (float)AFF_CONTENT_WEIGHT * side->content;
        scores[i] = side->shown == 0 ? score : aff_impressions_take(run, side->shown, score);
    }
}

/* Lists the live candidates that may be among the best: those whose score, `scale` times what is stored,
 * popularity could lift to the floor, none being above 1. The margin covers rounding, so that one comparison
 * does. */
static uint32_t find_contenders(const struct aff_run *run, float scale, float floor)
{
    const double reach = (double)floor - run->weights->popularity;
    const double margin = 1e-5 * (fabs((double)floor) + run->weights->popularity);
    const float least = floor > -INFINITY ? (float)((reach - margin) / (double)scale) : -INFINITY;
    const float *scores = run->space->scores;
    uint32_t *contenders = run->space->contenders;
    const uint32_t n_live = run->n_live;
    uint32_t n = 0;

    for (uint32_t i = 0; i < n_live; i++) {
        contenders[n] = i;
        n += scores[i] >= least;
    }
    return n;
}

/* The contenders for the best `wanted`, and what their scores must be multiplied by. */
static uint32_t find_scores(struct aff_run *run, uint32_t wanted, float *ret_scale)
{
    float maxima[LANES], scale, floor = -INFINITY;

    find_lane_maxima(run->space->scores, run->n_live, maxima);
    run->max_affinity = find_max(maxima);
    scale = aff_rank_scale(run->weights->affinity, run->max_affinity);
    if (run->n_plain < run->n_live) {
        find_side_scores(run, scale);
        find_lane_maxima(run->space->scores, run->n_live, maxima);
        scale = 1;
    }
    /* Rotation takes something off each score, so that no floor holds. A floor may be infinite, and 0 times
     * that is no number. */
    if (run->request->rotation <= 0 && scale > 0)
        floor = find_floor(maxima, wanted) * scale;
    *ret_scale = scale;
    return find_contenders(run, scale, floor);
}

static void insert(uint64_t *top, uint32_t n, uint64_t key)
{
    uint32_t at = n;

    while (at > 0 && top[at - 1] < key) {
        top[at] = top[at - 1];
        at--;
    }
    top[at] = key;
}

void aff_rank(struct aff_run *run, uint32_t n)
{
    struct aff_workspace *space = run->space;
    const float *popularity = aff_catalogue_popularity(run->catalogue);
    const float weight = (float)run->weights->popularity;
    const bool rotate = run->request->rotation > 0;
    uint64_t *top = space->top;
    uint32_t n_top = 0;
    float scale;
    const uint32_t n_contenders = find_scores(run, n, &scale);

    for (uint32_t i = 0; i < n_contenders; i++)
        __builtin_prefetch(&popularity[space->live[space->contenders[i]]]);
    for (uint32_t i = 0; i < n_contenders; i++) {
        const uint32_t row = space->live[space->contenders[i]];
        float score = space->scores[space->contenders[i]] * scale + weight * popularity[row];
        if (rotate)
            score *= aff_rank_rotation(run, row);
        uint64_t key = aff_rank_key_of(score, row);
        if (n_top == n && key <= top[n - 1])
            continue;
        if (n_top < n)
            n_top++;
        insert(top, n_top - 1, key);
    }
    run->n_top = n_top;
}
