/* SPDX-License-Identifier: Apache-2.0 */
/* aff_recommend against the naive recommender. Random models and requests from a fixed seed; a failure prints
 * the request's number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "naive_recommend.h"
#include "random_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MODELS = 200, REQUESTS = 60 };

/* What holds for each answer whatever was asked. */
static void check_always(const struct reference *reference, const struct aff_answer *answer)
{
    uint32_t sum = answer->n_items;

    for (int drop = 0; drop < AFF_DROP_MAX; drop++)
        sum += answer->dropped[drop];
    assert_int_equal(answer->candidates, sum);
    assert_true(answer->n_items <= reference->request->limit);
    assert_int_equal(answer->short_reason == AFF_SHORT_NONE, answer->n_items == reference->request->limit);
    for (uint32_t i = 0; i < answer->n_items; i++) {
        const struct aff_item *item = &answer->items[i];
        const struct aff_product *product = record(reference, item->row);
        assert_true(i == 0 || item->score <= answer->items[i - 1].score);
        for (uint32_t j = 0; j < i; j++)
            assert_int_not_equal(item->row, answer->items[j].row);
        if (reference->request->as == AFF_AS_VIEWS)
            assert_int_not_equal(item->row, reference->product);
        else
            assert_false(among(reference->bases, reference->n_given, item->row));
        assert_false(is_excluded(reference, product->id));
        assert_true(product->available && product->stock != 0 && product->price != AFF_NO_MONEY);
        assert_false(product->durable && purchase_of(reference, item->row) != NULL);
        assert_true(filters_hold(reference->request, product));
        assert_true(kinds(reference) >> item->kind & 1);
        assert_int_equal(judge(reference, item->row), AFF_DROP_LIMIT);
    }
}

/* The terms add up to the score, in falling order. */
static void check_terms(const struct reference *reference, const struct aff_item *item)
{
    double sum = 0;

    if (reference->request->explain != AFF_EXPLAIN_FULL) {
        assert_int_equal(item->n_terms, 0);
        return;
    }
    for (uint32_t i = 0; i < item->n_terms; i++) {
        double size = item->terms[i].weight * item->terms[i].value;
        assert_true(i == 0 || size <= item->terms[i - 1].weight * item->terms[i - 1].value);
        sum += size;
    }
    if (item->n_terms_dropped == 0)
        assert_true(fabs(sum - (double)item->score) < 1e-5);
}

static void check_evidence(const struct reference *reference, const struct aff_item *item)
{
    const struct aff_model *model = reference->model;

    if (reference->request->explain == AFF_EXPLAIN_NONE) {
        assert_null(item->evidence);
        return;
    }
    if (item->via_relation == 0 || item->origin == AFF_ORIGIN_CONTENT) {
        assert_null(item->evidence);
        return;
    }
    const struct aff_row *row = aff_neighbours_row(
        item->via_relation == AFF_RELATION_TOGETHER ? model->together : model->next, item->via);
    int entry = entry_of(row, item->row);
    assert_true(entry >= 0);
    assert_ptr_equal(item->evidence, &aff_row_counts(row)[entry]);
}

