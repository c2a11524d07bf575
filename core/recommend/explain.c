/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recommend/run.h"

#include <math.h>

static const struct aff_pair_counts *find_counts(const struct aff_row *row, uint32_t other)
{
    for (uint32_t i = 0; row != NULL && i < row->n; i++)
        if (row->entries[i].row == other)
            return &aff_row_counts(row)[i];
    return NULL;
}

/* Finds winners among up to AFF_CHUNK entries of a base's row. Where they are is hard to guess, so that they
 * are listed first, without a branch. */
static void hear_chunk(const struct aff_run *run, uint32_t base, uint32_t from, uint32_t n)
{
    struct aff_workspace *space = run->space;
    const struct aff_row *row = space->bases[base].together;
    const float weight = space->bases[base].weight;
    uint32_t *found = space->found;
    uint32_t n_found = 0;

    for (uint32_t i = from; i < from + n; i++) {
        found[n_found] = i;
        n_found += space->marks[row->entries[i].row] >= AFF_MARK_WINNER;
    }
    for (uint32_t i = 0; i < n_found; i++) {
        const struct aff_neighbour entry = row->entries[found[i]];
        struct aff_speaker *speaker = &space->speakers[space->marks[entry.row] - AFF_MARK_WINNER];
        if (weight * entry.score > speaker->share)
            *speaker = (struct aff_speaker){weight * entry.score, base, &aff_row_counts(row)[found[i]]};
    }
}

/* Finds for each winner the base with the largest share, the first of equal ones. */
static void find_speakers(const struct aff_run *run)
{
    struct aff_workspace *space = run->space;

    for (uint32_t i = 0; i < run->n_top; i++) {
        space->speakers[i] = (struct aff_speaker){.share = -INFINITY, .base = AFF_NO_BASE};
        space->marks[aff_rank_row_of(space->top[i])] = (uint8_t)(AFF_MARK_WINNER + i);
    }
    for (uint32_t i = 0; i < run->n_bases; i++) {
        const uint32_t n = space->bases[i].together == NULL ? 0 : space->bases[i].together->n;
        for (uint32_t from = 0; from < n; from += AFF_CHUNK)
            hear_chunk(run, i, from, n - from < AFF_CHUNK ? n - from : AFF_CHUNK);
    }
    for (uint32_t i = 0; i < run->n_top; i++)
        space->marks[aff_rank_row_of(space->top[i])] = 0;
}

/* Who speaks most for an item. */
struct voice {
    enum aff_origin origin;
    enum aff_reason reason;
    float value; /* of the term, weighted */
    uint32_t via;
    enum aff_relation relation;
    const struct aff_pair_counts *counts;
};

static enum aff_origin origin_of(enum aff_trace trace)
{
    switch (trace) {
    case AFF_TRACE_HISTORY:
        return AFF_ORIGIN_NEIGHBOURS;
    case AFF_TRACE_RECENT:
        return AFF_ORIGIN_POPULAR;
    default:
        return AFF_ORIGIN_SEQUENCE;
    }
}

static enum aff_reason reason_of(const struct aff_run *run, enum aff_trace trace)
{
    switch (trace) {
    case AFF_TRACE_HISTORY:
        return AFF_REASON_FITS_PURCHASES;
    case AFF_TRACE_SEEN:
        return AFF_REASON_VIEWED_BEFORE;
    default:
        return run->request->as == AFF_AS_VIEWS ? AFF_REASON_VIEWED_NEXT : AFF_REASON_ADDED_NEXT;
    }
}

/* The product that a trace starts from: the newest of cart or views, the newest purchase, or the product that
 * was seen. */
static uint32_t via_of(const struct aff_run *run, enum aff_trace trace, uint32_t row)
{
    if (trace == AFF_TRACE_SEEN)
        return row;
    if (origin_of(trace) == AFF_ORIGIN_SEQUENCE)
        return run->newest;
    return trace == AFF_TRACE_HISTORY ? run->history->purchases[0].row : AFF_NO_ROW;
}

static void listen(struct voice *loudest, struct voice other)
{
    if (other.value > loudest->value)
        *loudest = other;
}

/* The loudest of affinity, sequence, own purchases and content. Popularity breaks ties between candidates and
 * is never the reason for one of them. */
