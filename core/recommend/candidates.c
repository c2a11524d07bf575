/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recommend/run.h"

#include <math.h>
#include <string.h>

/* Adds one base's neighbours. A product that no base has named yet has the sum -0, which no sum of shares can
 * be, and is put on the list: written each time, kept if the sum was -0. No branch depends on it, since it is
 * random and each wrong guess of the processor would cost more than the whole step. */
static uint32_t add_row(float *sums, uint32_t *rows, const struct aff_base *base, uint32_t n)
{
    const struct aff_neighbour *entries = base->together->entries;
    const uint32_t n_entries = base->together->n;
    const float weight = base->weight;

    for (uint32_t i = 0; i < n_entries; i++) {
        const uint32_t row = entries[i].row;
        const float before = sums[row];
        sums[row] = before + (weight * entries[i].score + 0.0f); /* + 0 makes a share of -0 positive */
        rows[n] = row;
        n += aff_is_unnamed(before);
    }
    return n;
}

/* Starts to load the rows of all bases before the first is read: their first lines without waiting for their
 * lengths, then what is left. */
static void prefetch_rows(const struct aff_run *run)
{
    enum { LINE = 64, FIRST_LINES = 6 };

    for (uint32_t i = 0; i < run->n_bases; i++)
        for (uint32_t line = 0; line < FIRST_LINES; line++)
            __builtin_prefetch((const char *)run->space->bases[i].together + line * LINE);
    for (uint32_t i = 0; i < run->n_bases; i++) {
        const struct aff_row *row = run->space->bases[i].together;
        if (row == NULL)
            continue;
        const char *end = (const char *)(row->entries + row->n);
        for (const char *at = (const char *)row + FIRST_LINES * LINE; at < end; at += LINE)
            __builtin_prefetch(at);
    }
}

void aff_candidates_from_rows(struct aff_run *run)
{
    struct aff_workspace *space = run->space;
    uint32_t n = 0;

    prefetch_rows(run);
    for (uint32_t i = 0; i < run->n_bases; i++)
        if (space->bases[i].together != NULL)
            n = add_row(space->sums, space->rows, &space->bases[i], n);
    run->n_candidates = n;
}

void aff_candidates_begin_sides(struct aff_run *run)
{
    struct aff_workspace *space = run->space;

    run->sides = true;
    if (++space->stamp == 0) {
        memset(space->cells, 0, space->capacity * sizeof *space->cells);
        space->stamp = 1;
    }
    for (uint32_t i = 0; i < run->n_candidates; i++)
        space->cells[space->rows[i]] = (struct aff_cell){.stamp = space->stamp, .index = i};
    memset(space->sides, 0, run->n_candidates * sizeof *space->sides);
}

uint32_t aff_candidate_find(const struct aff_run *run, uint32_t row)
{
    const struct aff_cell *cell = &run->space->cells[row];

    return cell->stamp == run->space->stamp ? cell->index : AFF_NO_CANDIDATE;
}

uint32_t aff_candidate_touch(struct aff_run *run, uint32_t row)
{
    struct aff_workspace *space = run->space;
    uint32_t index = aff_candidate_find(run, row);

    if (index != AFF_NO_CANDIDATE)
        return index;
    index = run->n_candidates++;
    space->cells[row] = (struct aff_cell){.stamp = space->stamp, .index = index};
    space->rows[index] = row;
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
