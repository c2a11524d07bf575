/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/ask.h"
#include "core/learn/decay.h"
#include "measured_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    PRODUCTS = 40,
    CUSTOMERS = 30,
    ORDERS = 600,
    SESSIONS = 400,
    LEARNED = 540,
    ONE = 38,
    OTHER = 39,
    K = 10
};

static const struct aff_train_settings settings = {
    .baskets = {.window_us = INT64_MAX / 4, .half_life_s = 120 * 86400, .cap = 512},
    .rows = {.method = AFF_METHOD_RIDGE, .neighbours = 40, .others = 30, .lambda = 2},
    .session_holders = 500,
    .n_threads = 2,
};
static const struct aff_learn_wish wish = {.test_share = 0.1, .limit_bytes = UINT64_MAX, .views = true};

static bool holds(const uint32_t *rows, uint32_t n, uint32_t row)
{
    for (uint32_t i = 0; i < n; i++)
        if (rows[i] == row)
            return true;
    return false;
}

static uint32_t *basket_of(struct measured_store *store, uint32_t order, uint32_t *ret_n)
{
    *ret_n = aff_measured_order_size(&store->orders, order);
    return store->orders.rows + store->orders.orders[order].start;
}

static void put(uint32_t *basket, uint32_t n, uint32_t at, uint32_t row)
{
    if (!holds(basket, n, row))
        basket[at] = row;
}

/* Learned orders never hold ONE and OTHER together; those asked about all do. */
static void plant(struct measured_store *store)
{
    for (uint32_t o = 0; o < ORDERS; o++) {
        uint32_t n, free_row = 0;
        uint32_t *basket = basket_of(store, o, &n);
        if (o >= LEARNED) {
            put(basket, n, 0, ONE);
            put(basket, n, basket[0] == ONE ? 1 : 0, OTHER);
        } else if (holds(basket, n, ONE) && holds(basket, n, OTHER)) {
            while (holds(basket, n, free_row))
                free_row++;
            for (uint32_t i = 0; i < n; i++)
                if (basket[i] == OTHER)
                    basket[i] = free_row;
        }
    }
}

/* Changes what the last orders and sessions hold, and nothing else. */
static void disturb(struct measured_store *store)
{
    struct aff_sequences *sessions = store->traces.sessions;

    for (uint32_t i = store->orders.orders[LEARNED].start; i < store->orders.orders[ORDERS].start; i++)
        store->orders.rows[i] = (store->orders.rows[i] + 11) % PRODUCTS;
    for (uint32_t i = sessions->starts[SESSIONS - SESSIONS / 10]; i < sessions->starts[SESSIONS]; i++)
        sessions->rows[i] = (sessions->rows[i] + 11) % PRODUCTS;
}

static void learn(void (*change)(struct measured_store *), struct aff_learned *ret)
{
    struct aff_random random = {.state = 5};
    struct measured_store store;
    struct aff_error error;

    measured_store_make(&random, PRODUCTS, CUSTOMERS, ORDERS, 5, &store);
    measured_store_add_sessions(&random, SESSIONS, &store);
    if (change != NULL)
        change(&store);
    *ret = (struct aff_learned){.whole = store.whole, .whole_traces = store.traces, .orders = store.orders};
    ret->whole.traces = &ret->whole_traces;
    assert_int_equal(aff_learn_given(&settings, &wish, ret, &error), AFF_OK);
    assert_int_equal(ret->n_orders, LEARNED);
    assert_int_equal(ret->n_sessions, SESSIONS - SESSIONS / 10);
}

static void make_task(const struct aff_learned *learned, enum aff_backtest_task name, uint64_t seed,
                      struct aff_task *ret)
{
    assert_int_equal(aff_task_sample(aff_backtest_task(name)->situation, &learned->whole, &learned->orders,
                                     learned->n_orders, learned->n_sessions, 500, seed, ret),
                     AFF_OK);
    assert_true(ret->n >= 20);
}

static void ask(struct aff_contenders *contenders, enum aff_backtest_method method,
                enum aff_backtest_task name, const struct aff_task *task, int n_threads,
                struct aff_asked *ret)
{
    struct aff_contender contender;

