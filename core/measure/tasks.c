/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/tasks.h"

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/learn/baskets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TOP = 20, NDCG_TOP = 10, SEED = 1 };

/* What the earlier orders or sessions hold. */
static uint8_t *mark_known(const struct aff_catalogue *catalogue, const uint32_t *rows, size_t n)
{
    uint8_t *known = calloc((size_t)aff_catalogue_size(catalogue) + 1, 1);

    for (size_t i = 0; known != NULL && i < n; i++)
        known[rows[i]] = 1;
    return known;
}

static aff_status reserve(struct aff_task *task, size_t n_rows)
{
    if (task->n == task->capacity) {
        task->capacity = task->capacity * 2 + 256;
        struct aff_task_query *queries = realloc(task->queries, task->capacity * sizeof *queries);
        if (queries == NULL)
            return AFF_NOMEM;
        task->queries = queries;
    }
    if (task->n_rows + n_rows > task->rows_capacity) {
        task->rows_capacity = task->rows_capacity * 2 + n_rows + 4096;
        uint32_t *rows = realloc(task->rows, task->rows_capacity * sizeof *rows);
        if (rows == NULL)
            return AFF_NOMEM;
        task->rows = rows;
    }
    return AFF_OK;
}

/* Adds a query: the rows of `cart` and of `truth`. */
static aff_status add(struct aff_task *task, const uint32_t *cart, uint32_t n_cart, const uint32_t *truth,
                      uint32_t n_truth, int64_t customer, uint32_t at_s)
{
    aff_status status = reserve(task, (size_t)n_cart + n_truth);

    if (status != AFF_OK)
        return status;
    task->queries[task->n++] = (struct aff_task_query){
        .customer = customer,
        .now_us = (int64_t)at_s * AFF_SECOND_US,
        .cart = (uint32_t)task->n_rows,
        .n_cart = n_cart,
        .truth = (uint32_t)task->n_rows + n_cart,
        .n_truth = n_truth,
        .group = task->n_groups,
    };
    if (n_cart > 0)
        memcpy(task->rows + task->n_rows, cart, n_cart * sizeof *cart);
    memcpy(task->rows + task->n_rows + n_cart, truth, n_truth * sizeof *truth);
    task->n_rows += (size_t)n_cart + n_truth;
    return AFF_OK;
}

/* Hides the product at `at` of the basket. The newest AFF_CART_MAX of the others are asked with. */
static aff_status hide(struct aff_task *task, uint32_t *basket, uint32_t n, uint32_t at, int64_t customer,
                       uint32_t at_s)
{
    const uint32_t hidden = basket[at];
    uint32_t first = 0;

    memmove(basket + at, basket + at + 1, (n - at - 1) * sizeof *basket);
    n--;
    if (n > AFF_CART_MAX)
        first = n - AFF_CART_MAX;
    return add(task, basket + first, n - first, &hidden, 1, customer, at_s);
}

