/* SPDX-License-Identifier: Apache-2.0 */
/* Maximal marginal relevance (Carbonell, Goldstein, SIGIR 1998): the next item is the one with the largest
 * (1 - diversity) * relevance - diversity * likeness to the chosen ones, relevance being the score as a share
 * of the best one's. The chosen items are shown by falling score all the same. */
#include "core/catalogue/likeness.h"
#include "core/recommend/run.h"

#include <math.h>

/* How alike two products are, 0 to 1. */
static float likeness(const struct aff_product *a, const struct aff_product *b)
{
    const float sum = 0.5F * aff_likeness_path(a, b) + (aff_likeness_brand(a, b) ? 0.25F : 0);

    return sum + (aff_likeness_price(a, b) ? 0.25F : 0);
}

static const struct aff_product *product_of(const struct aff_run *run, uint32_t rank)
{
    return aff_catalogue_product(run->catalogue, aff_rank_row_of(run->space->top[rank]));
}

/* Marks `limit` of the pool as chosen. */
static void choose(const struct aff_run *run, uint32_t limit, bool *chosen)
{
    float nearest[AFF_POOL_MAX] = {0}; /* likeness to the most alike chosen one */
    const float diversity = (float)run->request->diversity;
    const float best_score = aff_rank_score_of(run->space->top[0]);

    for (uint32_t n = 0; n < limit; n++) {
        float best_value = -INFINITY;
        uint32_t best = 0;
        for (uint32_t i = 0; i < run->n_top; i++) {
            float relevance = aff_rank_score_of(run->space->top[i]) / best_score;
            float value = (1 - diversity) * relevance - diversity * nearest[i];
            if (!chosen[i] && value > best_value) {
                best_value = value;
                best = i;
            }
        }
        chosen[best] = true;
        for (uint32_t i = 0; i < run->n_top; i++) {
            float alike = chosen[i] ? 0 : likeness(product_of(run, best), product_of(run, i));
            nearest[i] = alike > nearest[i] ? alike : nearest[i];
        }
    }
}

void aff_diversify(struct aff_run *run)
{
    struct aff_workspace *space = run->space;
    const uint32_t limit = run->request->limit;
    bool chosen[AFF_POOL_MAX] = {false};
    uint32_t n = 0;

    if (run->n_top <= limit)
        return;
    /* Shares of the best score mean nothing where even that speaks against the product. */
    if (!(aff_rank_score_of(space->top[0]) > 0)) {
        run->n_top = limit;
        return;
    }
    choose(run, limit, chosen);
    for (uint32_t i = 0; i < run->n_top; i++) {
        if (chosen[i]) {
            space->top[n++] = space->top[i];
        } else if (i < limit) {
            run->answer->dropped[AFF_DROP_DIVERSITY]++;
            struct aff_side *side = aff_side_find(run, aff_rank_row_of(space->top[i]));
            if (side != NULL)
                side->drop = AFF_DROP_DIVERSITY;
        }
    }
    run->n_top = n;
}