    assert_int_equal(aff_contender_make(contenders, method, name, &contender), AFF_OK);
    assert_int_equal(aff_asked_new(task->n, K, ret), AFF_OK);
    assert_int_equal(aff_ask(&contender, task, K, contenders->learned->prices, n_threads, NULL, ret), AFF_OK);
}

static void assert_same(const struct aff_asked *a, const struct aff_asked *b, uint32_t n)
{
    assert_memory_equal(a->n_shown, b->n_shown, n * sizeof *a->n_shown);
    for (uint32_t q = 0; q < n; q++)
        assert_memory_equal(a->shown + (size_t)q * K, b->shown + (size_t)q * K,
                            a->n_shown[q] * sizeof *a->shown);
    assert_memory_equal(a->scores, b->scores, n * sizeof *a->scores);
}

static bool row_names(const struct aff_neighbours *rows, uint32_t from, uint32_t to)
{
    const struct aff_row *row = aff_neighbours_row(rows, from);

    for (uint32_t i = 0; row != NULL && i < row->n; i++)
        if (row->entries[i].row == to)
            return true;
    return false;
}

static void a_pair_of_the_last_orders_alone_is_not_learned(void **state)
{
    (void)state;
    struct aff_learned learned;
    struct aff_train whole = {0};
    struct aff_error error;
    uint32_t n = 0;

    learn(plant, &learned);
    assert_null(aff_pairs_find(learned.train.pairs, aff_pairs_row_of(learned.train.pairs, ONE),
                               aff_pairs_row_of(learned.train.pairs, OTHER)));
    assert_false(row_names(learned.train.model->together, ONE, OTHER));
    const struct aff_neighbour *rules = aff_successors_of(learned.train.model->traces->added, ONE, &n);
    for (uint32_t i = 0; i < n; i++)
        assert_int_not_equal(rules[i].row, OTHER);
    /* It is there to be learned: all orders together do. */
    assert_int_equal(aff_train(&learned.whole, &learned.orders, ORDERS, 0, &settings, &whole, &error),
                     AFF_OK);
    assert_true(row_names(whole.model->together, ONE, OTHER));
    aff_train_done(&whole);
    aff_learned_done(&learned);
}

static void no_method_knows_what_the_last_orders_hold(void **state)
{
    (void)state;
    const struct aff_blend blend = aff_blend_default();
    struct aff_learned learned, other;

    learn(NULL, &learned);
    learn(disturb, &other);
    struct aff_contenders contenders = {.learned = &learned, .configured = &blend};
    struct aff_contenders others = {.learned = &other, .configured = &blend};
    for (int t = 0; t < AFF_BACKTEST_TASK_MAX; t++) {
        const enum aff_backtest_task name = (enum aff_backtest_task)t;
        struct aff_task task;
        make_task(&learned, name, 1, &task);
        for (int m = 0; m < AFF_BACKTEST_METHOD_MAX; m++) {
            const enum aff_backtest_method method = (enum aff_backtest_method)m;
            struct aff_asked asked = {0}, same = {0};
            if (!aff_contender_applies(&contenders, method, name))
                continue;
            ask(&contenders, method, name, &task, 1, &asked);
            ask(&others, method, name, &task, 1, &same);
            assert_same(&asked, &same, task.n);
            aff_asked_done(&asked);
            aff_asked_done(&same);
        }
        aff_task_done(&task);
    }
    aff_contenders_done(&contenders);
    aff_contenders_done(&others);
    aff_learned_done(&learned);
    aff_learned_done(&other);
}

static void answers_do_not_depend_on_threads(void **state)
{
    (void)state;
    const struct aff_blend blend = aff_blend_default();
    struct aff_learned learned;
    struct aff_asked one = {0}, three = {0};
    struct aff_task task;

    learn(NULL, &learned);
    struct aff_contenders contenders = {.learned = &learned, .configured = &blend};
    make_task(&learned, AFF_BACKTEST_VIEWS, 1, &task);
    ask(&contenders, AFF_BACKTEST_BLEND, AFF_BACKTEST_VIEWS, &task, 1, &one);
    ask(&contenders, AFF_BACKTEST_BLEND, AFF_BACKTEST_VIEWS, &task, 3, &three);
    assert_same(&one, &three, task.n);
    aff_asked_done(&one);
    aff_asked_done(&three);
    aff_task_done(&task);
    aff_contenders_done(&contenders);
    aff_learned_done(&learned);
}

