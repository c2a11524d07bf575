/* SPDX-License-Identifier: Apache-2.0 */
/* Products that were shown and not clicked rank lower, each time a little more: the score times
 * 1 - weight * (1 - 0.5^times), times fading by age. That several impressions without a click lower the
 * chance of the next one, and that recent ones do so most, is from Lee, Lakshmanan, Tiwari, Shah: Modeling
 * impression discounting in large-scale recommender systems, KDD 2014, who multiply by a discount, too; the
 * exponential is one of the shapes that they fit. */
#include "core/recommend/run.h"

#include <math.h>

void aff_impressions_resolve(struct aff_run *run)
{
    const struct aff_request *request = run->request;

    run->n_shown = 0;
    for (size_t i = 0; i < request->n_impressed && run->blend->impressions > 0; i++) {
        const struct aff_impressed *impressed = &request->impressed[i];
        const double share = 1 - exp2(-(double)impressed->times);
        const uint32_t row = aff_catalogue_find_key(run->catalogue, impressed->product);
        if (row == AFF_NO_ROW)
            continue;
        run->space->shown[run->n_shown++] = (struct aff_shown_row){
            .row = row,
            .share = (float)share,
            .discount = (float)(run->blend->impressions * share),
        };
    }
}

/* True if a source has named the product. */
static bool is_candidate(const struct aff_run *run, uint32_t row)
{
    if (aff_side_find(run, row) != NULL)
        return true;
    return !run->each && !aff_is_unnamed(run->space->sums[row]);
}

void aff_impressions_discount(struct aff_run *run)
{
    for (uint32_t i = 0; i < run->n_shown; i++) {
        const uint32_t row = run->space->shown[i].row;
        if (is_candidate(run, row))
            aff_candidate_touch(run, row)->shown = (uint8_t)(i + 1);
    }
}

uint8_t aff_impressions_find(const struct aff_run *run, uint32_t row)
{
    for (uint32_t i = 0; i < run->n_shown; i++)
        if (run->space->shown[i].row == row)
            return (uint8_t)(i + 1);
    return 0;
}

float aff_impressions_take(const struct aff_run *run, uint8_t shown, float score)
{
    struct aff_shown_row *at = &run->space->shown[shown - 1];

    at->before = score;
    return score - fabsf(score) * at->discount;
}
