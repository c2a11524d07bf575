/* SPDX-License-Identifier: Apache-2.0 */
/* Pair counts of random shops against double loops over their orders; and the same shop with its lines
 * shuffled. */
#include "baskets_of.h"
#include "core/base/random.h"
#include "core/learn/decay.h"
#include "core/learn/gap.h"
#include "core/learn/next.h"
#include "core/learn/pairs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 300, MOST_LINES = 200, MOST_ORDERS = 40, PRODUCTS = 12 };

/* A shop as a plain table: what each order holds of each product. */
struct order {
    bool there, counts;
    int64_t at_us, customer, key;
    bool holds[PRODUCTS], discounted[PRODUCTS];
    int64_t revenue[PRODUCTS], margin[PRODUCTS];
    uint32_t size;
    int64_t weight;
};

struct shop {
    struct aff_line lines[MOST_LINES];
    size_t n;
    struct aff_baskets_settings settings;
    struct order orders[MOST_ORDERS];
};

static void note(struct shop *shop, const struct aff_line *line)
{
    struct order *order = &shop->orders[line->order_key];
    uint32_t p = (uint32_t)line->product;

    order->there = true;
    order->at_us = line->at_us;
    order->customer = line->customer;
    order->key = line->order_key;
    order->holds[p] = true;
    order->discounted[p] |= line->discounted;
    order->revenue[p] += line->revenue;
    order->margin[p] += line->margin;
}

/* Drops all but the dearest products of an order; among equals the lower stays. */
static void cap(struct order *order, uint32_t most)
{
    for (;;) {
        int worst = -1;
        order->size = 0;
        for (int p = 0; p < PRODUCTS; p++) {
            order->size += order->holds[p];
            if (order->holds[p] && (worst < 0 || order->revenue[p] <= order->revenue[worst]))
                worst = p;
        }
        if (order->size <= most)
            return;
        order->holds[worst] = false;
    }
}

static void random_shop(struct aff_random *random, struct shop *shop)
{
    memset(shop, 0, sizeof *shop);
    shop->n = aff_random_below(random, MOST_LINES + 1);
    shop->settings =
        (struct aff_baskets_settings){.window_us = (int64_t)(1 + aff_random_below(random, 60)) * AFF_DAY_US,
                                      .half_life_s = (int64_t)(1 + aff_random_below(random, 90)) * 86400,
                                      .cap = (uint32_t)(2 + aff_random_below(random, PRODUCTS))};
    int64_t newest_us = 0;
    for (size_t i = 0; i < shop->n; i++) {
        int64_t key = (int64_t)aff_random_below(random, MOST_ORDERS);
        /* Time and customer follow from the order; many orders share a time. */
        shop->lines[i] = (struct aff_line){.order_key = key,
                                           .customer = key % 7 == 0 ? AFF_NO_CUSTOMER : key % 5,
                                           .at_us = (key * key % 40) * AFF_DAY_US,
                                           .product = (int32_t)aff_random_below(random, PRODUCTS),
                                           .revenue = (int64_t)aff_random_below(random, 6),
                                           .margin = (int64_t)aff_random_below(random, 9) - 4,
                                           .discounted = aff_random_below(random, 5) == 0};
        note(shop, &shop->lines[i]);
        if (shop->lines[i].at_us > newest_us)
            newest_us = shop->lines[i].at_us;
    }
    const struct aff_decay decay = {newest_us, shop->settings.half_life_s};
    for (int o = 0; o < MOST_ORDERS; o++) {
        struct order *order = &shop->orders[o];
        order->counts = order->there && order->at_us >= newest_us - shop->settings.window_us;
        if (!order->there)
            continue;
        cap(order, shop->settings.cap);
        order->weight = aff_decay_weight(&decay, order->at_us, order->size);
    }
}

static struct aff_pair naive_pair(const struct shop *shop, int a, int b)
{
    struct aff_pair pair = {0};

    for (int o = 0; o < MOST_ORDERS; o++) {
        const struct order *order = &shop->orders[o];
        if (!order->counts || !order->holds[a] || !order->holds[b])
            continue;
        pair.orders++;
        pair.discounted += order->discounted[a] || order->discounted[b];
        pair.weight += order->weight;
        pair.revenue_a += order->revenue[a];
        pair.revenue_b += order->revenue[b];
        pair.margin_a += order->margin[a];
        pair.margin_b += order->margin[b];
    }
    return pair;
}

static void assert_same_pair(const struct aff_pair *actual, const struct aff_pair *expected)
{
    assert_int_equal(actual->orders, expected->orders);
    assert_int_equal(actual->discounted, expected->discounted);
    assert_int_equal(actual->weight, expected->weight);
    assert_int_equal(actual->revenue_a, expected->revenue_a);
    assert_int_equal(actual->revenue_b, expected->revenue_b);
    assert_int_equal(actual->margin_a, expected->margin_a);
    assert_int_equal(actual->margin_b, expected->margin_b);
}

static void pairs_equal_a_double_loop_over_the_orders(void **state)
{
    (void)state;
    static struct shop shop;
    struct aff_random random = {31};

    for (int round = 0; round < ROUNDS; round++) {
        struct aff_pairs *pairs = NULL;
        uint64_t n_pairs = 0;
        random_shop(&random, &shop);
        struct aff_baskets *baskets = baskets_with(shop.lines, shop.n, shop.settings);
        assert_int_equal(aff_pairs_count(baskets, 1 + round % 3, NULL, &pairs), AFF_OK);
        for (int a = 0; a < PRODUCTS; a++)
            for (int b = a + 1; b < PRODUCTS; b++) {
                struct aff_pair expected = naive_pair(&shop, a, b);
                uint32_t x = aff_pairs_row_of(pairs, a), y = aff_pairs_row_of(pairs, b);
                const struct aff_pair *actual =
                    x == UINT32_MAX || y == UINT32_MAX ? NULL : aff_pairs_find(pairs, x, y);
                assert_true((actual != NULL) == (expected.orders > 0));
                if (actual != NULL)
                    assert_same_pair(actual, &expected);
                n_pairs += expected.orders > 0;
            }
        assert_int_equal(pairs->n_pairs, n_pairs);
        aff_pairs_free(pairs);
        aff_baskets_free(baskets);
    }
}