static void the_seed_decides_what_is_hidden(void **state)
{
    (void)state;
    struct aff_learned learned;
    struct aff_task one, same, other;

    learn(NULL, &learned);
    make_task(&learned, AFF_BACKTEST_RANDOM_GUEST, 1, &one);
    make_task(&learned, AFF_BACKTEST_RANDOM_GUEST, 1, &same);
    make_task(&learned, AFF_BACKTEST_RANDOM_GUEST, 2, &other);
    assert_int_equal(one.n, same.n);
    assert_int_equal(one.n, other.n);
    assert_memory_equal(one.rows, same.rows, one.n_rows * sizeof *one.rows);
    assert_memory_not_equal(one.rows, other.rows, one.n_rows * sizeof *one.rows);
    aff_task_done(&one);
    aff_task_done(&same);
    aff_task_done(&other);
    aff_learned_done(&learned);
}

/* ---- methods against naive ones ---- */

/* Lists the best K rows of `scores` that are above 0 and not in the cart: by score, then by row. */
static uint32_t best_of(const double *scores, const uint32_t *cart, uint32_t n_cart, uint32_t *ret_rows)
{
    bool taken[PRODUCTS] = {false};
    uint32_t n = 0;

    while (n < K) {
        uint32_t best = PRODUCTS;
        for (uint32_t row = 0; row < PRODUCTS; row++)
            if (!taken[row] && scores[row] > 0 && !holds(cart, n_cart, row) &&
                (best == PRODUCTS || scores[row] > scores[best] + 1e-6))
                best = row;
        if (best == PRODUCTS)
            break;
        taken[best] = true;
        ret_rows[n++] = best;
    }
    return n;
}

typedef void (*naive_fn)(const struct aff_learned *learned, const uint32_t *cart, uint32_t n_cart,
                         double *ret_scores);

static uint32_t count(const struct aff_learned *learned, uint32_t a, uint32_t b)
{
    uint32_t n = 0;

    for (uint32_t o = 0; o < LEARNED; o++) {
        const uint32_t *rows = aff_measured_order_rows(&learned->orders, o);
        const uint32_t size = aff_measured_order_size(&learned->orders, o);
        n += holds(rows, size, a) && holds(rows, size, b);
    }
    return n;
}

static void naive_popularity(const struct aff_learned *learned, const uint32_t *cart, uint32_t n_cart,
                             double *ret_scores)
{
    (void)cart;
    (void)n_cart;
    for (uint32_t row = 0; row < PRODUCTS; row++)
        ret_scores[row] = count(learned, row, row);
}

static void naive_confidence(const struct aff_learned *learned, const uint32_t *cart, uint32_t n_cart,
                             double *ret_scores)
{
    for (uint32_t row = 0; row < PRODUCTS; row++) {
        ret_scores[row] = 0;
        for (uint32_t i = 0; i < n_cart; i++)
            ret_scores[row] += (double)count(learned, cart[i], row) / count(learned, cart[i], cart[i]);
    }
}

static void naive_jaccard(const struct aff_learned *learned, const uint32_t *cart, uint32_t n_cart,
                          double *ret_scores)
{
    for (uint32_t row = 0; row < PRODUCTS; row++) {
        ret_scores[row] = 0;
        for (uint32_t i = 0; i < n_cart; i++) {
            const double both = count(learned, cart[i], row);
            ret_scores[row] += both / (count(learned, cart[i], cart[i]) + count(learned, row, row) - both);
        }
    }
}

