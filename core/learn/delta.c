/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/delta.h"

#include "core/learn/delta_side.h"

#include <stdlib.h>

/* ---- products ---- */

static const struct aff_product_stat no_stat;

static void add_product(struct aff_delta *delta, int32_t product, const struct aff_product_stat *before,
                        const struct aff_product_stat *after)
{
    struct aff_delta_product change = {
        .product = product,
        .orders = (int32_t)(after->orders - before->orders),
        .discounted = (int32_t)(after->discounted - before->discounted),
        .weight = after->weight - before->weight,
        .revenue = after->revenue - before->revenue,
        .margin = after->margin - before->margin,
        .newest_before_us = before->orders == 0 ? INT64_MIN : before->last_at_us,
        .newest_after_us = after->orders == 0 ? INT64_MIN : after->last_at_us,
    };

    if (change.orders != 0 || change.discounted != 0 || change.weight != 0 || change.revenue != 0 ||
        change.margin != 0 || change.newest_before_us != change.newest_after_us)
        delta->products[delta->n_products++] = change;
}

static aff_status merge_products(struct aff_delta *delta, const struct aff_delta_side *before,
                                 const struct aff_delta_side *after)
{
    size_t n_before = before->pairs->n_products, n_after = after->pairs->n_products, i = 0, j = 0;

    delta->products = malloc((n_before + n_after + 1) * sizeof *delta->products);
    if (delta->products == NULL)
        return AFF_NOMEM;
    while (i < n_before || j < n_after) {
        const struct aff_product_stat *x = i < n_before ? &before->pairs->stats[i] : NULL;
        const struct aff_product_stat *y = j < n_after ? &after->pairs->stats[j] : NULL;
        int32_t product = y == NULL || (x != NULL && x->product < y->product) ? x->product : y->product;
        bool has_x = x != NULL && x->product == product, has_y = y != NULL && y->product == product;
        add_product(delta, product, has_x ? x : &no_stat, has_y ? y : &no_stat);
        i += has_x;
        j += has_y;
    }
    return AFF_OK;
}

/* ---- pairs ---- */

/* Where the walk over the pairs of one side stands. */
struct place {
    const struct aff_pairs *pairs;
    uint32_t row, at;
};

/* Moves on to a pair that is there; false at the end. The key orders by a, then b. */
static bool pair_key(struct place *place, uint64_t *ret_key)
{
    const struct aff_pairs *pairs = place->pairs;

    while (place->row < pairs->n_products && place->at == pairs->rows[place->row].n) {
        place->row++;
        place->at = 0;
    }
    if (place->row == pairs->n_products)
        return false;
    uint32_t b = pairs->rows[place->row].others[place->at];
    *ret_key = (uint64_t)pairs->stats[place->row].product << 32 | (uint32_t)pairs->stats[b].product;
    return true;
}

static void add_pair(struct aff_delta *delta, uint64_t key, const struct aff_pair *before,
                     const struct aff_pair *after)
{
    struct aff_delta_pair change = {
        .a = (int32_t)(key >> 32),
        .b = (int32_t)(uint32_t)key,
        .orders = (int32_t)(after->orders - before->orders),
        .discounted = (int32_t)(after->discounted - before->discounted),
        .weight = after->weight - before->weight,
        .revenue_a = after->revenue_a - before->revenue_a,
        .revenue_b = after->revenue_b - before->revenue_b,
        .margin_a = after->margin_a - before->margin_a,
        .margin_b = after->margin_b - before->margin_b,
    };

    if (change.orders != 0 || change.discounted != 0 || change.weight != 0 || change.revenue_a != 0 ||
        change.revenue_b != 0 || change.margin_a != 0 || change.margin_b != 0)
        delta->pairs[delta->n_pairs++] = change;
}

static aff_status merge_pairs(struct aff_delta *delta, const struct aff_delta_side *before,
                              const struct aff_delta_side *after)
{
    static const struct aff_pair none;
    struct place x = {.pairs = before->pairs}, y = {.pairs = after->pairs};
    uint64_t x_key = 0, y_key = 0;

    delta->pairs = malloc((before->pairs->n_pairs + after->pairs->n_pairs + 1) * sizeof *delta->pairs);
    if (delta->pairs == NULL)
        return AFF_NOMEM;
    for (;;) {
        bool has_x = pair_key(&x, &x_key), has_y = pair_key(&y, &y_key);
        if (!has_x && !has_y)
            return AFF_OK;
        uint64_t key = !has_y || (has_x && x_key < y_key) ? x_key : y_key;
        has_x = has_x && x_key == key;
        has_y = has_y && y_key == key;
        add_pair(delta, key, has_x ? &x.pairs->rows[x.row].pairs[x.at] : &none,
                 has_y ? &y.pairs->rows[y.row].pairs[y.at] : &none);
        x.at += has_x;
        y.at += has_y;
    }
}