struct next_table {
    const struct aff_baskets *baskets;
    uint32_t orders[PRODUCTS][PRODUCTS];
    int64_t weight[PRODUCTS][PRODUCTS];
    uint32_t gaps[PRODUCTS][PRODUCTS][AFF_GAP_BUCKETS];
};

static aff_status take(void *context, int thread, uint32_t a, const struct aff_next_pair *pairs, uint32_t n)
{
    struct next_table *table = context;
    int32_t from = table->baskets->products[a];

    (void)thread;
    for (uint32_t i = 0; i < n; i++) {
        int32_t to = table->baskets->products[pairs[i].b];
        table->orders[from][to] += pairs[i].orders;
        table->weight[from][to] += pairs[i].weight;
        for (uint32_t j = 0; j < pairs[i].orders; j++) {
            assert_true(j == 0 || pairs[i].gaps[j - 1] <= pairs[i].gaps[j]);
            table->gaps[from][to][pairs[i].gaps[j]]++;
        }
    }
    return AFF_OK;
}

/* The order of the same customer that follows directly, by time and then key; NULL if there is none or it has
 * the same time. */
static const struct order *follower(const struct shop *shop, const struct order *first)
{
    const struct order *next = NULL;

    if (first->customer == AFF_NO_CUSTOMER)
        return NULL;
    for (int o = 0; o < MOST_ORDERS; o++) {
        const struct order *order = &shop->orders[o];
        if (!order->counts || order->customer != first->customer || order->at_us < first->at_us ||
            (order->at_us == first->at_us && order->key <= first->key))
            continue;
        if (next == NULL || order->at_us < next->at_us ||
            (order->at_us == next->at_us && order->key < next->key))
            next = order;
    }
    return next == NULL || next->at_us == first->at_us ? NULL : next;
}

static void naive_next(const struct shop *shop, struct next_table *table)
{
    for (int o = 0; o < MOST_ORDERS; o++) {
        const struct order *first = &shop->orders[o];
        const struct order *second = first->counts ? follower(shop, first) : NULL;
        for (int a = 0; second != NULL && a < PRODUCTS; a++)
            for (int b = 0; b < PRODUCTS; b++)
                if (first->holds[a] && second->holds[b] && !first->holds[b]) {
                    table->orders[a][b]++;
                    table->weight[a][b] += second->weight;
                    table->gaps[a][b][aff_gap_bucket(second->at_us - first->at_us)]++;
                }
    }
}

static void next_equals_a_loop_over_followers(void **state)
{
    (void)state;
    static struct shop shop;
    static struct next_table actual, expected;
    struct aff_random random = {32};

    for (int round = 0; round < ROUNDS; round++) {
        struct aff_next *next = NULL;
        random_shop(&random, &shop);
        struct aff_baskets *baskets = baskets_with(shop.lines, shop.n, shop.settings);
        memset(&actual, 0, sizeof actual);
        memset(&expected, 0, sizeof expected);
        actual.baskets = baskets;
        naive_next(&shop, &expected);
        assert_int_equal(aff_next_new(baskets, &next), AFF_OK);
        assert_int_equal(aff_next_count(next, 1 + round % 3, NULL, take, &actual), AFF_OK);
        actual.baskets = NULL;
        assert_memory_equal(&actual, &expected, sizeof actual);
        aff_next_free(next);
        aff_baskets_free(baskets);
    }
}

static void order_of_lines_does_not_matter(void **state)
{
    (void)state;
    static struct shop shop;
    struct aff_random random = {33};

    for (int round = 0; round < ROUNDS; round++) {
        random_shop(&random, &shop);
        struct aff_baskets *one = baskets_with(shop.lines, shop.n, shop.settings);
        for (size_t i = shop.n; i > 1; i--) {
            size_t j = aff_random_below(&random, i);
            struct aff_line swap = shop.lines[i - 1];
            shop.lines[i - 1] = shop.lines[j];
            shop.lines[j] = swap;
        }
        struct aff_baskets *other = baskets_with(shop.lines, shop.n, shop.settings);
        assert_int_equal(one->n_baskets, other->n_baskets);
        assert_int_equal(one->n_lines, other->n_lines);
        assert_int_equal(one->weight, other->weight);
        assert_int_equal(one->truncated_lines, other->truncated_lines);
        assert_memory_equal(one->starts, other->starts, (one->n_baskets + 1) * sizeof *one->starts);
        for (uint32_t o = 0; o < one->n_baskets; o++)
            assert_int_equal(one->weights[o], other->weights[o]);
        for (uint32_t i = 0; i < one->n_lines; i++) {
            assert_int_equal(one->lines[i].row, other->lines[i].row);
            assert_int_equal(one->lines[i].revenue, other->lines[i].revenue);
            assert_int_equal(one->lines[i].margin, other->lines[i].margin);
            assert_int_equal(one->lines[i].discounted, other->lines[i].discounted);
            assert_int_equal(one->positions[i], other->positions[i]);
        }
        aff_baskets_free(one);
        aff_baskets_free(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_equal_a_double_loop_over_the_orders),
        cmocka_unit_test(next_equals_a_loop_over_followers),
        cmocka_unit_test(order_of_lines_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
