/* SPDX-License-Identifier: Apache-2.0 */
/* Popular products for what the other sources leave empty, in stages: the categories that a filter asks for,
 * those of cart and page product, those of the customer's purchases, the whole store. Inside a stage the
 * lists are merged by popularity. Each stage's weight is the blend's, or less where its first item would
 * otherwise score above the items before it. */
#include "core/recommend/run.h"

#include <math.h>

enum {
    MAX_LISTS = 16,    /* categories of one stage */
    MAX_LOOKED = 2000, /* products of all stages */
};

struct list {
    const uint32_t *rows;
    uint32_t n, at;
    uint32_t category, via; /* via: the row whose category it is */
};

struct stage {
    struct list lists[MAX_LISTS];
    uint32_t n;
    uint32_t n_held; /* in the workspace */
};

static void add_list(const struct aff_run *run, struct stage *stage, uint32_t category, uint32_t via)
{
    for (uint32_t i = 0; i < stage->n; i++)
        if (stage->lists[i].category == category)
            return;
    if (stage->n == MAX_LISTS)
        return;
    struct list *list = &stage->lists[stage->n++];
    *list = (struct list){.category = category, .via = via};
    list->rows = aff_catalogue_popular(run->catalogue, category, &list->n);
}

static void add_list_of(const struct aff_run *run, struct stage *stage, uint32_t row)
{
    uint32_t category = aff_catalogue_product(run->catalogue, row)->category_row;

    if (category != AFF_NO_ROW)
        add_list(run, stage, category, row);
}

/* The list whose next product is the most popular one; NULL: all have ended. */
static struct list *find_list(const struct aff_run *run, struct stage *stage)
{
    const float *popularity = aff_catalogue_popularity(run->catalogue);
    struct list *best = NULL;

    for (uint32_t i = 0; i < stage->n; i++) {
        struct list *list = &stage->lists[i];
        if (list->at < list->n &&
            (best == NULL || popularity[list->rows[list->at]] > popularity[best->rows[best->at]]))
            best = list;
    }
    return best;
}

/* The most popular of the held products, the first of equal ones; NULL: none is held. */
static struct aff_held *find_held(const struct aff_run *run, const struct stage *stage)
{
    struct aff_held *best = NULL;

    for (uint32_t i = 0; i < stage->n_held; i++) {
        struct aff_held *held = &run->space->held[i];
        if (best == NULL || held->value > best->value)
            best = held;
    }
    return best;
}

/* What a product's popularity counts as, and 1 - 0.5^times of its impressions. */
static float value_of(const struct aff_run *run, uint32_t row, float *ret_share)
{
    const uint8_t number = aff_impressions_find(run, row);
    const struct aff_shown_row *shown = number == 0 ? NULL : &run->space->shown[number - 1];
    const float popularity = aff_catalogue_popularity(run->catalogue)[row];

    *ret_share = shown == NULL ? 0 : shown->share;
    return shown == NULL ? popularity : popularity * (1 - shown->discount);
}

/* The row of the most popular product that the stage has not given yet, and its `via`; AFF_NO_ROW at the end.
 * A product that was shown waits until its turn has come. */
static uint32_t take(const struct aff_run *run, struct stage *stage, uint32_t *ret_via)
{
    const float *popularity = aff_catalogue_popularity(run->catalogue);

    for (;;) {
        struct list *list = find_list(run, stage);
        struct aff_held *held = find_held(run, stage);
        float share;
        if (held != NULL && (list == NULL || held->value >= popularity[list->rows[list->at]])) {
            const uint32_t row = held->row;
            *ret_via = held->via;
            memmove(held, held + 1, (size_t)(run->space->held + stage->n_held - (held + 1)) * sizeof *held);
            stage->n_held--;
            return row;
        }
        if (list == NULL)
            return AFF_NO_ROW;
        const uint32_t row = list->rows[list->at++];
        const float value = value_of(run, row, &share);
        *ret_via = list->via;
        if (share <= 0)
            return row;
        run->space->held[stage->n_held++] = (struct aff_held){row, list->via, value};
    }
}