static struct voice find_voice(const struct aff_run *run, uint32_t number, uint32_t row,
                               const struct aff_side *side)
{
    const struct aff_workspace *space = run->space;
    const struct aff_speaker *speaker = &space->speakers[number];
    struct voice voice = {AFF_ORIGIN_POPULAR, AFF_REASON_POPULAR, -INFINITY, AFF_NO_ROW, 0, NULL};

    if (side != NULL && side->flags & AFF_SIDE_SUBSTITUTE)
        return (struct voice){.origin = AFF_ORIGIN_CONTENT,
                              .reason = AFF_REASON_SIMILAR,
                              .via = space->bases[side->content_via].row};
    if (side != NULL && side->flags & AFF_SIDE_NEWCOMER)
        return (struct voice){.origin = AFF_ORIGIN_CONTENT,
                              .reason = AFF_REASON_SIMILAR,
                              .via = space->offers[side->content_via].lender};
    if (speaker->base != AFF_NO_BASE) {
        float scale = aff_rank_scale(run->weights->affinity, run->max_affinity);
        const bool stands_in = speaker->base >= run->n_given;
        listen(&voice, (struct voice){
                           .origin = stands_in ? AFF_ORIGIN_CONTENT : AFF_ORIGIN_AFFINITY,
                           .reason = stands_in ? AFF_REASON_BOUGHT_WITH_SIMILAR : AFF_REASON_BOUGHT_TOGETHER,
                           .value = speaker->share * scale,
                           .via = space->bases[space->bases[speaker->base].of].row,
                           .relation = AFF_RELATION_TOGETHER,
                           .counts = stands_in ? NULL : speaker->counts,
                       });
    }
    if (side != NULL && side->sequence_via != 0) {
        uint32_t via = side->sequence_via - 1;
        float scale = aff_rank_scale(run->weights->sequence, run->max_sequence);
        listen(&voice,
               (struct voice){AFF_ORIGIN_SEQUENCE, AFF_REASON_BOUGHT_NEXT, side->sequence_best * scale,
                              run->next_via[via], AFF_RELATION_NEXT, find_counts(run->next_rows[via], row)});
    }
    if (side != NULL && side->flags & AFF_SIDE_BOUGHT) {
        float scale = aff_rank_scale(run->weights->personal, run->max_personal);
        listen(&voice, (struct voice){AFF_ORIGIN_NEIGHBOURS, AFF_REASON_BOUGHT_BEFORE, side->personal * scale,
                                      row, 0, NULL});
    }
    for (int i = 0; run->traced && side != NULL && i < AFF_TRACE_MAX; i++) {
        const enum aff_trace trace = (enum aff_trace)i;
        float scale = aff_rank_scale(run->weights->traces[i], run->max_traces[i]);
        if (trace != AFF_TRACE_RECENT && side->traces[i] > 0)
            listen(&voice, (struct voice){origin_of(trace), reason_of(run, trace), side->traces[i] * scale,
                                          via_of(run, trace, row), 0, NULL});
    }
    return voice;
}

/* Keeps the largest terms, largest first; equal ones stay in the order of adding. */
static void add_term(struct aff_item *item, struct aff_term term)
{
    const double size = term.weight * term.value;
    uint32_t at = item->n_terms;

    if (size == 0)
        return;
    while (at > 0 && item->terms[at - 1].weight * item->terms[at - 1].value < size)
        at--;
    if (item->n_terms == AFF_TERMS_MAX)
        item->n_terms_dropped++;
    else
        item->n_terms++;
    for (uint32_t i = item->n_terms; i-- > at + 1;)
        item->terms[i] = item->terms[i - 1];
    if (at < AFF_TERMS_MAX)
        item->terms[at] = term;
}

/* Adds what impressions take, which the terms that are kept must not hide. */
static void add_discount(const struct aff_run *run, struct aff_item *item, const struct aff_side *side,
                         double rotation)
{
    if (side == NULL || side->shown == 0)
        return;
    const struct aff_shown_row *shown = &run->space->shown[side->shown - 1];
    if (item->n_terms == AFF_TERMS_MAX) {
        item->n_terms--;
        item->n_terms_dropped++;
    }
    add_term(item, (struct aff_term){
                       .source = AFF_ORIGIN_IMPRESSIONS,
                       .via = AFF_NO_ROW,
                       .weight = -run->blend->impressions * fabs((double)shown->before) * rotation,
                       .value = (double)shown->share,
                   });
}

/* Adds one term for the entry of `row` that is the item. */
static void add_row_term(struct aff_item *item, enum aff_origin source, const struct aff_row *row,
                         uint32_t via, double weight, double share)
{
    for (uint32_t i = 0; row != NULL && i < row->n; i++)
        if (row->entries[i].row == item->row)
            add_term(item, (struct aff_term){source, via, weight, (double)row->entries[i].score * share});
}

/* True if a source of this weight, whose largest value is `max`, has a part in scores. */
static bool speaks(double weight, float max)
{
    return aff_rank_scale(weight, max) > 0;
}

