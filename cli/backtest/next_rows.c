/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/next_rows.h"

#include "core/base/clock.h"
#include "core/learn/next.h"

#include <stdlib.h>
#include <string.h>

struct making {
    const struct aff_learned *learned;
    const struct aff_next *next;
    struct aff_next_row_settings settings;
    struct aff_neighbour *neighbours; /* `neighbours` of each thread */
    struct aff_pair_counts *counts;
    struct aff_neighbours *rows;
};

static aff_status collect(const struct aff_learned *learned, struct aff_baskets **ret_baskets)
{
    const struct aff_measured_orders *orders = &learned->orders;
    struct aff_baskets_builder *builder = NULL;
    aff_status status = aff_baskets_builder_new(&builder);

    for (uint32_t o = 0; status == AFF_OK && o < learned->n_orders; o++)
        for (uint32_t i = 0; status == AFF_OK && i < aff_measured_order_size(orders, o); i++) {
            const uint32_t row = aff_measured_order_rows(orders, o)[i];
            const struct aff_line line = {
                .order_key = o,
                .customer = orders->orders[o].customer,
                .at_us = (int64_t)orders->orders[o].at_s * AFF_SECOND_US,
                .revenue = 1,
                .product = aff_catalogue_product(learned->whole.catalogue, row)->key,
            };
            status = aff_baskets_builder_add(builder, &line);
        }
    if (status == AFF_OK)
        status = aff_baskets_builder_finish(builder, &learned->settings.baskets, ret_baskets);
    aff_baskets_builder_free(builder);
    return status;
}

/* Threads never share a row, so none waits for another. */
static aff_status take(void *context, int thread, uint32_t a, const struct aff_next_pair *pairs, uint32_t n)
{
    const struct making *making = context;
    const struct aff_catalogue *catalogue = making->learned->whole.catalogue;
    const int32_t *keys = making->next->baskets->products;
    const size_t room = (size_t)thread * making->settings.neighbours;
    struct aff_neighbour *entries;
    struct aff_pair_counts *counts;
    struct aff_row *row;
    uint32_t n_kept = 0;
    aff_status status = aff_next_row(making->next, a, pairs, n, &making->settings, making->neighbours + room,
                                     making->counts + room, &n_kept);

    if (status != AFF_OK || n_kept == 0)
        return status;
    status = aff_row_new(n_kept, &row, &entries, &counts);
    if (status != AFF_OK)
        return status;
    memcpy(counts, making->counts + room, n_kept * sizeof *counts);
    for (uint32_t i = 0; i < n_kept; i++) {
        const struct aff_neighbour *from = &making->neighbours[room + i];
        entries[i] = (struct aff_neighbour){aff_catalogue_find_key(catalogue, keys[from->row]), from->score};
    }
    aff_neighbours_set(making->rows, aff_catalogue_find_key(catalogue, keys[a]), row);
    return AFF_OK;
}

static aff_status make(struct making *making, const struct aff_watch *watch)
{
    const struct aff_train_settings *settings = &making->learned->settings;
    const size_t room = (size_t)settings->n_threads * settings->rows.neighbours;
    aff_status status = AFF_NOMEM;

    making->settings = (struct aff_next_row_settings){settings->rows.neighbours, settings->rows.floors};
    making->neighbours = malloc(room * sizeof *making->neighbours);
    making->counts = malloc(room * sizeof *making->counts);
    if (making->neighbours != NULL && making->counts != NULL)
        status = aff_neighbours_new(aff_catalogue_size(making->learned->whole.catalogue), &making->rows);
    if (status == AFF_OK)
        status = aff_next_count(making->next, settings->n_threads, watch, take, making);
    free(making->neighbours);
    free(making->counts);
    return status;
}

aff_status aff_next_rows_learn(const struct aff_learned *learned, const struct aff_watch *watch,
                               struct aff_neighbours **ret_rows)
{
    struct making making = {.learned = learned};
    struct aff_baskets *baskets = NULL;
    struct aff_next *next = NULL;
    aff_status status = collect(learned, &baskets);

    if (status == AFF_OK)
        status = aff_next_new(baskets, &next);
    making.next = next;
    if (status == AFF_OK)
        status = make(&making, watch);
    aff_next_free(next);
    aff_baskets_free(baskets);
    if (status == AFF_OK)
        *ret_rows = making.rows;
    else
        aff_neighbours_free(making.rows);
    return status;
}
