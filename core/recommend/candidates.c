/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recommend/run.h"

#include <math.h>
#include <string.h>

/* Adds one base's neighbours. No branch depends on whether a product is new: that is random, and each wrong
 * guess of the processor would cost more than the whole step. */
static uint32_t add_row(struct aff_workspace *space, const struct aff_base *base, uint32_t number, uint32_t n)
{
    struct aff_cell *cells = space->cells;
    struct aff_candidate *candidates = space->candidates;
    const uint32_t stamp = space->stamp;
    const float weight = base->weight;

    for (uint32_t i = 0; i < base->together->n; i++) {
        const struct aff_neighbour entry = base->together->entries[i];
        struct aff_cell *cell = &cells[entry.row];
        const bool old = cell->stamp == stamp;
        const uint32_t index = old ? cell->index : n;
        struct aff_candidate *candidate = &candidates[index];
        const float share = weight * entry.score;
        const float before = old ? candidate->affinity : 0;
        const float best = old ? candidate->best : -INFINITY;
        const uint32_t via = old ? candidate->via : number;
        *cell = (struct aff_cell){.stamp = stamp, .index = index};
        candidate->row = entry.row;
        candidate->affinity = before + share;
        candidate->best = share > best ? share : best;
        candidate->via = share > best ? number : via;
        n += !old;
    }
    return n;
}

/* Starts to load all rows before the first is read. */
static void prefetch_rows(const struct aff_run *run)
{
    enum { LINE = 64 };

    for (uint32_t i = 0; i < run->n_bases; i++)
        __builtin_prefetch(run->space->bases[i].together);
    for (uint32_t i = 0; i < run->n_bases; i++) {
        const struct aff_row *row = run->space->bases[i].together;
        if (row == NULL)
            continue;
        const char *end = (const char *)(row->entries + row->n);
        for (const char *at = (const char *)row + LINE; at < end; at += LINE)
            __builtin_prefetch(at);
    }
}

void aff_candidates_from_rows(struct aff_run *run)
{
    struct aff_workspace *space = run->space;
    uint32_t n = run->n_candidates;

    prefetch_rows(run);
    for (uint32_t i = 0; i < run->n_bases; i++)
        if (space->bases[i].together != NULL)
            n = add_row(space, &space->bases[i], i, n);
    run->n_candidates = n;
}

void aff_candidates_begin_sides(struct aff_run *run)
{
    run->sides = true;
    memset(run->space->sides, 0, run->n_candidates * sizeof *run->space->sides);
}

uint32_t aff_candidate_touch(struct aff_run *run, uint32_t row)
{
    struct aff_workspace *space = run->space;
    struct aff_cell *cell = &space->cells[row];

    if (cell->stamp == space->stamp)
        return cell->index;
    uint32_t index = run->n_candidates++;
    *cell = (struct aff_cell){.stamp = space->stamp, .index = index};
    space->candidates[index] = (struct aff_candidate){.row = row, .via = AFF_NO_BASE};
    space->sides[index] = (struct aff_side){0};
    return index;
}

/* Chooses the rows of `next`: of the newest cart product, or without a cart of the newest purchases. */
static void choose_next(struct aff_run *run)
{
    const struct aff_neighbours *next = run->model->next;

    run->n_next = 0;
    if (run->newest != AFF_NO_ROW) {
        run->next_via[run->n_next++] = run->newest;
    } else if (run->history != NULL) {
        for (uint32_t i = 0; i < run->history->n && i < AFF_SEQUENCE_PURCHASES; i++)
            run->next_via[run->n_next++] = run->history->purchases[i].row;
    }
    for (uint32_t i = 0; i < run->n_next; i++)
        run->next_rows[i] = aff_neighbours_row(next, run->next_via[i]);
}

void aff_candidates_from_sequence(struct aff_run *run)
{
    choose_next(run);
    for (uint32_t i = 0; i < run->n_next; i++) {
        const struct aff_row *row = run->next_rows[i];
        for (uint32_t j = 0; row != NULL && j < row->n; j++) {
            struct aff_side *side = &run->space->sides[aff_candidate_touch(run, row->entries[j].row)];
            if (side->sequence_via == 0 || row->entries[j].score > side->sequence_best) {
                side->sequence_best = row->entries[j].score;
                side->sequence_via = i + 1;
            }
            side->sequence += row->entries[j].score;
        }
    }
}

/* True if less than half of the customer's usual time between two purchases has passed. */
static bool is_not_due(const struct aff_purchase *purchase, int64_t now_s)
{
    if (purchase->orders < 2)
        return false;
    double gap_s = ((double)purchase->last_s - (double)purchase->first_s) / (purchase->orders - 1.0);
    return (double)now_s - (double)purchase->last_s < 0.5 * gap_s;
}

void aff_candidates_from_history(struct aff_run *run)
{
    const struct aff_request *request = run->request;
    const struct aff_history *history = run->history;
    const double half_life_s = run->blend->personal_half_life_days * 86400;
    const int64_t now_s = request->now_us / 1000000;
    const bool rhythm = (request->kinds >> AFF_KIND_REPLENISH & 1) != 0 || request->n_cart == 0;

    for (uint32_t i = 0; i < history->n; i++) {
        const struct aff_purchase *purchase = &history->purchases[i];
        struct aff_side *side = &run->space->sides[aff_candidate_touch(run, purchase->row)];
        double age_s = now_s > purchase->last_s ? (double)(now_s - purchase->last_s) : 0;
        side->personal = (float)purchase->orders * exp2f((float)(-age_s / half_life_s));
        side->flags |= AFF_SIDE_BOUGHT;
        if (rhythm && is_not_due(purchase, now_s))
            side->flags |= AFF_SIDE_NOT_DUE;
    }
}
