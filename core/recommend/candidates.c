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
 * lengths, then what is left. Always inlined: gcc takes a function that only prefetches for one without
 * effect and drops calls of it, which costs 1.2 of 4.6 us. */
static inline __attribute__((always_inline)) void prefetch_rows(const struct aff_run *run)
{
    static const size_t line_bytes = 64, first_bytes = 384;

    for (uint32_t i = 0; i < run->n_bases; i++) {
        /* Something in memory stands in for no row, which no address may be reckoned from. */
        const struct aff_row *row = run->space->bases[i].together;
        const char *first = row != NULL ? (const char *)row : (const char *)run->space;
        for (size_t at = 0; at < first_bytes; at += line_bytes)
            __builtin_prefetch(first + at);
    }
    for (uint32_t i = 0; i < run->n_bases; i++) {
        const struct aff_row *row = run->space->bases[i].together;
        const size_t bytes = row == NULL ? 0 : sizeof *row + row->n * sizeof row->entries[0];
        for (size_t at = first_bytes; at < bytes; at += line_bytes)
            __builtin_prefetch((const char *)row + at);
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
    run->n_candidates = run->n_named = n;
}

static bool has_side(const struct aff_run *run, uint32_t row)
{
    return run->space->cells[row].stamp == run->space->stamp;
}

struct aff_side *aff_side_find(const struct aff_run *run, uint32_t row)
{
    return has_side(run, row) ? &run->space->sides[run->space->cells[row].side] : NULL;
}

static struct aff_side *give_side(struct aff_run *run, uint32_t row)
{
    struct aff_workspace *space = run->space;
    struct aff_side *side = &space->sides[run->n_sides];

    space->cells[row] = (struct aff_cell){.stamp = space->stamp, .side = run->n_sides++};
    *side = (struct aff_side){0};
    return side;
}

void aff_side_give_all(struct aff_run *run)
{
    struct aff_workspace *space = run->space;
    const uint32_t n = run->n_candidates;

    if (run->n_sides > 0) {
        for (uint32_t i = 0; i < n; i++)
            if (!has_side(run, space->rows[i]))
                (void)give_side(run, space->rows[i]);
    } else {
        for (uint32_t i = 0; i < n; i++) {
            __builtin_prefetch(&space->cells[space->rows[i + AFF_CELLS_AHEAD < n ? i + AFF_CELLS_AHEAD : i]],
                               1);
            space->cells[space->rows[i]] = (struct aff_cell){.stamp = space->stamp, .side = i};
            space->sides[i] = (struct aff_side){0};
        }
        run->n_sides = n;
    }
    run->each = true;
}

struct aff_side *aff_candidate_touch(struct aff_run *run, uint32_t row)
{
    struct aff_workspace *space = run->space;

    if (has_side(run, row))
        return aff_side_find(run, row);
    if (run->each || aff_is_unnamed(space->sums[row]))
        space->rows[run->n_candidates++] = row;
    if (!run->each)
        space->marks[row] |= AFF_MARK_SIDE;
    return give_side(run, row);
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
            struct aff_side *side = aff_candidate_touch(run, row->entries[j].row);
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

float aff_personal_value(const struct aff_run *run, const struct aff_purchase *purchase)
{
    const float half_life_s = (float)(run->half_life_days * 86400);
    const int64_t now_s = run->request->now_us / 1000000;
    const float age_s = now_s > purchase->last_s ? (float)(now_s - purchase->last_s) : 0;
    const float last = exp2f(-age_s / half_life_s);
    const uint32_t n = purchase->orders;

    if (n < 2)
        return last;
    const float gap_s = ((float)purchase->last_s - (float)purchase->first_s) / (float)(n - 1);
    const float ratio = exp2f(-gap_s / half_life_s); /* of a purchase to the one after it */
    if (ratio > 0.999F)
        return last * (float)n;
    return last * (1 - powf(ratio, (float)n)) / (1 - ratio);
}

void aff_candidates_from_history(struct aff_run *run)
{
    const struct aff_request *request = run->request;
    const struct aff_history *history = run->history;
    const int64_t now_s = request->now_us / 1000000;
    const bool rhythm = (request->kinds >> AFF_KIND_REPLENISH & 1) != 0;

    for (uint32_t i = 0; i < history->n; i++) {
        const struct aff_purchase *purchase = &history->purchases[i];
        struct aff_side *side = aff_candidate_touch(run, purchase->row);
        side->personal = aff_personal_value(run, purchase);
        side->flags |= AFF_SIDE_BOUGHT;
        if (rhythm && is_not_due(purchase, now_s))
            side->flags |= AFF_SIDE_NOT_DUE;
    }
}
