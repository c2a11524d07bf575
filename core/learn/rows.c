/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/rows.h"

#include "core/learn/ridge.h"
#include "core/learn/top.h"

#include <math.h>
#include <stdlib.h>

enum { CHUNK = 16 };

/* A positive coefficient that may be offered, waiting for its predictor's row. */
struct edge {
    uint32_t target, pair; /* the other product; where the pair stands in the lower product's row */
    float value;
};

/* What one thread needs. */
struct maker {
    struct aff_scored *best;
    struct aff_neighbour *neighbours;
    struct aff_pair_counts *counts;
    struct aff_coefficient *coefficients;
    struct aff_ridge_scratch *ridge;
};

struct making {
    const struct aff_pairs *pairs;
    const struct aff_rows_settings *settings;
    aff_rows_sink sink;
    void *context;
    struct maker *makers;
    struct aff_ridge *ridge;
    struct aff_coefficient *solved; /* `others` a target, by target */
    uint32_t *n_solved;
    uint64_t *starts; /* of each predictor's edges */
    struct edge *edges;
};

bool aff_method_parse(struct aff_text name, enum aff_method *ret_method)
{
    for (int method = AFF_METHOD_RIDGE; method <= AFF_METHOD_LIFT; method++)
        if (aff_text_equal(name, aff_text_of(aff_method_name((enum aff_method)method)))) {
            *ret_method = (enum aff_method)method;
            return true;
        }
    return false;
}

const char *aff_method_name(enum aff_method method)
{
    switch (method) {
    case AFF_METHOD_RIDGE:
        return "ridge";
    case AFF_METHOD_COSINE:
        return "cosine";
    case AFF_METHOD_CONFIDENCE:
        return "confidence";
    case AFF_METHOD_LIFT:
        return "lift";
    }
    return "unknown";
}

static float score(const struct making *making, const struct aff_product_stat *a,
                   const struct aff_product_stat *b, const struct aff_pair *pair)
{
    double both = (double)pair->orders;

    switch (making->settings->method) {
    case AFF_METHOD_COSINE:
        if (pair->weight == 0)
            return 0;
        return (float)((double)pair->weight / sqrt((double)a->weight * (double)b->weight));
    case AFF_METHOD_CONFIDENCE:
        return (float)(both / (double)a->orders);
    case AFF_METHOD_LIFT:
        return (float)(both * (double)making->pairs->orders / ((double)a->orders * (double)b->orders));
    case AFF_METHOD_RIDGE:
        break; /* scores come from the solutions */
    }
    return 0;
}

static bool may_offer(const struct making *making, uint32_t a, uint32_t b, const struct aff_pair *pair)
{
    const struct aff_pairs *pairs = making->pairs;

    return aff_floors_pass(&making->settings->floors, pair->orders, pairs->stats[a].orders,
                           pairs->stats[b].orders, pairs->orders);
}

/* Hands the row of `a` on; the payload of an entry says where its pair stands in the lower product's row. */
static aff_status emit(const struct making *making, int thread, uint32_t a, struct aff_top *top)
{
    struct maker *maker = &making->makers[thread];

    aff_top_sort(top);
    for (uint32_t i = 0; i < top->n; i++) {
        const struct aff_scored *entry = &top->entries[i];
        bool is_lower = a < entry->row;
        const struct aff_pair *pair = &making->pairs->rows[is_lower ? a : entry->row].pairs[entry->payload];
        maker->neighbours[i] = (struct aff_neighbour){entry->row, entry->score};
        maker->counts[i] = (struct aff_pair_counts){.orders = pair->orders,
                                                    .discounted = pair->discounted,
                                                    .weight = pair->weight,
                                                    .revenue = is_lower ? pair->revenue_b : pair->revenue_a,
                                                    .margin = is_lower ? pair->margin_b : pair->margin_a};
    }
    if (top->n == 0)
        return AFF_OK;
    return making->sink(making->context, thread, a, maker->neighbours, maker->counts, top->n);
}

/* Scores one pair for the row of `a`; floors are asked last, because most pairs fail on their score. */
static void consider(const struct making *making, struct aff_top *top, uint32_t a, uint32_t b,
                     const struct aff_pair *pair, uint32_t at)
{
    const struct aff_product_stat *stats = making->pairs->stats;
    struct aff_scored entry = {.score = score(making, &stats[a], &stats[b], pair), .row = b, .payload = at};

    if (entry.score > 0 && aff_top_takes(top, entry) && may_offer(making, a, b, pair))
        aff_top_offer(top, entry);
}

static aff_status score_rows(void *context, int thread, uint32_t from, uint32_t to)
{
    const struct making *making = context;
    aff_status status = AFF_OK;

    for (uint32_t a = from; a < to && status == AFF_OK; a++) {
        const struct aff_pair_row *row = &making->pairs->rows[a];
        struct aff_top top = {.entries = making->makers[thread].best,
                              .capacity = making->settings->neighbours};
        for (uint32_t i = 0; i < row->n_lower; i++) {
            struct aff_pair_mirror mirror = row->lower[i];
            consider(making, &top, a, mirror.a, &making->pairs->rows[mirror.a].pairs[mirror.at], mirror.at);
        }
        for (uint32_t i = 0; i < row->n; i++)
            consider(making, &top, a, row->others[i], &row->pairs[i], i);
        status = emit(making, thread, a, &top);
    }
    return status;
}

/* ---- ridge: solve by target, turn round, cut by predictor ---- */

