/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/sort.h"
#include "core/learn/pair_block.h"

#include <stdlib.h>

enum { CHUNK = 16 }; /* products taken at once: small, because some products are in very many baskets */

/* What one thread needs. */
struct counter {
    struct aff_pair *counts; /* by product row; orders is 0 where nothing was added */
    uint32_t *touched, *scratch;
    struct aff_pair_block *blocks;
};

struct counting {
    const struct aff_baskets *baskets;
    struct aff_pairs *pairs;
    struct counter *counters;
};

/* Adds up all products above `a` over the baskets of `a`, and the product's own totals. Returns how many
 * products were touched. */
static uint32_t add_up(const struct counting *counting, struct counter *counter, uint32_t a)
{
    const struct aff_baskets *baskets = counting->baskets;
    struct aff_product_stat *stat = &counting->pairs->stats[a];
    uint32_t n = 0, end = baskets->product_starts[a + 1];

    for (uint32_t i = baskets->product_starts[a]; i < end; i++) {
        uint32_t at = baskets->positions[i], basket = baskets->basket_of[at];
        const struct aff_basket_line own = baskets->lines[at];
        int64_t weight = baskets->weights[basket];
        stat->orders++;
        stat->discounted += own.discounted;
        stat->weight += weight;
        stat->revenue += own.revenue;
        stat->margin += own.margin;
        for (uint32_t other = at + 1; other < baskets->starts[basket + 1]; other++) {
            const struct aff_basket_line *line = &baskets->lines[other];
            struct aff_pair *pair = &counter->counts[line->row];
            counter->touched[n] = line->row;
            n += pair->orders == 0;
            pair->orders++;
            pair->discounted += own.discounted | line->discounted;
            pair->weight += weight;
            pair->revenue_a += own.revenue;
            pair->revenue_b += line->revenue;
            pair->margin_a += own.margin;
            pair->margin_b += line->margin;
        }
    }
    if (stat->orders > 0) /* positions are by time */
        stat->last_at_us = baskets->at_us[baskets->basket_of[baskets->positions[end - 1]]];
    return n;
}

static aff_status count_products(void *context, int thread, uint32_t from, uint32_t to)
{
    struct counting *counting = context;
    struct counter *counter = &counting->counters[thread];

    for (uint32_t a = from; a < to; a++) {
        struct aff_pair *pairs;
        uint32_t *others;
        counting->pairs->stats[a].product = counting->baskets->products[a];
        uint32_t n = add_up(counting, counter, a);
        aff_status status = aff_pair_block_take(&counter->blocks, n, &others, &pairs);
        if (status != AFF_OK)
            return status;
        aff_sort_u32(counter->touched, n, counter->scratch);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t b = counter->touched[i];
            others[i] = b;
            pairs[i] = counter->counts[b];
            counter->counts[b] = (struct aff_pair){0};
        }
        counting->pairs->rows[a] = (struct aff_pair_row){.n = n, .others = others, .pairs = pairs};
    }
    return AFF_OK;
}

static aff_status make_counters(struct counting *counting, int n_threads)
{
    size_t n = (size_t)counting->baskets->n_products + 1;

    counting->counters = calloc((size_t)n_threads, sizeof *counting->counters);
    if (counting->counters == NULL)
        return AFF_NOMEM;
    for (int i = 0; i < n_threads; i++) {
        struct counter *counter = &counting->counters[i];
        counter->counts = calloc(n, sizeof *counter->counts);
        counter->touched = malloc(n * sizeof *counter->touched);
        counter->scratch = malloc(n * sizeof *counter->scratch);
        if (counter->counts == NULL || counter->touched == NULL || counter->scratch == NULL)
            return AFF_NOMEM;
    }
    return AFF_OK;
}

/* Frees the counters; their blocks go to the pairs, which own the rows in them. */
static void drop_counters(struct counting *counting, int n_threads)
{
    for (int i = 0; counting->counters != NULL && i < n_threads; i++) {
        struct counter *counter = &counting->counters[i];
        struct aff_pair_block **end = &counting->pairs->blocks;
        while (*end != NULL)
            end = &(*end)->next;
        *end = counter->blocks;
        free(counter->counts);
        free(counter->touched);
        free(counter->scratch);
    }
    free(counting->counters);
}

aff_status aff_pairs_count(const struct aff_baskets *baskets, int n_threads, const struct aff_watch *watch,
                           struct aff_pairs **ret_pairs)
{
    struct counting counting = {.baskets = baskets};
    aff_status status = aff_pairs_new(baskets->n_products, &counting.pairs);

    if (status != AFF_OK)
        return status;
    counting.pairs->orders = baskets->n_baskets;
    counting.pairs->weight = baskets->weight;
    status = make_counters(&counting, n_threads);
    if (status == AFF_OK)
        status = aff_months_count(baskets, &counting.pairs->months);
    if (status == AFF_OK)
        status = aff_parallel_run(n_threads, baskets->n_products, CHUNK, count_products, &counting, watch);
    drop_counters(&counting, n_threads);
    if (status != AFF_OK) {
        aff_pairs_free(counting.pairs);
        return status;
    }
    aff_pairs_sum(counting.pairs);
    *ret_pairs = counting.pairs;
    return AFF_OK;
}
