/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/rows.h"

#include "core/base/arena.h"
#include "core/learn/evidence.h"
#include "core/learn/ridge.h"
#include "core/learn/top.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 16 };

/* What the solution of one product leaves for the second pass: coefficients above 0 whose pairs may be
 * offered. */
struct solved {
    const struct aff_coefficient *kept;
    uint32_t n;
};

/* What one thread needs. */
struct maker {
    struct aff_scored *best;
    struct aff_neighbour *neighbours;
    struct aff_pair_counts *counts;
    struct aff_coefficient *coefficients;
    struct aff_ridge_scratch *ridge;
    struct aff_arena kept;
};

struct aff_rows_room {
    struct aff_rows_settings settings;
    int n_threads;
    struct maker *makers;
};

struct making {
    const struct aff_links *links;
    const struct aff_rows_settings *settings;
    const uint32_t *products; /* NULL: item i is product i */
    float *residuals;
    struct solved *solved; /* of each item */
    aff_rows_sink sink;
    void *context;
    struct maker *makers;
};

bool aff_method_parse(struct aff_text name, enum aff_method *ret_method)
{
    for (int method = 0; method < AFF_METHOD_MAX; method++)
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
    case AFF_METHOD_JACCARD:
        return "jaccard";
    case AFF_METHOD_LLR:
        return "llr";
    case AFF_METHOD_MAX:
        break;
    }
    return "unknown";
}

static uint32_t product_of(const struct making *making, uint32_t item)
{
    return making->products == NULL ? item : making->products[item];
}

/* Only products that are bought together more often than by chance are neighbours. */
static float score_by_ratio(const struct making *making, uint32_t a, uint32_t b, const struct aff_pair *pair)
{
    const struct aff_product_stat *stats = making->links->stats;
    const struct aff_evidence evidence =
        aff_evidence_of(pair->orders, stats[a].orders, stats[b].orders, making->links->orders);

    return evidence.lift > 1 ? (float)evidence.llr : 0;
}

static float score(const struct making *making, uint32_t a, uint32_t b, const struct aff_pair *pair)
{
    const struct aff_product_stat *stats = making->links->stats;
    double both = (double)pair->orders;

    switch (making->settings->method) {
    case AFF_METHOD_COSINE:
        if (pair->weight == 0)
            return 0;
        return (float)((double)pair->weight / sqrt((double)stats[a].weight * (double)stats[b].weight));
    case AFF_METHOD_CONFIDENCE:
        return (float)(both / (double)stats[a].orders);
    case AFF_METHOD_LIFT:
        return (float)(both * (double)making->links->orders /
                       ((double)stats[a].orders * (double)stats[b].orders));
    case AFF_METHOD_JACCARD:
        return (float)(both / ((double)stats[a].orders + (double)stats[b].orders - both));
    case AFF_METHOD_LLR:
        return score_by_ratio(making, a, b, pair);
    case AFF_METHOD_RIDGE:
    case AFF_METHOD_MAX:
        break; /* scores come from the solutions */
    }
    return 0;
}

static enum aff_verdict verdict_of(const struct making *making, uint32_t a, uint32_t b)
{
    const struct aff_product_stat *stats = making->links->stats;

    return aff_reviews_find(making->settings->reviews, stats[a].product, stats[b].product);
}

static bool may_offer(const struct making *making, uint32_t a, uint32_t b, const struct aff_pair *pair)
{
    const struct aff_links *links = making->links;

    return aff_floors_pass(&making->settings->floors, pair->orders, links->stats[a].orders,
                           links->stats[b].orders, links->orders) &&
           verdict_of(making, a, b) != AFF_VERDICT_REJECT;
}

static struct aff_season season_of(const struct making *making, uint32_t a, uint32_t b,
                                   const struct aff_pair *pair)
{
    const struct aff_links *links = making->links;

    if (links->months == NULL)
        return (struct aff_season){0};
    return aff_season_of(links->months(links->source, a), links->months(links->source, b),
                         links->every_month(links->source), pair->orders);
}

/* What a pair's score is multiplied with. */
static float damping(const struct making *making, uint32_t a, uint32_t b, const struct aff_pair *pair)
{
    const struct aff_links *links = making->links;

    if (!(making->settings->season_damping > 0 && making->settings->season_damping < 1))
        return 1;
    struct aff_season season = season_of(making, a, b, pair);
    if (!(season.expected > 0 && season.z < AFF_SEASON_Z) || verdict_of(making, a, b) == AFF_VERDICT_APPROVE)
        return 1;
    struct aff_evidence plain =
        aff_evidence_of(pair->orders, links->stats[a].orders, links->stats[b].orders, links->orders);
    return aff_season_marks(&plain, season.expected, season.z) ? (float)making->settings->season_damping : 1;
}