/* `value` is after the discount, of which `share` says how much there was. */
static void add_terms(const struct aff_run *run, struct aff_item *item, double weight, double value,
                      float share)
{
    const double left = 1 - run->blend->impressions * (double)share;

    if (share <= 0 || left <= 0) {
        item->terms[item->n_terms++] = (struct aff_term){AFF_ORIGIN_POPULAR, item->via, weight, value};
        return;
    }
    item->terms[item->n_terms++] = (struct aff_term){AFF_ORIGIN_POPULAR, item->via, weight, value / left};
    item->terms[item->n_terms++] = (struct aff_term){
        AFF_ORIGIN_IMPRESSIONS, AFF_NO_ROW, -run->blend->impressions * weight * value / left, (double)share};
}

static void add_item(struct aff_run *run, uint32_t row, uint32_t via, double weight)
{
    struct aff_answer *answer = run->answer;
    struct aff_item *item = &answer->items[answer->n_items];
    float share;
    double value = (double)value_of(run, row, &share);

    item->score = (float)(weight * value);
    /* Behind an item that scores 0 or less, and where rounding lifts it, a popular one takes the score before
     * it. */
    if (answer->n_items > 0 && item->score > answer->items[answer->n_items - 1].score) {
        item->score = answer->items[answer->n_items - 1].score;
        weight = (double)item->score;
        value = 1;
        share = 0;
    }
    answer->n_items++;
    item->row = row;
    item->kind = AFF_KIND_CROSS_SELL;
    item->origin = AFF_ORIGIN_POPULAR;
    item->reason = via == AFF_NO_ROW ? AFF_REASON_POPULAR : AFF_REASON_POPULAR_IN_CATEGORY;
    item->via = via;
    item->via_relation = 0;
    item->counts = NULL;
    item->evidence = NULL;
    item->n_terms = 0;
    item->n_terms_dropped = 0;
    if (run->request->explain == AFF_EXPLAIN_FULL && value > 0)
        add_terms(run, item, weight, value, share);
}

/* The weight with which a stage may begin at `row`. */
static double weight_of(const struct aff_run *run, uint32_t row)
{
    const struct aff_answer *answer = run->answer;
    float share;
    double value = (double)value_of(run, row, &share);
    double weight = run->weights->popularity;

    if (answer->n_items > 0 && value > 0) {
        double most = (double)answer->items[answer->n_items - 1].score / value;
        /* Strictly below, so that where fallback begins does not depend on rounding. */
        weight = weight < 0.99 * most ? weight : 0.99 * most;
    }
    return weight > 0 ? weight : 0;
}

static void run_stage(struct aff_run *run, struct stage *stage, uint32_t *looked)
{
    double weight = NAN;
    uint32_t via = AFF_NO_ROW;

    while (run->answer->n_items < run->request->limit && *looked < MAX_LOOKED) {
        uint32_t row = take(run, stage, &via);
        if (row == AFF_NO_ROW)
            return;
        ++*looked;
        if (aff_side_find(run, row) != NULL)
            continue;
        enum aff_drop drop = aff_sieve_one(run, row, aff_candidate_touch(run, row));
        if (drop != AFF_DROP_LIMIT) {
            run->answer->dropped[drop]++;
            continue;
        }
        if (isnan(weight))
            weight = weight_of(run, row);
        add_item(run, row, via, weight);
    }
}

/* Categories that a filter names, so that a narrow filter finds its products without a walk through the
 * store. */
static void add_filtered(const struct aff_run *run, struct stage *stage)
{
    for (size_t i = 0; i < run->request->n_filters; i++) {
        const struct aff_filter *filter = &run->request->filters[i];
        if (filter->field != AFF_FILTER_CATEGORY || filter->compare != AFF_COMPARE_EQ)
            continue;
        uint32_t category = aff_catalogue_find_category(run->catalogue, filter->value);
        if (category != AFF_NO_ROW)
            add_list(run, stage, category, AFF_NO_ROW);
    }
}

void aff_fallback(struct aff_run *run)
{
    struct stage filtered = {0}, given = {0}, bought = {0}, store = {0};
    uint32_t looked = 0;

    /* From here on a product is a candidate if it has a side. */
    aff_side_give_all(run);
    add_filtered(run, &filtered);
    run_stage(run, &filtered, &looked);
    for (uint32_t i = run->n_given; i-- > 0;)
        add_list_of(run, &given, run->space->bases[i].row);
    run_stage(run, &given, &looked);
    for (uint32_t i = 0; run->history != NULL && i < run->history->n && bought.n < MAX_LISTS; i++)
        add_list_of(run, &bought, run->history->purchases[i].row);
    run_stage(run, &bought, &looked);
    add_list(run, &store, AFF_NO_ROW, AFF_NO_ROW);
    run_stage(run, &store, &looked);
}