/* ---- next ---- */

/* Writes what changes between two ascending lists of buckets; returns how many buckets do. */
static uint32_t change_gaps(const uint8_t *before, uint32_t n_before, const uint8_t *after, uint32_t n_after,
                            struct aff_gap_change *ret_changes)
{
    uint32_t i = 0, j = 0, n = 0;

    while (i < n_before || j < n_after) {
        uint8_t bucket = j == n_after || (i < n_before && before[i] < after[j]) ? before[i] : after[j];
        int32_t by = 0;
        for (; i < n_before && before[i] == bucket; i++)
            by--;
        for (; j < n_after && after[j] == bucket; j++)
            by++;
        if (by != 0)
            ret_changes[n++] = (struct aff_gap_change){bucket, by};
    }
    return n;
}

static aff_status merge_next(struct aff_delta *delta, const struct aff_delta_side *before,
                             const struct aff_delta_side *after)
{
    static const struct aff_delta_follow none;
    size_t i = 0, j = 0, n_gaps = 0;

    delta->next = malloc((before->n_follows + after->n_follows + 1) * sizeof *delta->next);
    delta->gaps = malloc((before->n_gaps + after->n_gaps + 1) * sizeof *delta->gaps);
    if (delta->next == NULL || delta->gaps == NULL)
        return AFF_NOMEM;
    while (i < before->n_follows || j < after->n_follows) {
        const struct aff_delta_follow *x = i < before->n_follows ? &before->follows[i] : NULL;
        const struct aff_delta_follow *y = j < after->n_follows ? &after->follows[j] : NULL;
        uint64_t key = y == NULL || (x != NULL && x->key < y->key) ? x->key : y->key;
        x = x != NULL && x->key == key ? x : &none;
        y = y != NULL && y->key == key ? y : &none;
        i += x != &none;
        j += y != &none;
        struct aff_delta_next change = {.a = (int32_t)(key >> 32),
                                        .b = (int32_t)(uint32_t)key,
                                        .orders = (int32_t)(y->orders - x->orders),
                                        .weight = y->weight - x->weight,
                                        .gaps = delta->gaps + n_gaps};
        change.n_gaps = change_gaps(before->gaps + x->gaps, x->orders, after->gaps + y->gaps, y->orders,
                                    delta->gaps + n_gaps);
        n_gaps += change.n_gaps;
        if (change.orders != 0 || change.weight != 0 || change.n_gaps != 0)
            delta->next[delta->n_next++] = change;
    }
    return AFF_OK;
}

static aff_status merge_next_stats(struct aff_delta *delta, const struct aff_delta_side *before,
                                   const struct aff_delta_side *after)
{
    static const struct aff_next_stat none;
    const struct aff_baskets *x = before->baskets, *y = after->baskets;
    uint32_t i = 0, j = 0;

    delta->next_stats = malloc(((size_t)x->n_products + y->n_products + 1) * sizeof *delta->next_stats);
    if (delta->next_stats == NULL)
        return AFF_NOMEM;
    while (i < x->n_products || j < y->n_products) {
        bool has_x = i < x->n_products, has_y = j < y->n_products;
        int32_t product =
            !has_y || (has_x && x->products[i] < y->products[j]) ? x->products[i] : y->products[j];
        has_x = has_x && x->products[i] == product;
        has_y = has_y && y->products[j] == product;
        const struct aff_next_stat *old = has_x ? &before->next->stats[i] : &none;
        const struct aff_next_stat *new = has_y ? &after->next->stats[j] : &none;
        struct aff_delta_next_stat change = {product, (int32_t)(new->firsts - old->firsts),
                                             (int32_t)(new->seconds - old->seconds),
                                             new->firsts_weight - old->firsts_weight};
        i += has_x;
        j += has_y;
        if (change.firsts != 0 || change.seconds != 0 || change.firsts_weight != 0)
            delta->next_stats[delta->n_next_stats++] = change;
    }
    return AFF_OK;
}

/* ---- months ---- */

static void add_months(struct aff_delta *delta, int32_t product, struct aff_month_row before,
                       struct aff_month_row after)
{
    uint32_t i = 0, j = 0;

    while (i < before.n || j < after.n) {
        int16_t month = j == after.n || (i < before.n && before.months[i] < after.months[j])
                            ? before.months[i]
                            : after.months[j];
        int32_t orders = 0;
        if (i < before.n && before.months[i] == month)
            orders -= before.orders[i++];
        if (j < after.n && after.months[j] == month)
            orders += after.orders[j++];
        if (orders != 0)
            delta->months[delta->n_months++] = (struct aff_delta_month){product, orders, month};
    }
}

