/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recommend/run.h"

#include "core/base/random.h"

#include <math.h>

/* Rotation 1 takes at most this share off a score. */
#define ROTATION_REACH 0.05

/* What turns sums into scores in one request. */
struct scale {
    float affinity, sequence, personal, popularity;
};

float aff_rank_scale(double weight, float max)
{
    return max > 0 ? (float)(weight / (double)max) : 0;
}

/* Orders like the float, as an integer: the sign bit is flipped, or for negative numbers all bits. Rows in
 * the lower half break ties, the lower row first. */
static uint64_t key_of(float score, uint32_t row)
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

float aff_rank_rotation(const struct aff_run *run, uint32_t row)
{
    if (run->request->rotation <= 0)
        return 1;
    struct aff_random random = {.state = run->request->seed ^ (uint64_t)row << 32 ^ row};
    return (float)(1 - run->request->rotation * ROTATION_REACH * aff_random_unit(&random));
}

/* Four maxima side by side: one would wait for itself at each step. */
static float max_of(const float *values, uint32_t n)
{
    float max[4] = {0};
    uint32_t i = 0;

    for (; i + 4 <= n; i += 4)
        for (uint32_t j = 0; j < 4; j++)
            max[j] = values[i + j] > max[j] ? values[i + j] : max[j];
    for (; i < n; i++)
        max[0] = values[i] > max[0] ? values[i] : max[0];
    for (uint32_t j = 1; j < 4; j++)
        max[0] = max[j] > max[0] ? max[j] : max[0];
    return max[0];
}

static struct scale find_scale(struct aff_run *run)
{
    const struct aff_workspace *space = run->space;

    run->max_affinity = max_of(space->sums, run->n_live);
    run->max_sequence = 0;
    run->max_personal = 0;
    for (uint32_t i = 0; run->sides && i < run->n_live; i++) {
        const struct aff_side *side = &space->sides[space->live[i]];
        run->max_sequence = side->sequence > run->max_sequence ? side->sequence : run->max_sequence;
        run->max_personal = side->personal > run->max_personal ? side->personal : run->max_personal;
    }
    return (struct scale){
        .affinity = aff_rank_scale(run->blend->affinity, run->max_affinity),
        .sequence = aff_rank_scale(run->blend->sequence, run->max_sequence),
        .personal = aff_rank_scale(run->blend->personal, run->max_personal),
        .popularity = (float)run->blend->popularity,
    };
}

/* The score of a candidate without popularity. */
static float relevance(const struct aff_run *run, const struct scale *scale, uint32_t index, float sum)
{
    float score = sum * scale->affinity;

    if (run->sides) {
        const struct aff_side *side = &run->space->sides[index];
        if (side->flags & AFF_SIDE_SUBSTITUTE)
            return (float)AFF_CONTENT_WEIGHT * side->content;
        score += side->sequence * scale->sequence;
        score += side->personal * scale->personal;
    }
    return score;
}

static void insert(struct aff_ranked *top, uint32_t n, struct aff_ranked ranked)
{
    uint32_t at = n;

    while (at > 0 && top[at - 1].key < ranked.key) {
        top[at] = top[at - 1];
        at--;
    }
    top[at] = ranked;
}

void aff_rank(struct aff_run *run, uint32_t n)
{
    struct aff_workspace *space = run->space;
    const float *popularity = aff_catalogue_popularity(run->catalogue);
    const struct scale scale = find_scale(run);
    const bool rotate = run->request->rotation > 0;
    float floor = -INFINITY;
    uint32_t n_top = 0;

    for (uint32_t i = 0; i < run->n_live; i++) {
        float score = relevance(run, &scale, space->live[i], space->sums[i]);
        /* No popularity is above 1, so what stays under the floor even with 1 needs no look at it. */
        if (!rotate && !(score + scale.popularity >= floor))
            continue;
        uint32_t row = space->candidates[space->live[i]].row;
        score += scale.popularity * popularity[row];
        if (rotate)
            score *= aff_rank_rotation(run, row);
        uint64_t key = key_of(score, row);
        if (n_top == n && key <= space->top[n - 1].key)
            continue;
        if (n_top < n)
            n_top++;
        insert(space->top, n_top - 1, (struct aff_ranked){.key = key, .index = space->live[i]});
        if (n_top == n)
            floor = aff_rank_score_of(space->top[n - 1].key);
    }
    run->n_top = n_top;
}
