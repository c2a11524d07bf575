/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/truth.h"

#include <stdlib.h>

aff_status aff_demo_truth_init(struct aff_demo_truth *truth, int32_t n_days)
{
    enum { SHORTEST_MONTH = 28 };

    *truth = (struct aff_demo_truth){.n_days = n_days, .room_months = (uint32_t)n_days / SHORTEST_MONTH + 2};
    truth->months = calloc(truth->room_months, sizeof *truth->months);
    truth->gaps = calloc((size_t)n_days * AFF_NEXTS, sizeof *truth->gaps);
    if (truth->months == NULL || truth->gaps == NULL) {
        aff_demo_truth_done(truth);
        return AFF_NOMEM;
    }
    for (size_t i = 0; i < AFF_NEXTS; i++)
        truth->nexts[i].gaps = truth->gaps + i * (size_t)n_days;
    return AFF_OK;
}

void aff_demo_truth_done(struct aff_demo_truth *truth)
{
    free(truth->months);
    free(truth->gaps);
    *truth = (struct aff_demo_truth){0};
}

void aff_demo_truth_begin_month(struct aff_demo_truth *truth, struct aff_demo_date date)
{
    truth->months[truth->n_months++].date = date;
}

void aff_demo_truth_count(struct aff_demo_truth *truth, const struct aff_demo_set *set, bool guest)
{
    struct aff_demo_month_count *month = &truth->months[truth->n_months - 1];
    bool best = aff_demo_set_has(set, AFF_BESTSELLER);
    bool a = aff_demo_set_has(set, AFF_NOISE_A), b = aff_demo_set_has(set, AFF_NOISE_B);

    truth->orders++;
    truth->guest_orders += guest;
    month->orders++;
    month->orders_a += a;
    month->orders_b += b;
    month->orders_both += a && b;
    for (unsigned word = 0; word < 2; word++)
        for (uint64_t bits = set->bits[word]; bits != 0; bits &= bits - 1) {
            unsigned watch = word * 64 + (unsigned)__builtin_ctzll(bits);
            truth->with[watch]++;
            truth->with_bestseller[watch] += best;
        }
    for (int i = 0; i < AFF_PAIRS; i++)
        truth->both[i] +=
            aff_demo_set_has(set, aff_demo_pairs[i].a) && aff_demo_set_has(set, aff_demo_pairs[i].b);
}

void aff_demo_truth_count_next(struct aff_demo_truth *truth, uint64_t first, uint64_t second,
                               int32_t gap_days)
{
    for (uint64_t bits = first; bits != 0; bits &= bits - 1)
        truth->firsts[__builtin_ctzll(bits)]++;
    for (int i = 0; i < AFF_NEXTS; i++) {
        const struct aff_demo_next *next = &aff_demo_nexts[i];
        uint64_t a = UINT64_C(1) << next->a, b = UINT64_C(1) << next->b;
        if ((first & a) == 0 || (second & b) == 0 || (next->kind != AFF_NEXT_REPEAT && (first & b) != 0))
            continue;
        truth->nexts[i].orders++;
        truth->nexts[i].gaps[gap_days]++;
    }
}