static void add_terms(const struct aff_run *run, struct aff_item *item, const struct aff_side *side)
{
    const struct aff_workspace *space = run->space;
    const struct aff_weights *weights = run->weights;
    const double rotation = (double)aff_rank_rotation(run, item->row);
    const double popularity = (double)aff_catalogue_popularity(run->catalogue)[item->row];

    if (side != NULL && side->flags & AFF_SIDE_NEWCOMER) {
        const struct aff_offer *offer = &space->offers[side->content_via];
        add_term(item, (struct aff_term){AFF_ORIGIN_CONTENT, offer->lender,
                                         run->blend->content * (double)offer->lent, (double)offer->likeness});
        add_discount(run, item, side, 1);
        return;
    }
    if (item->kind == AFF_KIND_SUBSTITUTE) {
        add_term(item, (struct aff_term){AFF_ORIGIN_CONTENT, item->via, AFF_CONTENT_WEIGHT * rotation,
                                         (double)side->content});
    } else {
        for (uint32_t i = 0; speaks(weights->affinity, run->max_affinity) && i < run->n_bases; i++)
            add_row_term(item, i < run->n_given ? AFF_ORIGIN_AFFINITY : AFF_ORIGIN_CONTENT,
                         space->bases[i].together, space->bases[i].row, weights->affinity * rotation,
                         (double)space->bases[i].weight / (double)run->max_affinity);
        for (uint32_t i = 0; speaks(weights->sequence, run->max_sequence) && i < run->n_next; i++)
            add_row_term(item, AFF_ORIGIN_SEQUENCE, run->next_rows[i], run->next_via[i],
                         weights->sequence * rotation, 1 / (double)run->max_sequence);
        if (speaks(weights->personal, run->max_personal) && side != NULL)
            add_term(item, (struct aff_term){AFF_ORIGIN_NEIGHBOURS, item->row, weights->personal * rotation,
                                             (double)(side->personal / run->max_personal)});
        for (int i = 0; run->traced && side != NULL && i < AFF_TRACE_MAX; i++)
            if (speaks(weights->traces[i], run->max_traces[i]))
                add_term(item, (struct aff_term){origin_of((enum aff_trace)i),
                                                 via_of(run, (enum aff_trace)i, item->row),
                                                 weights->traces[i] * rotation,
                                                 (double)(side->traces[i] / run->max_traces[i])});
    }
    add_term(item,
             (struct aff_term){AFF_ORIGIN_POPULAR, AFF_NO_ROW, weights->popularity * rotation, popularity});
    add_discount(run, item, side, rotation);
}

void aff_explain_items(struct aff_run *run)
{
    const struct aff_workspace *space = run->space;
    struct aff_answer *answer = run->answer;

    find_speakers(run);
    for (uint32_t i = 0; i < run->n_top; i++) {
        const uint32_t row = aff_rank_row_of(space->top[i]);
        const struct aff_side *side = aff_side_find(run, row);
        const struct voice voice = find_voice(run, i, row, side);
        struct aff_item *item = &answer->items[i];
        item->row = row;
        item->score = aff_rank_score_of(space->top[i]);
        item->kind = aff_kind_of(side);
        item->origin = voice.origin;
        item->reason = voice.reason;
        item->via = voice.via;
        item->via_relation = voice.relation;
        item->counts = voice.counts;
        item->evidence = run->request->explain == AFF_EXPLAIN_NONE ? NULL : voice.counts;
        item->n_terms = 0;
        item->n_terms_dropped = 0;
        if (run->request->explain == AFF_EXPLAIN_FULL)
            add_terms(run, item, side);
    }
    answer->n_items = run->n_top;
}

void aff_explain_why_not(struct aff_run *run)
{
    struct aff_answer *answer = run->answer;

    if (run->request->why_not.size == 0)
        return;
    answer->why_not = AFF_FATE_UNKNOWN;
    if (run->why_not == AFF_NO_ROW)
        return;
    for (uint32_t i = 0; i < answer->n_items; i++) {
        if (answer->items[i].row == run->why_not) {
            answer->why_not = AFF_FATE_OFFERED;
            return;
        }
    }
    const struct aff_side *side = aff_side_find(run, run->why_not);
    if (side == NULL) {
        answer->why_not = AFF_FATE_NO_CANDIDATE;
        return;
    }
    answer->why_not = AFF_FATE_DROPPED;
    answer->why_not_drop = aff_sieve_one(run, run->why_not, side);
    if (answer->why_not_drop == AFF_DROP_LIMIT)
        answer->why_not_drop = side->drop;
}