static void assert_as_naive(enum aff_backtest_method method, naive_fn naive)
{
    const struct aff_blend blend = aff_blend_default();
    struct aff_learned learned;
    struct aff_asked asked = {0};
    struct aff_task task;

    learn(NULL, &learned);
    struct aff_contenders contenders = {.learned = &learned, .configured = &blend};
    make_task(&learned, AFF_BACKTEST_RANDOM_GUEST, 1, &task);
    ask(&contenders, method, AFF_BACKTEST_RANDOM_GUEST, &task, 2, &asked);
    for (uint32_t q = 0; q < task.n; q++) {
        const uint32_t *cart = task.rows + task.queries[q].cart, n_cart = task.queries[q].n_cart;
        double scores[PRODUCTS];
        uint32_t expected[K];
        naive(&learned, cart, n_cart, scores);
        const uint32_t n = best_of(scores, cart, n_cart, expected);
        assert_int_equal(asked.n_shown[q], n);
        /* Sums in another order may change places that are equal but for rounding. */
        for (uint32_t i = 0; i < n; i++) {
            const double off = scores[asked.shown[(size_t)q * K + i]] - scores[expected[i]];
            assert_true(off < 1e-5 && off > -1e-5);
        }
    }
    aff_asked_done(&asked);
    aff_task_done(&task);
    aff_contenders_done(&contenders);
    aff_learned_done(&learned);
}

static void popularity_counts_orders(void **state)
{
    (void)state;
    assert_as_naive(AFF_BACKTEST_POPULARITY, naive_popularity);
}

static void confidence_adds_shares(void **state)
{
    (void)state;
    assert_as_naive(AFF_BACKTEST_CONFIDENCE, naive_confidence);
}

static void jaccard_adds_shares_of_both(void **state)
{
    (void)state;
    assert_as_naive(AFF_BACKTEST_JACCARD, naive_jaccard);
}

static void personal_names_only_what_the_customer_bought(void **state)
{
    (void)state;
    const struct aff_blend blend = aff_blend_default();
    struct aff_learned learned;
    struct aff_asked asked = {0};
    struct aff_task task;
    char id[AFF_TRAIN_ID];

    learn(NULL, &learned);
    struct aff_contenders contenders = {.learned = &learned, .configured = &blend};
    make_task(&learned, AFF_BACKTEST_NEXT_BASKET, 1, &task);
    ask(&contenders, AFF_BACKTEST_PERSONAL, AFF_BACKTEST_NEXT_BASKET, &task, 2, &asked);
    for (uint32_t q = 0; q < task.n; q++) {
        const struct aff_history *history = aff_customers_find(
            learned.train.model->customers, aff_train_customer(task.queries[q].customer, id));
        assert_non_null(history);
        assert_true(asked.n_shown[q] > 0);
        for (uint32_t i = 0; i < asked.n_shown[q]; i++) {
            bool bought = false;
            for (uint32_t j = 0; j < history->n; j++)
                bought = bought || history->purchases[j].row == asked.shown[(size_t)q * K + i];
            assert_true(bought);
        }
    }
    aff_asked_done(&asked);
    aff_task_done(&task);
    aff_contenders_done(&contenders);
    aff_learned_done(&learned);
}

static void too_few_orders_are_told(void **state)
{
    (void)state;
    struct aff_random random = {.state = 5};
    struct measured_store store;
    struct aff_error error;

    measured_store_make(&random, PRODUCTS, CUSTOMERS, 99, 5, &store);
    struct aff_learned learned = {.whole = store.whole, .orders = store.orders};
    learned.whole.traces = &learned.whole_traces;
    assert_int_equal(aff_learn_given(&settings, &wish, &learned, &error), AFF_DATA);
    assert_non_null(strstr(error.text, "99 orders"));
    assert_non_null(strstr(error.text, "at least 100 orders"));
    aff_learned_done(&learned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_of_the_last_orders_alone_is_not_learned),
        cmocka_unit_test(no_method_knows_what_the_last_orders_hold),
        cmocka_unit_test(answers_do_not_depend_on_threads),
        cmocka_unit_test(the_seed_decides_what_is_hidden),
        cmocka_unit_test(popularity_counts_orders),
        cmocka_unit_test(confidence_adds_shares),
        cmocka_unit_test(jaccard_adds_shares_of_both),
        cmocka_unit_test(personal_names_only_what_the_customer_bought),
        cmocka_unit_test(too_few_orders_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
