/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/deltas.h"

#include "core/learn/baskets.h"
#include "core/learn/next.h"
#include "core/learn/pairs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One ordered pair of a side; `orders` gap buckets from `first_gap` on. */
struct sequence {
    int32_t a, b;
    uint32_t orders;
    int64_t weight;
    size_t first_gap;
};

/* The orders as they were, or as they are. */
struct side {
    struct aff_baskets *baskets;
    struct aff_pairs *pairs;
    struct aff_next *next;
    struct sequence *sequences; /* by a, b */
    uint8_t *gaps;
    size_t n_sequences, sequence_capacity, n_gaps, gap_capacity;
};

static void drop(struct side *side)
{
    aff_next_free(side->next);
    aff_pairs_free(side->pairs);
    aff_baskets_free(side->baskets);
    free(side->sequences);
    free(side->gaps);
}

void aff_deltas_done(struct aff_deltas *deltas)
{
    free(deltas->stats);
    free(deltas->pairs);
    free(deltas->nexts);
    free(deltas->gaps);
    free(deltas->next_stats);
    *deltas = (struct aff_deltas){0};
}

/* ---- counting one side ---- */

static aff_status add_contents(struct aff_baskets_builder *builder, const struct aff_changes *changes,
                               bool after, const struct aff_costs *costs, struct aff_error *reterr)
{
    for (uint32_t i = 0; i < changes->n; i++) {
        const struct aff_change *change = &changes->changes[i];
        const struct aff_change_content *content = after ? &change->after : &change->before;
        for (uint32_t j = 0; j < content->n; j++) {
            const struct aff_change_line *said = &changes->lines[content->first + j];
            struct aff_line line = {.order_key = change->order_key,
                                    .customer = content->customer,
                                    .at_us = content->at_us,
                                    .product = said->product,
                                    .discounted = said->discounted};
            aff_status status = AFF_LIMIT;
            if (aff_line_money(said, aff_costs_find(costs, said->product), &line.revenue, &line.margin))
                status = aff_baskets_builder_add(builder, &line);
            if (status != AFF_OK)
                return aff_error_set(reterr, status, "order key %" PRId64 ": %s", change->order_key,
                                     aff_status_text(status));
        }
    }
    return AFF_OK;
}

static aff_status take_sequences(void *context, int thread, uint32_t a, const struct aff_next_pair *pairs,
                                 uint32_t n)
{
    struct side *side = context;
    const int32_t *products = side->baskets->products;
    size_t gaps = 0;

    (void)thread;
    for (uint32_t i = 0; i < n; i++)
        gaps += pairs[i].orders;
    if (side->n_sequences + n > side->sequence_capacity) {
        size_t capacity = (side->n_sequences + n) * 2;
        struct sequence *bigger = realloc(side->sequences, capacity * sizeof *bigger);
        if (bigger == NULL)
            return AFF_NOMEM;
        side->sequences = bigger;
        side->sequence_capacity = capacity;
    }
    if (side->n_gaps + gaps > side->gap_capacity) {
        size_t capacity = (side->n_gaps + gaps) * 2;
        uint8_t *bigger = realloc(side->gaps, capacity);
        if (bigger == NULL)
            return AFF_NOMEM;
        side->gaps = bigger;
        side->gap_capacity = capacity;
    }
    for (uint32_t i = 0; i < n; i++) {
        side->sequences[side->n_sequences++] = (struct sequence){.a = products[a],
                                                                 .b = products[pairs[i].b],
                                                                 .orders = pairs[i].orders,
                                                                 .weight = pairs[i].weight,
                                                                 .first_gap = side->n_gaps};
        memcpy(side->gaps + side->n_gaps, pairs[i].gaps, pairs[i].orders);
        side->n_gaps += pairs[i].orders;
    }
    return AFF_OK;
}