/* The speaker is the base with the largest share; substitutes and purchases speak for themselves. */
static void check_voice(const struct reference *reference, const struct aff_item *item)
{
    const struct verdict *verdict = &reference->verdicts[item->row];

    assert_int_equal(item->kind, verdict->substitute ? AFF_KIND_SUBSTITUTE
                                 : verdict->bought   ? AFF_KIND_REPLENISH
                                                     : AFF_KIND_CROSS_SELL);
    if (verdict->substitute)
        assert_true(item->origin == AFF_ORIGIN_CONTENT && item->via_relation == 0);
    if (verdict->by_likeness)
        assert_true(item->origin == AFF_ORIGIN_CONTENT && item->via_relation == 0 &&
                    item->via == verdict->lender);
    if (item->origin == AFF_ORIGIN_NEIGHBOURS)
        assert_true((verdict->bought && item->via == item->row) ||
                    (verdict->by_history && item->via == reference->history->purchases[0].row));
    if (item->via_relation == AFF_RELATION_TOGETHER) {
        float largest = -INFINITY;
        uint32_t via = AFF_NO_ROW;
        enum aff_origin origin = AFF_ORIGIN_MAX;
        for (uint32_t i = 0; i < reference->n_bases; i++) {
            const struct aff_row *row = aff_neighbours_row(reference->model->together, reference->bases[i]);
            int entry = entry_of(row, item->row);
            if (entry >= 0 && reference->base_weights[i] * row->entries[entry].score > largest) {
                largest = reference->base_weights[i] * row->entries[entry].score;
                via = reference->bases[reference->of[i]];
                origin = i < reference->n_given ? AFF_ORIGIN_AFFINITY : AFF_ORIGIN_CONTENT;
            }
        }
        assert_int_equal(item->via, via);
        assert_int_equal(item->origin, origin);
    }
}

static float alike(const struct aff_product *a, const struct aff_product *b)
{
    bool brand = a->brand.size > 0 && aff_text_equal(a->brand, b->brand);

    return 0.5f * common_path(a->category, b->category) + (brand ? 0.25f : 0) +
           (same_price(a, b) ? 0.25f : 0);
}

/* The set that greedy maximal marginal relevance takes from the first 4 * limit. */
static void check_diversity(const struct reference *reference, const struct aff_answer *answer, uint32_t n)
{
    const float diversity = (float)reference->request->diversity;
    const uint32_t most = 4 * reference->request->limit;
    const uint32_t n_pool = reference->n_live < most ? reference->n_live : most;
    const float best_score = n_pool > 0 ? reference->verdicts[reference->order[0]].score : 0;
    bool chosen[MOST_PRODUCTS] = {false};

    if (n_pool <= n || best_score <= 0)
        return;
    for (uint32_t taken = 0; taken < n; taken++) {
        float best_value = -INFINITY;
        uint32_t best = 0;
        for (uint32_t i = 0; i < n_pool; i++) {
            float nearest = 0;
            for (uint32_t j = 0; j < n_pool; j++)
                if (chosen[j])
                    nearest = fmaxf(nearest, alike(record(reference, reference->order[i]),
                                                   record(reference, reference->order[j])));
            float relevance = reference->verdicts[reference->order[i]].score / best_score;
            float value = (1 - diversity) * relevance - diversity * nearest;
            if (!chosen[i] && value > best_value) {
                best_value = value;
                best = i;
            }
        }
        chosen[best] = true;
    }
    for (uint32_t i = 0, at = 0; i < n_pool; i++)
        if (chosen[i])
            assert_int_equal(answer->items[at++].row, reference->order[i]);
}

/* Items that the sources gave, against the reference's order. Returns how many they are. */
static uint32_t check_ranking(const struct reference *reference, const struct aff_answer *answer)
{
    const struct aff_request *request = reference->request;
    uint32_t n = reference->n_live < request->limit ? reference->n_live : request->limit;

    assert_true(answer->n_items >= n);
    for (uint32_t i = 0; i < n; i++) {
        const struct aff_item *item = &answer->items[i];
        float expected = reference->verdicts[item->row].score;
        assert_true(reference->verdicts[item->row].named);
        assert_true(item->score == expected);
        if (request->diversity <= 0)
            assert_int_equal(item->row, reference->order[i]);
        check_terms(reference, item);
        check_evidence(reference, item);
        check_voice(reference, item);
    }
    if (request->diversity > 0)
        check_diversity(reference, answer, n);
    return n;
}

