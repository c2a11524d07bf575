/* SPDX-License-Identifier: Apache-2.0 */
/* The sources of enum aff_trace. Each names candidates and adds to their sides; a source without weight or
 * without its part of the model is not looked at. */
#include "core/recommend/run.h"

#include <math.h>
#include <string.h>

enum {
    ADDED_LINES = 5,         /* newest lines of a cart that may be in any order */
    ADDED_FADE = 2,          /* lines after which a rule counts 1/e */
    HISTORY_PURCHASES = 100, /* newest ones whose rows count */
    VIEWS_LOOKED = 10,       /* newest views */
};
#define LEAST_SHARE 1e-9F /* what is said of a view that counts less is not looked at */
/* Views after which what is said of one counts 1/e. */
#define VIEWED_FADE 2.0F
#define SEEN_FADE 10.0F
#define SEEN_SAME 0.5F /* of a product that was viewed just before, too */

/* What ALIKE says of a product itself is for visitors who return as often as this. */
#define USUAL_REVISITS 0.35F

static bool wants(const struct aff_run *run, enum aff_trace trace)
{
    return run->weights->traces[trace] > 0;
}

static bool may_speak(const struct aff_run *run, enum aff_trace trace)
{
    return wants(run, trace) && (run->model->traces != NULL || trace == AFF_TRACE_HISTORY);
}

static bool any_may_speak(const struct aff_run *run)
{
    for (int trace = 0; trace < AFF_TRACE_MAX; trace++)
        if (may_speak(run, (enum aff_trace)trace))
            return true;
    return false;
}

bool aff_traces_of_each(const struct aff_run *run)
{
    for (int trace = 0; trace < AFF_TRACE_MAX; trace++)
        if (trace != AFF_TRACE_ADDED && may_speak(run, (enum aff_trace)trace))
            return true;
    return false;
}

/* As aff_candidate_add for each entry, with everything that changes in registers. */
static void add_to_each(struct aff_run *run, enum aff_trace trace, const struct aff_neighbour *entries,
                        uint32_t n, float weight)
{
    const uint32_t size = aff_catalogue_size(run->catalogue), stamp = run->space->stamp;
    struct aff_cell *cells = run->space->cells;
    struct aff_side *sides = run->space->sides;
    uint32_t *rows = run->space->rows, n_candidates = run->n_candidates;

    sides[n_candidates] = (struct aff_side){0};
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t row = entries[i].row;
        const uint32_t later = i + AFF_CELLS_AHEAD < n ? entries[i + AFF_CELLS_AHEAD].row : row;
        __builtin_prefetch(later < size ? &cells[later] : cells, 1);
        if (__builtin_expect(row >= size, 0))
            continue;
        const struct aff_cell before = cells[row];
        const bool is_new = before.stamp != stamp;
        const uint32_t side = is_new ? n_candidates : before.side;
        cells[row] = (struct aff_cell){.stamp = stamp, .side = side};
        rows[n_candidates] = row;
        sides[side].traces[trace] += weight * entries[i].score;
        n_candidates += is_new;
        sides[n_candidates] = (struct aff_side){0};
    }
    run->n_candidates = run->n_sides = n_candidates;
}