static aff_status count(struct side *side, const struct aff_changes *changes,
                        const struct aff_changes *beside, bool after, const struct aff_costs *costs,
                        const struct aff_count_state *state, struct aff_error *reterr)
{
    struct aff_baskets_settings settings = {
        .window_us = INT64_MAX / 2, .half_life_s = state->half_life_s, .cap = state->cap};
    struct aff_baskets_builder *builder = NULL;
    aff_status status = aff_baskets_builder_new(&builder);

    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    status = add_contents(builder, changes, after, costs, reterr);
    if (status == AFF_OK)
        status = add_contents(builder, beside, after, costs, reterr);
    if (status == AFF_OK) {
        status = aff_baskets_builder_finish(builder, &settings, &side->baskets);
        if (status == AFF_OK) {
            aff_baskets_weigh(side->baskets, state);
            status = aff_pairs_count(side->baskets, 1, NULL, &side->pairs);
        }
        if (status == AFF_OK)
            status = aff_next_new(side->baskets, &side->next);
        if (status == AFF_OK)
            status = aff_next_count(side->next, 1, NULL, take_sequences, side);
        if (status != AFF_OK)
            (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
    aff_baskets_builder_free(builder);
    return status;
}

/* ---- taking the difference; two sorted sides are walked together ---- */

/* Which side has the lower key: below 0 `was`, above 0 `is`, 0 both have it. */
static int lower(bool has_was, int64_t was, bool has_is, int64_t is)
{
    if (!has_was || !has_is)
        return has_was ? -1 : 1;
    return was < is ? -1 : was > is;
}

static int64_t last_of(const struct aff_product_stat *stat)
{
    return stat == NULL || stat->orders == 0 ? INT64_MIN : stat->last_at_us;
}

static void put_stat(struct aff_deltas *deltas, const struct aff_product_stat *was,
                     const struct aff_product_stat *is)
{
    static const struct aff_product_stat nothing;
    const struct aff_product_stat *x = was == NULL ? &nothing : was, *y = is == NULL ? &nothing : is;
    struct aff_stat_delta delta = {.product = was == NULL ? is->product : was->product,
                                   .orders = (int32_t)(y->orders - x->orders),
                                   .discounted = (int32_t)(y->discounted - x->discounted),
                                   .weight = y->weight - x->weight,
                                   .revenue = y->revenue - x->revenue,
                                   .margin = y->margin - x->margin,
                                   .newest_us = last_of(is),
                                   .older_us = last_of(was)};

    if (delta.orders != 0 || delta.discounted != 0 || delta.weight != 0 || delta.revenue != 0 ||
        delta.margin != 0 || delta.newest_us != delta.older_us)
        deltas->stats[deltas->n_stats++] = delta;
}

static void put_next_stat(struct aff_deltas *deltas, int32_t product, const struct aff_next_stat *was,
                          const struct aff_next_stat *is)
{
    static const struct aff_next_stat nothing;
    const struct aff_next_stat *x = was == NULL ? &nothing : was, *y = is == NULL ? &nothing : is;
    struct aff_next_stat_delta delta = {.product = product,
                                        .firsts = (int32_t)(y->firsts - x->firsts),
                                        .seconds = (int32_t)(y->seconds - x->seconds),
                                        .firsts_weight = y->firsts_weight - x->firsts_weight};

    if (delta.firsts != 0 || delta.seconds != 0 || delta.firsts_weight != 0)
        deltas->next_stats[deltas->n_next_stats++] = delta;
}

static aff_status compare_products(const struct side *was, const struct side *is, struct aff_deltas *deltas)
{
    uint32_t n_was = was->baskets->n_products, n_is = is->baskets->n_products;
    size_t n = (size_t)n_was + n_is + 1;

    deltas->stats = malloc(n * sizeof *deltas->stats);
    deltas->next_stats = malloc(n * sizeof *deltas->next_stats);
    if (deltas->stats == NULL || deltas->next_stats == NULL)
        return AFF_NOMEM;
    for (uint32_t i = 0, j = 0; i < n_was || j < n_is;) {
        int side = lower(i < n_was, i < n_was ? was->baskets->products[i] : 0, j < n_is,
                         j < n_is ? is->baskets->products[j] : 0);
        bool has_was = side <= 0, has_is = side >= 0;
        int32_t product = has_was ? was->baskets->products[i] : is->baskets->products[j];
        put_stat(deltas, has_was ? &was->pairs->stats[i] : NULL, has_is ? &is->pairs->stats[j] : NULL);
        put_next_stat(deltas, product, has_was ? &was->next->stats[i] : NULL,
                      has_is ? &is->next->stats[j] : NULL);
        i += has_was;
        j += has_is;
    }
    return AFF_OK;
}

/* Walks the pairs of one side in order of their keys. */
struct pair_walk {
    const struct aff_pairs *pairs;
    uint32_t a, at;
};

static const struct aff_pair *look(struct pair_walk *walk, int32_t *ret_a, int32_t *ret_b)
{
    const struct aff_pairs *pairs = walk->pairs;

    while (walk->a < pairs->n_products && walk->at == pairs->rows[walk->a].n) {
        walk->a++;
        walk->at = 0;
    }
    if (walk->a == pairs->n_products)
        return NULL;
    const struct aff_pair_row *row = &pairs->rows[walk->a];
    *ret_a = pairs->stats[walk->a].product;
    *ret_b = pairs->stats[row->others[walk->at]].product;
    return &row->pairs[walk->at];
}

static int64_t pair_key(int32_t a, int32_t b)
{
    return (int64_t)a << 32 | (uint32_t)b; /* keys of products are not negative */
}

static void put_pair(struct aff_deltas *deltas, int32_t a, int32_t b, const struct aff_pair *was,
                     const struct aff_pair *is)
{
    static const struct aff_pair nothing;
    const struct aff_pair *x = was == NULL ? &nothing : was, *y = is == NULL ? &nothing : is;
    struct aff_pair_delta delta = {.a = a,
                                   .b = b,
                                   .orders = (int32_t)(y->orders - x->orders),
                                   .discounted = (int32_t)(y->discounted - x->discounted),
                                   .weight = y->weight - x->weight,
                                   .revenue_a = y->revenue_a - x->revenue_a,
                                   .revenue_b = y->revenue_b - x->revenue_b,
                                   .margin_a = y->margin_a - x->margin_a,
                                   .margin_b = y->margin_b - x->margin_b};

    if (delta.orders != 0 || delta.discounted != 0 || delta.weight != 0 || delta.revenue_a != 0 ||
        delta.revenue_b != 0 || delta.margin_a != 0 || delta.margin_b != 0)
        deltas->pairs[deltas->n_pairs++] = delta;
}

static aff_status compare_pairs(const struct side *was, const struct side *is, struct aff_deltas *deltas)
{
    struct pair_walk x = {.pairs = was->pairs}, y = {.pairs = is->pairs};
    uint64_t n = was->pairs->n_pairs + is->pairs->n_pairs;

    if (n > UINT32_MAX)
        return AFF_LIMIT;
    deltas->pairs = malloc((n + 1) * sizeof *deltas->pairs);
    if (deltas->pairs == NULL)
        return AFF_NOMEM;
    for (;;) {
        int32_t a = 0, b = 0, c = 0, d = 0;
        const struct aff_pair *p = look(&x, &a, &b), *q = look(&y, &c, &d);
        if (p == NULL && q == NULL)
            return AFF_OK;
        int side = lower(p != NULL, pair_key(a, b), q != NULL, pair_key(c, d));
        put_pair(deltas, side <= 0 ? a : c, side <= 0 ? b : d, side <= 0 ? p : NULL, side >= 0 ? q : NULL);
        x.at += side <= 0;
        y.at += side >= 0;
    }
}

/* Gap buckets ascend on both sides. */
static void put_gaps(struct aff_deltas *deltas, const struct side *was, const struct sequence *p,
                     const struct side *is, const struct sequence *q)
{
    uint32_t n_was = p == NULL ? 0 : p->orders, n_is = q == NULL ? 0 : q->orders;
    const uint8_t *x = p == NULL ? NULL : was->gaps + p->first_gap,
                  *y = q == NULL ? NULL : is->gaps + q->first_gap;

    for (uint32_t i = 0, j = 0; i < n_was || j < n_is;) {
        uint8_t bucket = i < n_was && (j == n_is || x[i] <= y[j]) ? x[i] : y[j];
        int32_t times = 0;
        for (; i < n_was && x[i] == bucket; i++)
            times--;
        for (; j < n_is && y[j] == bucket; j++)
            times++;
        if (times != 0)
            deltas->gaps[deltas->n_gaps++] = (struct aff_gap_delta){bucket, times};
    }
}

static void put_next(struct aff_deltas *deltas, const struct side *was, const struct sequence *p,
                     const struct side *is, const struct sequence *q)
{
    struct aff_next_delta delta = {.a = p == NULL ? q->a : p->a,
                                   .b = p == NULL ? q->b : p->b,
                                   .orders =
                                       (int32_t)((q == NULL ? 0 : q->orders) - (p == NULL ? 0 : p->orders)),
                                   .weight = (q == NULL ? 0 : q->weight) - (p == NULL ? 0 : p->weight),
                                   .first_gap = deltas->n_gaps};

    put_gaps(deltas, was, p, is, q);
    delta.n_gaps = deltas->n_gaps - delta.first_gap;
    if (delta.orders != 0 || delta.weight != 0 || delta.n_gaps > 0)
        deltas->nexts[deltas->n_nexts++] = delta;
}

static aff_status compare_sequences(const struct side *was, const struct side *is, struct aff_deltas *deltas)
{
    size_t n_gaps = was->n_gaps + is->n_gaps;

    if (n_gaps > UINT32_MAX)
        return AFF_LIMIT;
    deltas->nexts = malloc((was->n_sequences + is->n_sequences + 1) * sizeof *deltas->nexts);
    deltas->gaps = malloc((n_gaps + 1) * sizeof *deltas->gaps);
    if (deltas->nexts == NULL || deltas->gaps == NULL)
        return AFF_NOMEM;
    for (size_t i = 0, j = 0; i < was->n_sequences || j < is->n_sequences;) {
        const struct sequence *p = i < was->n_sequences ? &was->sequences[i] : NULL;
        const struct sequence *q = j < is->n_sequences ? &is->sequences[j] : NULL;
        int side = lower(p != NULL, p == NULL ? 0 : pair_key(p->a, p->b), q != NULL,
                         q == NULL ? 0 : pair_key(q->a, q->b));
        put_next(deltas, was, side <= 0 ? p : NULL, is, side >= 0 ? q : NULL);
        i += side <= 0;
        j += side >= 0;
    }
    return AFF_OK;
}

static void compare_totals(const struct side *was, const struct side *is, struct aff_deltas *deltas)
{
    const struct aff_baskets *x = was->baskets, *y = is->baskets;

    deltas->orders = (int64_t)y->n_baskets - x->n_baskets;
    deltas->lines = (int64_t)y->n_lines - x->n_lines;
    deltas->weight = y->weight - x->weight;
    deltas->next_orders = (int64_t)(is->next->consecutive - was->next->consecutive);
    deltas->truncated_orders = (int64_t)(y->truncated_orders - x->truncated_orders);
    deltas->truncated_lines = (int64_t)(y->truncated_lines - x->truncated_lines);
    deltas->from_us = y->n_baskets == 0 ? INT64_MIN : y->from_us;
    deltas->to_us = y->n_baskets == 0 ? INT64_MIN : y->to_us;
    deltas->earlier_from_us = x->n_baskets == 0 ? INT64_MIN : x->from_us;
    deltas->older_to_us = x->n_baskets == 0 ? INT64_MIN : x->to_us;
}

aff_status aff_deltas_make(const struct aff_changes *changes, const struct aff_changes *beside,
                           const struct aff_costs *costs, const struct aff_count_state *state,
                           struct aff_deltas *deltas, struct aff_error *reterr)
{
    struct side was = {0}, is = {0};
    aff_status status = count(&was, changes, beside, false, costs, state, reterr);

    if (status == AFF_OK)
        status = count(&is, changes, beside, true, costs, state, reterr);
    if (status == AFF_OK) {
        status = compare_products(&was, &is, deltas);
        if (status == AFF_OK)
            status = compare_pairs(&was, &is, deltas);
        if (status == AFF_OK)
            status = compare_sequences(&was, &is, deltas);
        if (status != AFF_OK)
            (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
    if (status == AFF_OK)
        compare_totals(&was, &is, deltas);
    drop(&was);
    drop(&is);
    return status;
}