static bool is_among(const int64_t *customers, uint32_t n, int64_t customer)
{
    uint32_t from = 0;

    while (n > 0) {
        uint32_t half = n / 2;
        if (customers[from + half] == customer)
            return true;
        if (customers[from + half] < customer) {
            from += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return false;
}

static int by_number(const void *x, const void *y)
{
    const int64_t *a = x, *b = y;
    return *a < *b ? -1 : *a > *b;
}

struct making {
    struct aff_task *task;
    const struct aff_model *whole;
    const struct aff_measured_orders *orders;
    uint32_t n_orders, n_queries;
    uint8_t *known;
    int64_t *customers; /* of the earlier orders, ascending */
    uint32_t n_customers;
    uint32_t *basket;
    struct aff_random random;
};

static bool may_ask(const struct making *making, uint32_t row)
{
    return making->known[row] && aff_catalogue_eligibility(making->whole->catalogue)[row] == 0;
}

static aff_status ask_about(struct making *making, uint32_t order)
{
    const struct aff_measured_order *head = &making->orders->orders[order];
    const uint32_t *rows = aff_measured_order_rows(making->orders, order);
    const enum aff_situation situation = making->task->situation;
    const bool known = is_among(making->customers, making->n_customers, head->customer);
    uint32_t n = 0;

    for (uint32_t i = 0; i < aff_measured_order_size(making->orders, order); i++)
        if (may_ask(making, rows[i]))
            making->basket[n++] = rows[i];
    switch (situation) {
    case AFF_SITUATION_CART:
    case AFF_SITUATION_CART_KNOWN:
        if (n < 2 || (situation == AFF_SITUATION_CART_KNOWN && !known))
            return AFF_OK;
        return hide(making->task, making->basket, n, (uint32_t)aff_random_below(&making->random, n),
                    situation == AFF_SITUATION_CART ? AFF_NO_CUSTOMER : head->customer, head->at_s);
    case AFF_SITUATION_ADDED:
    case AFF_SITUATION_ADDED_KNOWN:
        if (n < 2 || (situation == AFF_SITUATION_ADDED_KNOWN && !known))
            return AFF_OK;
        return hide(making->task, making->basket, n, n - 1,
                    situation == AFF_SITUATION_ADDED ? AFF_NO_CUSTOMER : head->customer, head->at_s);
    default:
        return n > 0 && known ? add(making->task, NULL, 0, making->basket, n, head->customer, head->at_s)
                              : AFF_OK;
    }
}

/* The first of the newer orders of each customer. */
static bool is_first(const struct making *making, uint32_t order)
{
    for (uint32_t o = making->n_orders; o < order; o++)
        if (making->orders->orders[o].customer == making->orders->orders[order].customer)
            return false;
    return true;
}

static aff_status ask_about_orders(struct making *making)
{
    const struct aff_measured_orders *orders = making->orders;
    const uint32_t n = orders->n - making->n_orders;
    const uint32_t step = n / making->n_queries + 1;
    aff_status status = AFF_OK;

    making->known =
        mark_known(making->whole->catalogue, orders->rows, orders->orders[making->n_orders].start);
    making->customers = malloc(((size_t)making->n_orders + 1) * sizeof *making->customers);
    making->basket =
        malloc(((size_t)aff_catalogue_size(making->whole->catalogue) + 1) * sizeof *making->basket);
    if (making->known == NULL || making->customers == NULL || making->basket == NULL)
        return AFF_NOMEM;
    for (uint32_t o = 0; o < making->n_orders; o++)
        if (orders->orders[o].customer != AFF_NO_CUSTOMER)
            making->customers[making->n_customers++] = orders->orders[o].customer;
    qsort(making->customers, making->n_customers, sizeof *making->customers, by_number);
    for (uint32_t o = making->n_orders; status == AFF_OK && o < orders->n; o += step)
        if (making->task->situation != AFF_SITUATION_NEXT_BASKET || is_first(making, o)) {
            const uint32_t before = making->task->n;
            status = ask_about(making, o);
            making->task->n_groups += making->task->n > before;
        }
    return status;
}

static aff_status ask_about_sessions(struct making *making, uint32_t n_sessions)
{
    const struct aff_sequences *sessions = making->whole->traces->sessions;
    const uint32_t step =
        (sessions->starts[sessions->n] - sessions->starts[n_sessions]) / making->n_queries + 1;
    uint32_t place = 0;
    aff_status status = AFF_OK;

    making->known = mark_known(making->whole->catalogue, sessions->rows, sessions->starts[n_sessions]);
    making->basket = malloc(AFF_SEQUENCE_LENGTH_MAX * sizeof *making->basket);
    if (making->known == NULL || making->basket == NULL)
        return AFF_NOMEM;
    for (uint32_t s = n_sessions; s < sessions->n; s++) {
        const uint32_t before = making->task->n;
        uint32_t n = 0;
        for (uint32_t i = sessions->starts[s]; i < sessions->starts[s + 1]; i++)
            if (making->known[sessions->rows[i]])
                making->basket[n++] = sessions->rows[i];
        for (uint32_t i = 1; status == AFF_OK && i < n; i++)
            if (place++ % step == 0)
                status = add(making->task, making->basket, i, &making->basket[i], 1, AFF_NO_CUSTOMER,
                             sessions->at_s[s]);
        making->task->n_groups += making->task->n > before;
    }
    return status;
}

aff_status aff_task_make(enum aff_situation situation, const struct aff_model *whole,
                         const struct aff_measured_orders *orders, uint32_t n_orders, uint32_t n_sessions,
                         struct aff_task *ret)
{
    return aff_task_sample(situation, whole, orders, n_orders, n_sessions, AFF_TASK_QUERIES, SEED, ret);
}

aff_status aff_task_sample(enum aff_situation situation, const struct aff_model *whole,
                           const struct aff_measured_orders *orders, uint32_t n_orders, uint32_t n_sessions,
                           uint32_t n_queries, uint64_t seed, struct aff_task *ret)
{
    struct making making = {.task = ret,
                            .whole = whole,
                            .orders = orders,
                            .n_orders = n_orders,
                            .n_queries = n_queries,
                            .random = {.state = seed}};
    aff_status status = AFF_OK;

    *ret = (struct aff_task){.situation = situation};
    if (situation != AFF_SITUATION_VIEWS && n_orders > 0 && n_orders < orders->n)
        status = ask_about_orders(&making);
    if (situation == AFF_SITUATION_VIEWS && n_sessions > 0)
        status = ask_about_sessions(&making, n_sessions);
    free(making.known);
    free(making.customers);
    free(making.basket);
    return status;
}

void aff_task_done(struct aff_task *task)
{
    free(task->queries);
    free(task->rows);
    *task = (struct aff_task){0};
}

static struct aff_task_score score(const struct aff_task *task, const struct aff_task_query *query,
                                   const struct aff_answer *answer)
{
    const uint32_t hit_top = task->situation == AFF_SITUATION_VIEWS ? TOP : NDCG_TOP;
    struct aff_task_score score = {0};
    float ideal = 0;

    for (uint32_t i = 0; i < answer->n_items && i < TOP; i++) {
        bool right = false;
        for (uint32_t t = 0; t < query->n_truth; t++)
            right = right || task->rows[query->truth + t] == answer->items[i].row;
        if (!right)
            continue;
        if (score.mrr == 0)
            score.mrr = 1 / (float)(i + 1);
        if (i < hit_top)
            score.hit = 1;
        if (i < NDCG_TOP) {
            score.ndcg += 1 / log2f((float)i + 2);
            score.recall += 1 / (float)query->n_truth;
        }
    }
    for (uint32_t i = 0; i < query->n_truth && i < NDCG_TOP; i++)
        ideal += 1 / log2f((float)i + 2);
    score.ndcg /= ideal;
    return score;
}

aff_status aff_task_ask(const struct aff_task *task, const struct aff_model *model,
                        const struct aff_weights *weights, double personal_half_life_days,
                        struct aff_workspace *workspace, struct aff_task_score *ret_scores)
{
    struct aff_blend blend = {.personal_half_life_days = personal_half_life_days};
    struct aff_cart_line cart[AFF_CART_MAX];
    struct aff_answer *answer = malloc(sizeof *answer);
    char id[AFF_TRAIN_ID];
    aff_status status = answer == NULL ? AFF_NOMEM : AFF_OK;

    for (int s = 0; s < AFF_SITUATION_MAX; s++)
        blend.of[s] = *weights;
    for (uint32_t q = 0; status == AFF_OK && q < task->n; q++) {
        const struct aff_task_query *query = &task->queries[q];
        struct aff_request request = {
            .cart = cart,
            .n_cart = query->n_cart,
            .limit = TOP,
            .price_min = AFF_NO_MONEY,
            .price_max = AFF_NO_MONEY,
            .now_us = query->now_us,
        };
        for (uint32_t i = 0; i < query->n_cart; i++)
            cart[i] = (struct aff_cart_line){
                aff_catalogue_product(model->catalogue, task->rows[query->cart + i])->id, 1, AFF_NO_MONEY};
        if (task->situation == AFF_SITUATION_ADDED || task->situation == AFF_SITUATION_ADDED_KNOWN)
            request.as = AFF_AS_ADDED;
        if (task->situation == AFF_SITUATION_VIEWS) {
            request.as = AFF_AS_VIEWS;
            request.unpriced = true;
        }
        if (query->customer != AFF_NO_CUSTOMER)
            request.customer = aff_train_customer(query->customer, id);
        status = aff_recommend(model, &blend, workspace, &request, answer);
        if (status == AFF_OK)
            ret_scores[q] = score(task, query, answer);
    }
    free(answer);
    return status;
}

float aff_task_value(enum aff_situation situation, const struct aff_task_score *score)
{
    if (situation == AFF_SITUATION_NEXT_BASKET)
        return score->recall + score->ndcg;
    if (situation == AFF_SITUATION_VIEWS)
        return score->hit + score->mrr;
    return score->hit + score->ndcg;
}