/* Keeps the positive coefficients of each target whose pairs pass the floors. */
static aff_status solve_targets(void *context, int thread, uint32_t from, uint32_t to)
{
    struct making *making = context;
    struct maker *maker = &making->makers[thread];

    for (uint32_t target = from; target < to; target++) {
        struct aff_coefficient *kept = making->solved + (size_t)target * making->settings->others;
        uint32_t n, n_kept = 0;
        aff_status status = aff_ridge_solve(making->ridge, maker->ridge, target, maker->coefficients, &n);
        if (status != AFF_OK)
            return status;
        for (uint32_t i = 0; i < n; i++) {
            struct aff_coefficient coefficient = maker->coefficients[i];
            const struct aff_pair *pair = aff_pairs_find(making->pairs, coefficient.row, target);
            if (coefficient.value > 0 && pair != NULL && may_offer(making, coefficient.row, target, pair))
                kept[n_kept++] = coefficient;
        }
        making->n_solved[target] = n_kept;
    }
    return AFF_OK;
}

/* From lists by target to lists by predictor. */
static aff_status turn_round(struct making *making)
{
    const struct aff_pairs *pairs = making->pairs;
    size_t n = pairs->n_products, others = making->settings->others;

    making->starts = calloc(n + 2, sizeof *making->starts);
    if (making->starts == NULL)
        return AFF_NOMEM;
    for (uint32_t target = 0; target < n; target++)
        for (uint32_t i = 0; i < making->n_solved[target]; i++)
            making->starts[making->solved[target * others + i].row + 2]++;
    for (size_t a = 0; a < n; a++)
        making->starts[a + 2] += making->starts[a + 1];
    making->edges = malloc((making->starts[n + 1] + 1) * sizeof *making->edges);
    if (making->edges == NULL)
        return AFF_NOMEM;
    for (uint32_t target = 0; target < n; target++)
        for (uint32_t i = 0; i < making->n_solved[target]; i++) {
            struct aff_coefficient solved = making->solved[target * others + i];
            const struct aff_pair *pair = aff_pairs_find(pairs, solved.row, target);
            uint32_t lower = solved.row < target ? solved.row : target;
            making->edges[making->starts[solved.row + 1]++] = (struct edge){
                .target = target, .pair = (uint32_t)(pair - pairs->rows[lower].pairs), .value = solved.value};
        }
    return AFF_OK;
}

static aff_status cut_rows(void *context, int thread, uint32_t from, uint32_t to)
{
    const struct making *making = context;
    aff_status status = AFF_OK;

    for (uint32_t a = from; a < to && status == AFF_OK; a++) {
        struct aff_top top = {.entries = making->makers[thread].best,
                              .capacity = making->settings->neighbours};
        for (uint64_t i = making->starts[a]; i < making->starts[a + 1]; i++) {
            const struct edge *edge = &making->edges[i];
            aff_top_offer(&top, (struct aff_scored){edge->value, edge->target, edge->pair});
        }
        status = emit(making, thread, a, &top);
    }
    return status;
}

static aff_status build_ridge(struct making *making, int n_threads, const struct aff_watch *watch)
{
    const struct aff_rows_settings *settings = making->settings;
    uint32_t n = making->pairs->n_products;

    aff_status status = aff_ridge_new(making->pairs, settings->others, settings->lambda, &making->ridge);
    making->solved = malloc(((size_t)n * settings->others + 1) * sizeof *making->solved);
    making->n_solved = calloc((size_t)n + 1, sizeof *making->n_solved);
    if (status == AFF_OK && (making->solved == NULL || making->n_solved == NULL))
        status = AFF_NOMEM;
    for (int i = 0; i < n_threads && status == AFF_OK; i++) {
        making->makers[i].coefficients = malloc(settings->others * sizeof(struct aff_coefficient));
        status = making->makers[i].coefficients == NULL
                     ? AFF_NOMEM
                     : aff_ridge_scratch_new(making->ridge, &making->makers[i].ridge);
    }
    if (status == AFF_OK)
        status = aff_parallel_run(n_threads, n, CHUNK, solve_targets, making, watch);
    if (status == AFF_OK)
        status = turn_round(making);
    free(making->solved);
    making->solved = NULL;
    if (status == AFF_OK)
        status = aff_parallel_run(n_threads, n, CHUNK, cut_rows, making, NULL);
    return status;
}

aff_status aff_rows_build(const struct aff_pairs *pairs, const struct aff_rows_settings *settings,
                          int n_threads, const struct aff_watch *watch, aff_rows_sink sink, void *context)
{
    struct making making = {.pairs = pairs, .settings = settings, .sink = sink, .context = context};
    size_t n = settings->neighbours;
    aff_status status = AFF_OK;

    making.makers = calloc((size_t)n_threads, sizeof *making.makers);
    if (making.makers == NULL)
        return AFF_NOMEM;
    for (int i = 0; i < n_threads && status == AFF_OK; i++) {
        struct maker *maker = &making.makers[i];
        maker->best = malloc(n * sizeof *maker->best);
        maker->neighbours = malloc(n * sizeof *maker->neighbours);
        maker->counts = malloc(n * sizeof *maker->counts);
        if (maker->best == NULL || maker->neighbours == NULL || maker->counts == NULL)
            status = AFF_NOMEM;
    }
    if (status == AFF_OK && settings->method == AFF_METHOD_RIDGE)
        status = build_ridge(&making, n_threads, watch);
    else if (status == AFF_OK)
        status = aff_parallel_run(n_threads, pairs->n_products, CHUNK, score_rows, &making, watch);
    for (int i = 0; i < n_threads; i++) {
        free(making.makers[i].best);
        free(making.makers[i].neighbours);
        free(making.makers[i].counts);
        free(making.makers[i].coefficients);
        aff_ridge_scratch_free(making.makers[i].ridge);
    }
    free(making.makers);
    aff_ridge_free(making.ridge);
    free(making.solved);
    free(making.n_solved);
    free(making.starts);
    free(making.edges);
    return status;
}
