/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/next.h"

#include "baskets_of.h"
#include "core/learn/decay.h"
#include "core/learn/gap.h"
#include "core/learn/history.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DAY AFF_DAY_US

enum { PRODUCTS = 4, A = 0, B = 1, C = 2, D = 3 }; /* product keys 1 .. 4 */

/* Two customers with orders of one or two products; the landmark is day 100. */
static const struct aff_line lines[] = {
    {.order_key = 1, .customer = 7, .at_us = 10 * DAY, .product = 1},
    {.order_key = 2, .customer = 7, .at_us = 17 * DAY, .product = 1}, /* a again is no pair with itself */
    {.order_key = 2, .customer = 7, .at_us = 17 * DAY, .product = 2},
    {.order_key = 3, .customer = 7, .at_us = 17 * DAY, .product = 3}, /* same time: not one after the other */
    {.order_key = 4, .customer = 7, .at_us = 100 * DAY, .product = 4},
    {.order_key = 5, .customer = 9, .at_us = 20 * DAY, .product = 1},
    {.order_key = 6, .customer = 9, .at_us = 50 * DAY, .product = 2},
    {.order_key = 7, .customer = AFF_NO_CUSTOMER, .at_us = 60 * DAY, .product = 1},
    {.order_key = 8, .customer = AFF_NO_CUSTOMER, .at_us = 61 * DAY, .product = 4},
};

struct taken {
    struct {
        uint32_t orders;
        int64_t weight;
        double days;
    } pair[PRODUCTS][PRODUCTS];
    uint32_t n;
    const struct aff_next *next;
    struct aff_neighbour neighbours[PRODUCTS][PRODUCTS];
    struct aff_pair_counts counts[PRODUCTS][PRODUCTS];
    uint32_t kept[PRODUCTS];
};

static aff_status take(void *context, int thread, uint32_t a, const struct aff_next_pair *pairs, uint32_t n)
{
    struct taken *taken = context;
    const struct aff_next_row_settings settings = {.neighbours = PRODUCTS};

    (void)thread;
    for (uint32_t i = 0; i < n; i++) {
        assert_true(i == 0 || pairs[i - 1].b < pairs[i].b);
        taken->pair[a][pairs[i].b].orders = pairs[i].orders;
        taken->pair[a][pairs[i].b].weight = pairs[i].weight;
        taken->pair[a][pairs[i].b].days = aff_gap_median_of(pairs[i].gaps, pairs[i].orders);
    }
    taken->n += n;
    return aff_next_row(taken->next, a, pairs, n, &settings, taken->neighbours[a], taken->counts[a],
                        &taken->kept[a]);
}

static void what_follows_is_counted_in_order(void **state)
{
    (void)state;
    struct aff_baskets *baskets = baskets_of(lines, sizeof lines / sizeof *lines);
    struct aff_next *next = NULL;
    struct taken taken = {0};

    assert_int_equal(aff_next_new(baskets, &next), AFF_OK);
    taken.next = next;
    assert_int_equal(aff_next_count(next, 1, NULL, take, &taken), AFF_OK);

    assert_int_equal(next->consecutive, 3); /* 1-2, 3-4 and 5-6 */
    assert_int_equal(taken.n, 2);
    assert_int_equal(taken.pair[A][B].orders, 2);
    assert_int_equal(taken.pair[C][D].orders, 1);
    assert_int_equal(taken.pair[A][B].weight, baskets->weights[1] + baskets->weights[4]);
    assert_int_equal(taken.pair[C][D].weight, AFF_WEIGHT_ONE);
    assert_true(fabs(taken.pair[A][B].days - 7) < 0.6); /* 7 and 30 days */
    assert_true(fabs(taken.pair[C][D].days - 83) < 6);
    assert_int_equal(next->stats[A].firsts, 2);
    assert_int_equal(next->stats[A].seconds, 0);
    assert_int_equal(next->stats[B].firsts, 0); /* 2 and 3 have the same time */
    assert_int_equal(next->stats[B].seconds, 2);
    assert_int_equal(next->stats[D].seconds, 1);
    aff_next_free(next);
    aff_baskets_free(baskets);
}

static void rows_are_scored_by_shrunk_confidence(void **state)
{
    (void)state;
    struct aff_baskets *baskets = baskets_of(lines, sizeof lines / sizeof *lines);
    struct aff_next *next = NULL;
    struct taken taken = {0};

    assert_int_equal(aff_next_new(baskets, &next), AFF_OK);
    taken.next = next;
    assert_int_equal(aff_next_count(next, 2, NULL, take, &taken), AFF_OK);
    assert_int_equal(taken.kept[C], 1);
    assert_int_equal(taken.neighbours[C][0].row, D);
    assert_true(fabs((double)taken.neighbours[C][0].score - 1.0 / 6) < 1e-6); /* 1 / (1 + 5) */
    assert_int_equal(taken.counts[C][0].orders, 1);
    assert_true(fabs((double)taken.counts[C][0].gap_days - taken.pair[C][D].days) < 1e-3);
    aff_next_free(next);
    aff_baskets_free(baskets);
    aff_next_free(NULL);
}

struct histories {
    struct {
        uint32_t orders, n;
        int64_t last_at_us;
        int32_t products[PRODUCTS], counts[PRODUCTS];
        int64_t first[PRODUCTS], last[PRODUCTS];
    } of[2];
};

static aff_status take_history(void *context, int thread, const struct aff_customer_history *history)
{
    struct histories *histories = context;
    int at = history->customer == 7 ? 0 : 1;

    (void)thread;
    histories->of[at].orders = history->orders;
    histories->of[at].n = history->n;
    histories->of[at].last_at_us = history->last_at_us;
    memcpy(histories->of[at].products, history->products, history->n * sizeof *history->products);
    memcpy(histories->of[at].counts, history->counts, history->n * sizeof *history->counts);
    memcpy(histories->of[at].first, history->first_at_us, history->n * sizeof *history->first_at_us);
    memcpy(histories->of[at].last, history->last_at_us_of, history->n * sizeof *history->last_at_us_of);
    return AFF_OK;
}

static void history_lists_products_most_recent_first(void **state)
{
    (void)state;
    static const int32_t products[] = {4, 1, 2, 3}, counts[] = {1, 2, 1, 1};
    struct aff_baskets *baskets = baskets_of(lines, sizeof lines / sizeof *lines);
    struct histories histories = {0};

    assert_int_equal(aff_history_build(baskets, PRODUCTS, 2, NULL, take_history, &histories), AFF_OK);
    assert_int_equal(histories.of[0].orders, 4);
    assert_int_equal(histories.of[0].last_at_us, 100 * DAY);
    assert_int_equal(histories.of[0].n, 4);
    assert_memory_equal(histories.of[0].products, products, sizeof products);
    assert_memory_equal(histories.of[0].counts, counts, sizeof counts);
    assert_int_equal(histories.of[0].first[1], 10 * DAY);
    assert_int_equal(histories.of[0].last[1], 17 * DAY);
    assert_int_equal(histories.of[1].n, 2);

    assert_int_equal(aff_history_build(baskets, 2, 1, NULL, take_history, &histories), AFF_OK);
    assert_int_equal(histories.of[0].n, 2); /* the limit keeps the most recent */
    assert_int_equal(histories.of[0].products[1], 1);
    aff_baskets_free(baskets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_follows_is_counted_in_order),
        cmocka_unit_test(rows_are_scored_by_shrunk_confidence),
        cmocka_unit_test(history_lists_products_most_recent_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