static aff_status emit(const struct making *making, int thread, uint32_t a, struct aff_top *top)
{
    const struct aff_links *links = making->links;
    struct maker *maker = &making->makers[thread];
    float residual = making->settings->method == AFF_METHOD_RIDGE ? making->residuals[a] : 0;

    aff_top_sort(top);
    for (uint32_t i = 0; i < top->n; i++) {
        uint32_t b = top->entries[i].row;
        const struct aff_pair *pair = links->find(links->source, a, b);
        struct aff_season season = season_of(making, a, b, pair);
        maker->neighbours[i] = (struct aff_neighbour){b, top->entries[i].score};
        maker->counts[i] = (struct aff_pair_counts){.orders = pair->orders,
                                                    .discounted = pair->discounted,
                                                    .weight = pair->weight,
                                                    .revenue = a < b ? pair->revenue_b : pair->revenue_a,
                                                    .margin = a < b ? pair->margin_b : pair->margin_a,
                                                    .season_z = (float)season.z,
                                                    .season_expected = (float)season.expected};
    }
    return making->sink(making->context, thread, a, residual, maker->neighbours, maker->counts, top->n);
}

/* Floors are asked last, because most pairs fail on their score. */
static aff_status score_rows(void *context, int thread, uint32_t from, uint32_t to)
{
    const struct making *making = context;
    const struct aff_links *links = making->links;
    aff_status status = AFF_OK;

    for (uint32_t item = from; item < to && status == AFF_OK; item++) {
        uint32_t a = product_of(making, item);
        struct aff_link_row row = links->row(links->source, a);
        struct aff_top top = {.entries = making->makers[thread].best,
                              .capacity = making->settings->neighbours};
        for (uint32_t i = 0; i < row.n; i++) {
            const struct aff_pair *pair = links->find(links->source, a, row.others[i]);
            struct aff_scored entry = {.score = score(making, a, row.others[i], pair), .row = row.others[i]};
            if (entry.score > 0 && aff_top_takes(&top, entry) && may_offer(making, a, row.others[i], pair)) {
                entry.score *= damping(making, a, row.others[i], pair);
                aff_top_offer(&top, entry);
            }
        }
        status = emit(making, thread, a, &top);
    }
    return status;
}

/* ---- ridge: all residuals, then the rows ---- */

static aff_status keep(const struct making *making, struct maker *maker, uint32_t product, uint32_t n,
                       struct solved *ret_solved)
{
    const struct aff_links *links = making->links;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        struct aff_coefficient one = maker->coefficients[i];
        const struct aff_pair *pair = one.value > 0 ? links->find(links->source, product, one.row) : NULL;
        if (pair == NULL || !may_offer(making, product, one.row, pair))
            continue;
        one.value *= damping(making, product, one.row, pair);
        maker->coefficients[kept++] = one;
    }
    struct aff_coefficient *copy = aff_arena_take(&maker->kept, kept * sizeof *copy);
    if (copy == NULL)
        return AFF_NOMEM;
    if (kept > 0)
        memcpy(copy, maker->coefficients, kept * sizeof *copy);
    *ret_solved = (struct solved){copy, kept};
    return AFF_OK;
}

static aff_status solve(void *context, int thread, uint32_t from, uint32_t to)
{
    struct making *making = context;
    struct maker *maker = &making->makers[thread];

    for (uint32_t item = from; item < to; item++) {
        uint32_t product = product_of(making, item), n;
        aff_status status = aff_ridge_solve(making->links, making->settings->lambda, maker->ridge, product,
                                            maker->coefficients, &n, &making->residuals[product]);
        if (status == AFF_OK)
            status = keep(making, maker, product, n, &making->solved[item]);
        if (status != AFF_OK)
            return status;
    }
    return AFF_OK;
}

static aff_status scale_rows(void *context, int thread, uint32_t from, uint32_t to)
{
    const struct making *making = context;
    aff_status status = AFF_OK;

    for (uint32_t item = from; item < to && status == AFF_OK; item++) {
        uint32_t a = product_of(making, item);
        const struct solved *solved = &making->solved[item];
        struct aff_top top = {.entries = making->makers[thread].best,
                              .capacity = making->settings->neighbours};
        for (uint32_t i = 0; i < solved->n; i++) {
            struct aff_coefficient one = solved->kept[i];
            aff_top_offer(&top, (struct aff_scored){.score = one.value * making->residuals[one.row] /
                                                             making->residuals[a],
                                                    .row = one.row});
        }
        status = emit(making, thread, a, &top);
    }
    return status;
}