/* No list of months is longer than the list of baskets that it counts. */
static size_t most_months(const struct aff_baskets *baskets)
{
    return (size_t)baskets->n_baskets + baskets->n_lines;
}

static aff_status merge_months(struct aff_delta *delta, const struct aff_delta_side *before,
                               const struct aff_delta_side *after)
{
    static const struct aff_month_row none;
    const struct aff_baskets *x = before->baskets, *y = after->baskets;
    const struct aff_months *old = before->pairs->months, *new = after->pairs->months;
    uint32_t i = 0, j = 0;

    delta->months = malloc((most_months(x) + most_months(y) + 1) * sizeof *delta->months);
    if (delta->months == NULL)
        return AFF_NOMEM;
    add_months(delta, AFF_EVERY_PRODUCT, aff_months_all(old), aff_months_all(new));
    while (i < x->n_products || j < y->n_products) {
        bool has_x = i < x->n_products, has_y = j < y->n_products;
        int32_t product =
            !has_y || (has_x && x->products[i] < y->products[j]) ? x->products[i] : y->products[j];
        has_x = has_x && x->products[i] == product;
        has_y = has_y && y->products[j] == product;
        add_months(delta, product, has_x ? aff_months_row(old, i) : none,
                   has_y ? aff_months_row(new, j) : none);
        i += has_x;
        j += has_y;
    }
    return AFF_OK;
}

/* ---- the rest ---- */

static aff_status merge_customers(struct aff_delta *delta, const struct aff_baskets *before,
                                  const struct aff_baskets *after)
{
    uint32_t i = 0, j = 0;

    delta->customers =
        malloc(((size_t)before->n_customers + after->n_customers + 1) * sizeof *delta->customers);
    if (delta->customers == NULL)
        return AFF_NOMEM;
    while (i < before->n_customers || j < after->n_customers) {
        bool takes_old = j == after->n_customers ||
                         (i < before->n_customers && before->customers[i] < after->customers[j]);
        int64_t customer = takes_old ? before->customers[i] : after->customers[j];
        i += i < before->n_customers && before->customers[i] == customer;
        j += j < after->n_customers && after->customers[j] == customer;
        delta->customers[delta->n_customers++] = customer;
    }
    return AFF_OK;
}

static void subtract_totals(struct aff_delta *delta, const struct aff_delta_side *before,
                            const struct aff_delta_side *after)
{
    const struct aff_baskets *x = before->baskets, *y = after->baskets;

    delta->orders = (int64_t)y->n_baskets - x->n_baskets;
    delta->lines = (int64_t)y->n_lines - x->n_lines;
    delta->weight = y->weight - x->weight;
    delta->next_orders = (int64_t)(after->next->consecutive - before->next->consecutive);
    delta->truncated_orders = (int64_t)(y->truncated_orders - x->truncated_orders);
    delta->truncated_lines = (int64_t)(y->truncated_lines - x->truncated_lines);
    if (y->n_baskets > 0) {
        delta->from_us = y->at_us[0];
        delta->to_us = y->at_us[y->n_baskets - 1];
    }
}

static aff_status merge(struct aff_delta *delta, const struct aff_delta_side *before,
                        const struct aff_delta_side *after)
{
    aff_status status = merge_products(delta, before, after);

    if (status == AFF_OK)
        status = merge_pairs(delta, before, after);
    if (status == AFF_OK)
        status = merge_next(delta, before, after);
    if (status == AFF_OK)
        status = merge_next_stats(delta, before, after);
    if (status == AFF_OK)
        status = merge_months(delta, before, after);
    if (status == AFF_OK)
        status = merge_customers(delta, before->baskets, after->baskets);
    if (status == AFF_OK)
        subtract_totals(delta, before, after);
    return status;
}

aff_status aff_delta_build(const struct aff_delta_settings *settings, const struct aff_line *before,
                           size_t n_before, const struct aff_line *after, size_t n_after,
                           struct aff_delta **ret_delta)
{
    struct aff_delta_side old = {0}, new = {0};
    struct aff_delta *delta = calloc(1, sizeof *delta);
    aff_status status = delta == NULL ? AFF_NOMEM : aff_delta_side_count(settings, before, n_before, &old);

    if (status == AFF_OK)
        status = aff_delta_side_count(settings, after, n_after, &new);
    if (status == AFF_OK)
        status = merge(delta, &old, &new);
    aff_delta_side_done(&old);
    aff_delta_side_done(&new);
    if (status != AFF_OK) {
        aff_delta_free(delta);
        return status;
    }
    *ret_delta = delta;
    return AFF_OK;
}

void aff_delta_free(struct aff_delta *delta)
{
    if (delta == NULL)
        return;
    free(delta->products);
    free(delta->pairs);
    free(delta->next);
    free(delta->next_stats);
    free(delta->months);
    free(delta->customers);
    free(delta->gaps);
    free(delta);
}