static void add(struct aff_run *run, enum aff_trace trace, const struct aff_neighbour *entries, uint32_t n,
                float weight)
{
    const uint32_t size = aff_catalogue_size(run->catalogue);

    if (run->each) {
        add_to_each(run, trace, entries, n, weight);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        if (entries[i].row < size)
            aff_candidate_touch(run, entries[i].row)->traces[trace] += weight * entries[i].score;
}

/* Where the request says that the cart is in the order of adding, its newest product decides. Else what is
 * looked for may belong anywhere, and the products added around it are as near. */
static void add_added(struct aff_run *run)
{
    const uint32_t n_lines = (uint32_t)run->request->n_cart;
    const uint32_t looked = run->request->as == AFF_AS_ADDED ? 1 : ADDED_LINES;
    uint32_t age = 0;

    for (uint32_t line = n_lines; line-- > 0 && age < looked;) {
        uint32_t n = 0;
        if (run->space->id_rows[line] == AFF_NO_ROW)
            continue;
        const struct aff_neighbour *entries =
            aff_successors_of(run->model->traces->added, run->space->id_rows[line], &n);
        add(run, AFF_TRACE_ADDED, entries, n, expf(-(float)age / ADDED_FADE));
        age++;
    }
}

/* Starts to load the rows of all purchases before the first is read, as aff_candidates_from_rows does; always
 * inlined for the same reason. */
static inline __attribute__((always_inline)) void prefetch_history(const struct aff_run *run, uint32_t n,
                                                                   const struct aff_row **ret_rows)
{
    static const size_t line_bytes = 64, first_bytes = 384;
    const struct aff_purchase *purchases = run->history->purchases;

    for (uint32_t i = 0; i < n; i++)
        aff_neighbours_prefetch(run->model->together, purchases[i].row);
    for (uint32_t i = 0; i < n; i++) {
        ret_rows[i] = aff_neighbours_row(run->model->together, purchases[i].row);
        const char *first = ret_rows[i] != NULL ? (const char *)ret_rows[i] : (const char *)run->space;
        for (size_t at = 0; at < first_bytes; at += line_bytes)
            __builtin_prefetch(first + at);
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct aff_row *row = ret_rows[i];
        const size_t bytes = row == NULL ? 0 : sizeof *row + row->n * sizeof row->entries[0];
        for (size_t at = first_bytes; at < bytes; at += line_bytes)
            __builtin_prefetch((const char *)row + at);
    }
}

static void add_history(struct aff_run *run)
{
    const struct aff_row *rows[HISTORY_PURCHASES];

    if (run->history == NULL)
        return;
    const uint32_t n = run->history->n < HISTORY_PURCHASES ? run->history->n : HISTORY_PURCHASES;
    prefetch_history(run, n, rows);
    for (uint32_t i = 0; i < n; i++)
        if (rows[i] != NULL)
            add(run, AFF_TRACE_HISTORY, rows[i]->entries, rows[i]->n,
                aff_personal_value(run, &run->history->purchases[i]));
}

/* The lists name candidates, and all candidates have the value. */
static void add_recent(struct aff_run *run)
{
    const struct aff_traces *traces = run->model->traces;

    for (uint32_t i = 0; i < traces->n_recent; i++)
        (void)aff_candidate_add(run, traces->recent[i].row);
    for (uint32_t i = 0; i < run->n_candidates; i++) {
        const uint32_t row = run->space->rows[i];
        if (i + AFF_CELLS_AHEAD < run->n_candidates)
            __builtin_prefetch(&traces->recent_of[run->space->rows[i + AFF_CELLS_AHEAD]]);
        if (row < traces->n_products)
            run->space->sides[i].traces[AFF_TRACE_RECENT] = traces->recent_of[row];
    }
}

/* What rules say of the newest views, the older ones counting less. */
static void add_views_of(struct aff_run *run, enum aff_trace trace, const struct aff_successors *rules,
                         float fade)
{
    const uint32_t n_views = (uint32_t)run->request->n_cart;

    for (uint32_t age = 0; age < n_views && age < VIEWS_LOOKED; age++) {
        const float share = expf(-(float)age / fade);
        uint32_t n = 0;
        if (share < LEAST_SHARE)
            break;
        const struct aff_neighbour *entries =
            aff_successors_of(rules, run->space->id_rows[n_views - 1 - age], &n);
        add(run, trace, entries, n, share);
    }
}

static void add_seen(struct aff_run *run)
{
    const uint32_t n_views = (uint32_t)run->request->n_cart;
    const uint32_t *rows = run->space->id_rows;

    for (uint32_t age = 1; age < n_views && age < VIEWS_LOOKED; age++) {
        const uint32_t row = rows[n_views - 1 - age];
        if (row == AFF_NO_ROW)
            continue;
        const float share = row == rows[n_views - 1] ? SEEN_SAME : 1;
        aff_candidate_add(run, row)->traces[AFF_TRACE_SEEN] += share * expf(-(float)age / SEEN_FADE);
    }
}

/* How likely the next view of this session returns to a product: the share of its views that did, as if there
 * had been one view more, of the store's usual visitor. */
static float find_habit(const struct aff_run *run)
{
    const uint32_t *rows = run->space->id_rows;
    const uint32_t n_views = (uint32_t)run->request->n_cart;
    uint32_t returns = 0;

    for (uint32_t i = 1; i < n_views; i++) {
        bool seen = false;
        for (uint32_t before = 0; before < i; before++)
            seen |= rows[before] == rows[i];
        returns += seen && rows[i] != AFF_NO_ROW;
    }
    return ((float)returns + run->model->traces->revisits) / (float)n_views;
}

/* The sources speak of the newest product as of a visitor who returns as often as others do. */
static void follow_habit(struct aff_run *run)
{
    const float habit = find_habit(run), revisits = run->model->traces->revisits;
    const uint32_t newest = run->space->id_rows[run->request->n_cart - 1];
    struct aff_side *side = newest == AFF_NO_ROW ? NULL : aff_side_find(run, newest);

    if (side == NULL)
        return;
    side->traces[AFF_TRACE_ALIKE] *= habit / USUAL_REVISITS;
    if (revisits >= AFF_TRACES_FEW_REVISITS) {
        side->traces[AFF_TRACE_VIEWED] *= habit / revisits;
        side->traces[AFF_TRACE_SEEN] *= habit / revisits;
    }
}

static void add_views(struct aff_run *run)
{
    const struct aff_traces *traces = run->model->traces;
    const double alike = run->weights->alike_views > 0 ? run->weights->alike_views : AFF_ALIKE_VIEWS;

    if (wants(run, AFF_TRACE_ALIKE))
        add_views_of(run, AFF_TRACE_ALIKE, traces->alike, (float)alike);
    if (wants(run, AFF_TRACE_VIEWED))
        add_views_of(run, AFF_TRACE_VIEWED, traces->viewed, VIEWED_FADE);
    if (wants(run, AFF_TRACE_SEEN) && traces->revisits >= AFF_TRACES_FEW_REVISITS)
        add_seen(run);
    follow_habit(run);
}

void aff_candidates_from_traces(struct aff_run *run)
{
    run->traced = any_may_speak(run);
    if (!run->traced)
        return;
    if (wants(run, AFF_TRACE_HISTORY))
        add_history(run);
    if (run->model->traces == NULL)
        return;
    if (wants(run, AFF_TRACE_ADDED))
        add_added(run);
    if (run->request->as == AFF_AS_VIEWS && run->request->n_cart > 0)
        add_views(run);
    if (wants(run, AFF_TRACE_RECENT) && run->model->traces->recent_of != NULL)
        add_recent(run);
}