/* Of popular products of one category, what counts as less popular comes later. */
static void check_popular(const struct reference *reference, const struct aff_answer *answer, uint32_t from,
                          uint32_t at)
{
    const float *popularity = aff_catalogue_popularity(reference->model->catalogue);
    const uint32_t row = answer->items[at].row;

    for (uint32_t i = from; i < at; i++) {
        const uint32_t other = answer->items[i].row;
        if (aff_text_equal(record(reference, row)->category, record(reference, other)->category))
            assert_true(popularity[other] * (1 - discount(reference, other)) >=
                        popularity[row] * (1 - discount(reference, row)) - 1e-6F);
    }
}

static void check_fallback(const struct reference *reference, const struct aff_answer *answer, uint32_t from)
{
    for (uint32_t i = from; i < answer->n_items; i++) {
        assert_int_equal(answer->items[i].origin, AFF_ORIGIN_POPULAR);
        assert_false(reference->verdicts[answer->items[i].row].named);
        check_terms(reference, &answer->items[i]);
        check_popular(reference, answer, from, i);
        if (i == from && i > 0 && answer->items[i - 1].score > 0)
            assert_true(answer->items[i].score < answer->items[i - 1].score);
    }
    bool allowed = !reference->request->strict && !has_floors(reference) &&
                   (kinds(reference) >> AFF_KIND_CROSS_SELL & 1) != 0;
    if (!allowed)
        assert_int_equal(answer->n_items, from);
    if (!allowed || from == reference->request->limit) {
        for (int drop = 0; drop < AFF_DROP_DIVERSITY; drop++)
            assert_int_equal(answer->dropped[drop], reference->dropped[drop]);
        assert_int_equal(answer->dropped[AFF_DROP_LIMIT] + answer->dropped[AFF_DROP_DIVERSITY],
                         reference->n_live - from);
        assert_int_equal(answer->candidates, reference->candidates);
    } else if (answer->n_items < reference->request->limit) {
        /* All popular products that may be offered were taken. */
        for (uint32_t row = 0; row < reference->n; row++) {
            if (record(reference, row)->orders == 0 || judge(reference, row) != AFF_DROP_LIMIT)
                continue;
            bool offered = false;
            for (uint32_t i = 0; i < answer->n_items; i++)
                offered = offered || answer->items[i].row == row;
            assert_true(offered);
        }
    }
}

static void check_why_not(const struct reference *reference, const struct aff_answer *answer)
{
    uint32_t row = find(reference, reference->request->why_not);

    if (reference->request->why_not.size == 0) {
        assert_int_equal(answer->why_not, AFF_FATE_NOT_ASKED);
        return;
    }
    if (row == AFF_NO_ROW) {
        assert_int_equal(answer->why_not, AFF_FATE_UNKNOWN);
        return;
    }
    for (uint32_t i = 0; i < answer->n_items; i++) {
        if (answer->items[i].row == row) {
            assert_int_equal(answer->why_not, AFF_FATE_OFFERED);
            return;
        }
    }
    const struct verdict *verdict = &reference->verdicts[row];
    if (!verdict->named && answer->candidates == reference->candidates)
        assert_int_equal(answer->why_not, AFF_FATE_NO_CANDIDATE);
    if (answer->why_not == AFF_FATE_DROPPED && answer->why_not_drop != AFF_DROP_DIVERSITY)
        assert_int_equal(answer->why_not_drop, judge(reference, row));
    if (verdict->named)
        assert_int_equal(answer->why_not, AFF_FATE_DROPPED);
}

static void check_unknown(const struct reference *reference, const struct aff_answer *answer)
{
    const struct aff_request *request = reference->request;
    uint32_t n = 0;

    for (uint32_t i = 0; i < answer->n_unknown; i++) {
        assert_int_equal(find(reference, answer->unknown[i]), AFF_NO_ROW);
        for (uint32_t j = 0; j < i; j++)
            assert_false(aff_text_equal(answer->unknown[i], answer->unknown[j]));
    }
    for (size_t i = 0; i < request->n_cart; i++)
        n += find(reference, request->cart[i].product) == AFF_NO_ROW;
    assert_true(n == 0 || answer->n_unknown > 0);
    assert_int_equal(answer->customer_known, reference->history != NULL);
}

