/* SPDX-License-Identifier: Apache-2.0 */
/* New products get a place beside what they are like: where a known product is among the best, a new one that
 * is like it may be offered, too, for a share of its score. Nobody can buy what is never shown; Schein,
 * Popescul, Ungar, Pennock: Methods and metrics for cold-start recommendations, SIGIR 2002, recommend new
 * items by the content that they share with known ones. */
#include "core/recommend/run.h"

enum {
    OF_ITEM = 4,        /* new products that one item can make room for */
    ITEMS_A_PLACE = 10, /* one new product among as many items */
};

/* Puts an offer among the others by falling value, once a product. */
static uint32_t add(struct aff_offer *offers, uint32_t n, const struct aff_offer *offer)
{
    uint32_t at = 0;

    while (at < n && offers[at].row != offer->row)
        at++;
    if (at < n && offers[at].value >= offer->value)
        return n;
    n += at == n;
    for (; at > 0 && offers[at - 1].value < offer->value; at--)
        offers[at] = offers[at - 1];
    offers[at] = *offer;
    return n;
}

/* Fills space->offers. */
static uint32_t collect(const struct aff_run *run)
{
    const uint32_t n_items = run->n_top < run->request->limit ? run->n_top : run->request->limit;
    struct aff_newcomer found[OF_ITEM];
    uint32_t n = 0;

    for (uint32_t i = 0; i < n_items; i++) {
        const uint32_t row = aff_rank_row_of(run->space->top[i]);
        const float score = aff_rank_score_of(run->space->top[i]);
        const uint32_t n_found = aff_catalogue_newcomers(run->catalogue, row, OF_ITEM, found);
        if (n_found == 0 || score <= 0 || aff_kind_of(aff_side_find(run, row)) != AFF_KIND_CROSS_SELL)
            continue;
        for (uint32_t j = 0; j < n_found; j++) {
            const struct aff_offer offer = {found[j].row, row, found[j].likeness, score,
                                            (float)run->blend->content * found[j].likeness * score};
            if (aff_catalogue_product(run->catalogue, offer.row)->orders < run->blend->content_below_orders)
                n = add(run->space->offers, n, &offer);
        }
    }
    return n;
}

/* True if a source has named the product. What the sums said is gone by now. */
static bool is_candidate(const struct aff_run *run, uint32_t row)
{
    bool found = aff_side_find(run, row) != NULL;

    for (uint32_t i = 0; i < run->n_candidates; i++)
        found |= run->space->rows[i] == row;
    return found;
}

/* Makes the new product of an offer a candidate, and if nothing speaks against it one of the best `most`
 * where its score allows. True if it is among them. */
static bool offer_one(struct aff_run *run, uint32_t number, uint32_t most)
{
    struct aff_workspace *space = run->space;
    const struct aff_offer *offer = &space->offers[number];
    struct aff_side *side = aff_candidate_touch(run, offer->row);
    const enum aff_drop drop = aff_sieve_one(run, offer->row, side);
    uint32_t at = run->n_top;

    space->marks[offer->row] &= (uint8_t)~AFF_MARK_SIDE; /* the sieve has run */
    side->flags |= AFF_SIDE_NEWCOMER;
    side->drop = (uint8_t)drop;
    side->content_via = number;
    side->shown = aff_impressions_find(run, offer->row);
    if (drop != AFF_DROP_LIMIT) {
        run->answer->dropped[drop]++;
        return false;
    }
    run->n_live++;
    const float score =
        side->shown == 0 ? offer->value : aff_impressions_take(run, side->shown, offer->value);
    const uint64_t key = aff_rank_key_of(score, offer->row);
    if (at == most && key <= space->top[most - 1])
        return false;
    if (at == most)
        at--;
    else
        run->n_top++;
    for (; at > 0 && space->top[at - 1] < key; at--)
        space->top[at] = space->top[at - 1];
    space->top[at] = key;
    return true;
}

void aff_newcomers_offer(struct aff_run *run, uint32_t most)
{
    const uint32_t n = run->blend->content > 0 ? collect(run) : 0;
    uint32_t places = (run->request->limit + ITEMS_A_PLACE - 1) / ITEMS_A_PLACE;

    for (uint32_t i = 0; i < n && places > 0; i++)
        if (!is_candidate(run, run->space->offers[i].row) && offer_one(run, i, most))
            places--;
}
