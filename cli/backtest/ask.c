/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/ask.h"

#include "core/base/clock.h"

#include <stdlib.h>

enum { CHUNK = 8 };

/* What one thread needs; large, so on the heap. */
struct asker {
    struct aff_workspace *workspace;
    struct aff_cart_line cart[AFF_CART_MAX];
    struct aff_text exclude[AFF_CART_MAX];
    struct aff_answer answer;
    int64_t spent_us;
};

struct asking {
    const struct aff_contender *contender;
    const struct aff_task *task;
    const int64_t *prices;
    uint32_t k;
    struct aff_asked *asked;
    struct asker **askers; /* of each thread */
};

aff_status aff_asked_new(uint32_t n_queries, uint32_t k, struct aff_asked *ret)
{
    const size_t n = (size_t)n_queries + 1;

    ret->shown = malloc(n * k * sizeof *ret->shown);
    ret->n_shown = malloc(n * sizeof *ret->n_shown);
    ret->groups = malloc(n * sizeof *ret->groups);
    ret->scores = malloc(n * sizeof *ret->scores);
    return ret->shown == NULL || ret->n_shown == NULL || ret->groups == NULL || ret->scores == NULL
               ? AFF_NOMEM
               : AFF_OK;
}

void aff_asked_done(struct aff_asked *asked)
{
    free(asked->shown);
    free(asked->n_shown);
    free(asked->groups);
    free(asked->scores);
    *asked = (struct aff_asked){0};
}

static enum aff_as as_of(const struct asking *asking)
{
    switch (asking->task->situation) {
    case AFF_SITUATION_VIEWS:
        return AFF_AS_VIEWS;
    case AFF_SITUATION_ADDED:
    case AFF_SITUATION_ADDED_KNOWN:
        return AFF_AS_ADDED;
    default:
        return AFF_AS_CART;
    }
}

static struct aff_request request_of(const struct asking *asking, struct asker *asker, uint32_t q,
                                     char id[AFF_TRAIN_ID])
{
    const struct aff_contender *contender = asking->contender;
    const struct aff_task_query *query = &asking->task->queries[q];
    struct aff_request request = {
        .cart = asker->cart,
        .n_cart = query->n_cart,
        .as = as_of(asking),
        .unpriced = asking->task->situation == AFF_SITUATION_VIEWS,
        .limit = asking->k,
        .price_min = AFF_NO_MONEY,
        .price_max = AFF_NO_MONEY,
        .diversity = contender->diversity,
        .rotation = contender->rotation,
        .seed = contender->seed + q,
        .strict = contender->strict,
        .now_us = query->now_us,
    };

    for (uint32_t i = 0; i < query->n_cart; i++) {
        const uint32_t row = asking->task->rows[query->cart + i];
        const struct aff_text product = aff_catalogue_product(contender->model.catalogue, row)->id;
        asker->cart[i] = (struct aff_cart_line){product, 1, AFF_NO_MONEY};
        asker->exclude[i] = product;
    }
    if (contender->as_views) {
        request.as = AFF_AS_VIEWS;
        request.exclude = asker->exclude;
        request.n_exclude = query->n_cart;
    }
    if (query->customer != AFF_NO_CUSTOMER && !contender->withhold)
        request.customer = aff_train_customer(query->customer, id);
    return request;
}

static aff_status ask_one(const struct asking *asking, struct asker *asker, uint32_t q)
{
    const struct aff_task_query *query = &asking->task->queries[q];
    struct aff_asked *asked = asking->asked;
    uint32_t *shown = asked->shown + (size_t)q * asking->k;
    char id[AFF_TRAIN_ID];
    const struct aff_request request = request_of(asking, asker, q, id);
    aff_status status = aff_recommend(&asking->contender->model, &asking->contender->blend, asker->workspace,
                                      &request, &asker->answer);

    if (status != AFF_OK)
        return status;
    for (uint32_t i = 0; i < asker->answer.n_items; i++)
        shown[i] = asker->answer.items[i].row;
    asked->n_shown[q] = asker->answer.n_items;
    asked->groups[q] = query->group;
    asked->scores[q] = aff_query_score(shown, asker->answer.n_items, asking->k,
                                       asking->task->rows + query->truth, query->n_truth, asking->prices);
    return AFF_OK;
}

static aff_status ask_some(void *context, int thread, uint32_t from, uint32_t to)
{
    const struct asking *asking = context;
    struct asker *asker = asking->askers[thread];
    const int64_t began_us = aff_clock_monotonic_us();
    aff_status status = AFF_OK;

    for (uint32_t q = from; status == AFF_OK && q < to; q++)
        status = ask_one(asking, asker, q);
    asker->spent_us += aff_clock_monotonic_us() - began_us;
    return status;
}

static aff_status furnish(struct asker **askers, int n_threads)
{
    for (int i = 0; i < n_threads; i++) {
        askers[i] = calloc(1, sizeof *askers[i]);
        if (askers[i] == NULL || aff_workspace_new(&askers[i]->workspace) != AFF_OK)
            return AFF_NOMEM;
    }
    return AFF_OK;
}

aff_status aff_ask(const struct aff_contender *contender, const struct aff_task *task, uint32_t k,
                   const int64_t *prices, int n_threads, const struct aff_watch *watch,
                   struct aff_asked *asked)
{
    struct aff_contender own = *contender; /* whose model has the traces beside it */
    struct asking asking = {.contender = &own, .task = task, .prices = prices, .k = k, .asked = asked};
    int64_t spent_us = 0;
    aff_status status = AFF_NOMEM;

    own.model.traces = &own.traces;
    asking.askers = calloc((size_t)n_threads, sizeof(struct asker *));
    if (asking.askers != NULL)
        status = furnish(asking.askers, n_threads);
    if (status == AFF_OK)
        status = aff_parallel_run(n_threads, task->n, CHUNK, ask_some, &asking, watch);
    for (int i = 0; asking.askers != NULL && i < n_threads && asking.askers[i] != NULL; i++) {
        spent_us += asking.askers[i]->spent_us;
        aff_workspace_free(asking.askers[i]->workspace);
        free(asking.askers[i]);
    }
    free(asking.askers);
    if (status == AFF_OK)
        asked->mean_us = task->n > 0 ? (double)spent_us / task->n : 0;
    return status;
}
