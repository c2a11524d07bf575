/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/history.h"

#include "core/base/sort.h"

#include <stdlib.h>

enum { CHUNK = 256 };

/* What one thread needs: by product row, and the gathered arrays of one customer. */
struct gatherer {
    uint32_t *counts_of;          /* 0 where nothing was added */
    uint32_t *first_of, *last_of; /* baskets; their order is that of time */
    uint32_t *touched, *numbers;
    struct aff_keyed *order, *scratch;
    int32_t *products, *counts;
    int64_t *first_at_us, *last_at_us;
};

struct gathering {
    const struct aff_baskets *baskets;
    uint32_t limit;
    aff_history_sink sink;
    void *context;
    struct gatherer *gatherers;
};

static uint32_t add_up(const struct aff_baskets *baskets, struct gatherer *gatherer, uint32_t customer)
{
    uint32_t n = 0;

    for (uint32_t i = baskets->customer_starts[customer]; i < baskets->customer_starts[customer + 1]; i++) {
        uint32_t basket = baskets->customer_baskets[i];
        for (uint32_t at = baskets->starts[basket]; at < baskets->starts[basket + 1]; at++) {
            uint32_t row = baskets->lines[at].row;
            if (gatherer->counts_of[row]++ == 0) {
                gatherer->touched[n++] = row;
                gatherer->first_of[row] = basket;
            }
            gatherer->last_of[row] = basket;
        }
    }
    return n;
}

/* Sorts by falling time, then by row, and empties the dense array. */
static void arrange(const struct aff_baskets *baskets, struct gatherer *gatherer, uint32_t n)
{
    aff_sort_u32(gatherer->touched, n, gatherer->numbers);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = gatherer->touched[i];
        gatherer->order[i] =
            (struct aff_keyed){~aff_sort_signed(baskets->at_us[gatherer->last_of[row]]), row};
    }
    aff_sort_keyed(gatherer->order, n, gatherer->scratch);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = gatherer->order[i].value;
        gatherer->products[i] = baskets->products[row];
        gatherer->counts[i] = (int32_t)gatherer->counts_of[row];
        gatherer->first_at_us[i] = baskets->at_us[gatherer->first_of[row]];
        gatherer->last_at_us[i] = baskets->at_us[gatherer->last_of[row]];
        gatherer->counts_of[row] = 0;
    }
}

static aff_status gather_customers(void *context, int thread, uint32_t from, uint32_t to)
{
    const struct gathering *gathering = context;
    const struct aff_baskets *baskets = gathering->baskets;
    struct gatherer *gatherer = &gathering->gatherers[thread];
    aff_status status = AFF_OK;

    for (uint32_t customer = from; customer < to && status == AFF_OK; customer++) {
        uint32_t n = add_up(baskets, gatherer, customer);
        uint32_t last = baskets->customer_baskets[baskets->customer_starts[customer + 1] - 1];
        arrange(baskets, gatherer, n);
        struct aff_customer_history history = {.customer = baskets->customers[customer],
                                               .orders = baskets->customer_starts[customer + 1] -
                                                         baskets->customer_starts[customer],
                                               .last_at_us = baskets->at_us[last],
                                               .n = n < gathering->limit ? n : gathering->limit,
                                               .products = gatherer->products,
                                               .counts = gatherer->counts,
                                               .first_at_us = gatherer->first_at_us,
                                               .last_at_us_of = gatherer->last_at_us};
        status = gathering->sink(gathering->context, thread, &history);
    }
    return status;
}

static aff_status make_gatherer(struct gatherer *gatherer, size_t n)
{
    gatherer->counts_of = calloc(n, sizeof *gatherer->counts_of);
    gatherer->first_of = malloc(n * sizeof *gatherer->first_of);
    gatherer->last_of = malloc(n * sizeof *gatherer->last_of);
    gatherer->touched = malloc(n * sizeof *gatherer->touched);
    gatherer->numbers = malloc(n * sizeof *gatherer->numbers);
    gatherer->order = malloc(n * sizeof *gatherer->order);
    gatherer->scratch = malloc(n * sizeof *gatherer->scratch);
    gatherer->products = malloc(n * sizeof *gatherer->products);
    gatherer->counts = malloc(n * sizeof *gatherer->counts);
    gatherer->first_at_us = malloc(n * sizeof *gatherer->first_at_us);
    gatherer->last_at_us = malloc(n * sizeof *gatherer->last_at_us);
    if (gatherer->counts_of == NULL || gatherer->first_of == NULL || gatherer->last_of == NULL ||
        gatherer->touched == NULL || gatherer->numbers == NULL || gatherer->order == NULL ||
        gatherer->scratch == NULL || gatherer->products == NULL || gatherer->counts == NULL ||
        gatherer->first_at_us == NULL || gatherer->last_at_us == NULL)
        return AFF_NOMEM;
    return AFF_OK;
}

static void drop_gatherer(struct gatherer *gatherer)
{
    free(gatherer->counts_of);
    free(gatherer->first_of);
    free(gatherer->last_of);
    free(gatherer->touched);
    free(gatherer->numbers);
    free(gatherer->order);
    free(gatherer->scratch);
    free(gatherer->products);
    free(gatherer->counts);
    free(gatherer->first_at_us);
    free(gatherer->last_at_us);
}

aff_status aff_history_build(const struct aff_baskets *baskets, uint32_t limit, int n_threads,
                             const struct aff_watch *watch, aff_history_sink sink, void *context)
{
    struct gathering gathering = {.baskets = baskets, .limit = limit, .sink = sink, .context = context};
    aff_status status = AFF_OK;

    gathering.gatherers = calloc((size_t)n_threads, sizeof *gathering.gatherers);
    if (gathering.gatherers == NULL)
        return AFF_NOMEM;
    for (int i = 0; i < n_threads && status == AFF_OK; i++)
        status = make_gatherer(&gathering.gatherers[i], (size_t)baskets->n_products + 1);
    if (status == AFF_OK)
        status =
            aff_parallel_run(n_threads, baskets->n_customers, CHUNK, gather_customers, &gathering, watch);
    for (int i = 0; i < n_threads; i++)
        drop_gatherer(&gathering.gatherers[i]);
    free(gathering.gatherers);
    return status;
}