static aff_status make_ridge_rows(struct making *making, uint32_t n, int n_threads,
                                  const struct aff_watch *watch)
{
    making->solved = malloc(((size_t)n + 1) * sizeof *making->solved);
    if (making->solved == NULL)
        return AFF_NOMEM;
    aff_status status = aff_parallel_run(n_threads, n, CHUNK, solve, making, watch);
    if (status == AFF_OK)
        status = aff_parallel_run(n_threads, n, CHUNK, scale_rows, making, NULL);
    free(making->solved);
    for (int i = 0; i < n_threads; i++)
        aff_arena_done(&making->makers[i].kept);
    return status;
}

static aff_status furnish(struct maker *maker, const struct aff_rows_settings *settings)
{
    size_t kept = settings->neighbours;

    maker->best = malloc(kept * sizeof *maker->best);
    maker->neighbours = malloc(kept * sizeof *maker->neighbours);
    maker->counts = malloc(kept * sizeof *maker->counts);
    if (maker->best == NULL || maker->neighbours == NULL || maker->counts == NULL)
        return AFF_NOMEM;
    if (settings->method != AFF_METHOD_RIDGE)
        return AFF_OK;
    maker->coefficients = malloc(settings->others * sizeof *maker->coefficients);
    if (maker->coefficients == NULL)
        return AFF_NOMEM;
    return aff_ridge_scratch_new(settings->others, &maker->ridge);
}

aff_status aff_rows_room_new(const struct aff_rows_settings *settings, int n_threads,
                             struct aff_rows_room **ret_room)
{
    struct aff_rows_room *room = calloc(1, sizeof *room);
    aff_status status = AFF_OK;

    if (room == NULL)
        return AFF_NOMEM;
    room->settings = *settings;
    room->n_threads = n_threads;
    room->makers = calloc((size_t)n_threads, sizeof *room->makers);
    if (room->makers == NULL)
        status = AFF_NOMEM;
    for (int i = 0; i < n_threads && status == AFF_OK; i++)
        status = furnish(&room->makers[i], settings);
    if (status != AFF_OK) {
        aff_rows_room_free(room);
        return status;
    }
    *ret_room = room;
    return AFF_OK;
}

void aff_rows_room_free(struct aff_rows_room *room)
{
    if (room == NULL)
        return;
    for (int i = 0; room->makers != NULL && i < room->n_threads; i++) {
        struct maker *maker = &room->makers[i];
        free(maker->best);
        free(maker->neighbours);
        free(maker->counts);
        free(maker->coefficients);
        aff_ridge_scratch_free(maker->ridge);
    }
    free(room->makers);
    free(room);
}

const struct aff_rows_settings *aff_rows_room_settings(const struct aff_rows_room *room)
{
    return &room->settings;
}

aff_status aff_rows_make(struct aff_rows_room *room, const struct aff_links *links, const uint32_t *products,
                         uint32_t n, float *residuals, const struct aff_watch *watch, aff_rows_sink sink,
                         void *context)
{
    struct making making = {.links = links,
                            .settings = &room->settings,
                            .products = products,
                            .residuals = residuals,
                            .sink = sink,
                            .context = context,
                            .makers = room->makers};

    if (products == NULL)
        n = links->n_products;
    /* A few products are not worth starting threads for. */
    int n_threads = n <= CHUNK ? 1 : room->n_threads;
    if (room->settings.method == AFF_METHOD_RIDGE)
        return make_ridge_rows(&making, n, n_threads, watch);
    return aff_parallel_run(n_threads, n, CHUNK, score_rows, &making, watch);
}

aff_status aff_rows_build(const struct aff_pairs *pairs, const struct aff_rows_settings *settings,
                          int n_threads, const struct aff_watch *watch, aff_rows_sink sink, void *context)
{
    struct aff_rows_room *room = NULL;
    struct aff_pair_links *links = NULL;
    float *residuals = malloc(((size_t)pairs->n_products + 1) * sizeof *residuals);
    aff_status status = residuals == NULL ? AFF_NOMEM : aff_rows_room_new(settings, n_threads, &room);

    if (status == AFF_OK)
        status = aff_pair_links_new(pairs, &links);
    if (status == AFF_OK) {
        struct aff_links view = aff_pair_links_view(links);
        status = aff_rows_make(room, &view, NULL, 0, residuals, watch, sink, context);
    }
    aff_pair_links_free(links);
    aff_rows_room_free(room);
    free(residuals);
    return status;
}