static struct aff_blend random_blend(struct aff_random *random)
{
    struct aff_blend blend = aff_blend_default();

    for (int i = 0; i < AFF_SITUATION_MAX; i++) {
        struct aff_weights *weights = &blend.of[i];
        if (aff_random_below(random, 2) == 0)
            weights->sequence = aff_random_unit(random);
        if (aff_random_below(random, 3) == 0)
            weights->popularity = aff_random_unit(random);
        if (aff_random_below(random, 5) == 0)
            weights->affinity = 0;
        for (int t = 0; t < AFF_TRACE_MAX; t++) {
            if (aff_random_below(random, 2) == 0)
                weights->traces[t] = 0;
            else if (aff_random_below(random, 2) == 0)
                weights->traces[t] = aff_random_unit(random);
        }
        if (aff_random_below(random, 2) == 0)
            weights->half_life_days = 1 + 300 * aff_random_unit(random);
        if (aff_random_below(random, 2) == 0)
            weights->cart_lines = 0.5 + 20 * aff_random_unit(random);
        if (aff_random_below(random, 2) == 0)
            weights->alike_views = 0.1 + 4 * aff_random_unit(random);
    }
    if (aff_random_below(random, 3) == 0)
        blend.content = aff_random_unit(random);
    if (aff_random_below(random, 3) == 0)
        blend.content_below_orders = (uint32_t)aff_random_below(random, 30);
    if (aff_random_below(random, 3) == 0)
        blend.impressions = aff_random_below(random, 3) == 0 ? 1 : aff_random_unit(random);
    return blend;
}

/* Model and request that are being checked, for the teardown to tell which one failed. */
static uint32_t progress[2];

static int tell_progress(void **state)
{
    (void)state;
    print_message("at request %u of model %u of the seed\n", (unsigned)progress[1], (unsigned)progress[0]);
    return 0;
}

static void random_requests_equal_the_naive_reference(void **state)
{
    struct aff_random random = {.state = 20261};
    struct aff_answer *answer = malloc(sizeof *answer);
    struct aff_answer *again = malloc(sizeof *again);
    struct reference *reference = malloc(sizeof *reference);
    struct random_request *request = malloc(sizeof *request);
    struct aff_workspace *workspace;

    (void)state;
    assert_true(answer != NULL && again != NULL && reference != NULL && request != NULL);
    assert_int_equal(aff_workspace_new(&workspace), AFF_OK);
    for (uint32_t m = 0; m < MODELS; m++) {
        uint32_t n_products = 5 + (uint32_t)aff_random_below(&random, MOST_PRODUCTS - 5);
        struct aff_model *model = store_model(&random, n_products, 12);
        if (m % 4 != 0)
            store_traces(&random, model);
        for (uint32_t r = 0; r < REQUESTS; r++) {
            struct aff_blend blend = random_blend(&random);
            store_request(&random, n_products, 12, request);
            store_request_of_session(&random, n_products, request);
            *reference = (struct reference){
                .model = model, .request = &request->request, .blend = &blend, .n = n_products};
            progress[0] = m;
            progress[1] = r;
            run_reference(reference);
            assert_int_equal(aff_recommend(model, &blend, workspace, &request->request, answer), AFF_OK);
            check_always(reference, answer);
            check_fallback(reference, answer, check_ranking(reference, answer));
            check_why_not(reference, answer);
            check_unknown(reference, answer);
            assert_int_equal(aff_recommend(model, &blend, workspace, &request->request, again), AFF_OK);
            assert_int_equal(again->n_items, answer->n_items);
            for (uint32_t i = 0; i < answer->n_items; i++)
                assert_int_equal(again->items[i].row, answer->items[i].row);
        }
        aff_model_free(model);
    }
    aff_workspace_free(workspace);
    free(request);
    free(reference);
    free(again);
    free(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(random_requests_equal_the_naive_reference, tell_progress),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
