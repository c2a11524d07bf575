/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/train.h"

#include "core/base/clock.h"
#include "core/base/sort.h"
#include "core/measure/rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct aff_text aff_train_customer(int64_t customer, char into[AFF_TRAIN_ID])
{
    int size = snprintf(into, AFF_TRAIN_ID, "%" PRId64, customer);
    return (struct aff_text){into, (size_t)size};
}

static aff_status count_pairs(const struct aff_catalogue *catalogue, const struct aff_measured_orders *orders,
                              uint32_t n_orders, const struct aff_train_settings *settings,
                              struct aff_pairs **ret_pairs)
{
    struct aff_baskets_builder *builder = NULL;
    struct aff_baskets *baskets = NULL;
    aff_status status = aff_baskets_builder_new(&builder);

    for (uint32_t o = 0; status == AFF_OK && o < n_orders; o++) {
        const uint32_t *rows = aff_measured_order_rows(orders, o);
        for (uint32_t i = 0; status == AFF_OK && i < aff_measured_order_size(orders, o); i++) {
            const struct aff_line line = {
                .order_key = o,
                .customer = orders->orders[o].customer,
                .at_us = (int64_t)orders->orders[o].at_s * AFF_SECOND_US,
                .revenue = 1,
                .product = aff_catalogue_product(catalogue, rows[i])->key,
            };
            status = aff_baskets_builder_add(builder, &line);
        }
    }
    if (status == AFF_OK)
        status = aff_baskets_builder_finish(builder, &settings->baskets, &baskets);
    if (status == AFF_OK)
        status = aff_pairs_count(baskets, settings->n_threads, &settings->watch, ret_pairs);
    aff_baskets_builder_free(builder);
    aff_baskets_free(baskets);
    return status;
}

/* The same products in the same rows, but as popular as the counted orders make them: popularity of today
 * would tell what the later ones hold. */
static aff_status copy_catalogue(const struct aff_catalogue *catalogue, const struct aff_pairs *pairs,
                                 struct aff_catalogue **ret_catalogue)
{
    struct aff_catalogue_builder *builder = NULL;
    aff_status status = aff_catalogue_builder_new(&builder);

    for (uint32_t row = 0; status == AFF_OK && row < aff_catalogue_size(catalogue); row++) {
        struct aff_product product = *aff_catalogue_product(catalogue, row);
        const uint32_t at = aff_pairs_row_of(pairs, product.key);
        product.orders = at == UINT32_MAX ? 0 : pairs->stats[at].orders;
        product.weight = at == UINT32_MAX ? 0 : pairs->stats[at].weight;
        product.last_at_us = at == UINT32_MAX ? 0 : pairs->stats[at].last_at_us;
        status = aff_catalogue_builder_add(builder, &product);
    }
    if (status == AFF_OK)
        status = aff_catalogue_builder_finish(builder, ret_catalogue);
    aff_catalogue_builder_free(builder);
    return status;
}

static int by_last(const void *x, const void *y)
{
    const struct aff_purchase *a = x, *b = y;

    if (a->last_s != b->last_s)
        return a->last_s < b->last_s ? 1 : -1;
    return a->row < b->row ? -1 : a->row > b->row;
}

/* What customers bought, gathered customer by customer. */
struct gathering {
    const struct aff_measured_orders *orders;
    struct aff_customers_builder *builder;
    uint32_t *stamps, *places; /* of each product: 1 + customer's number, place in purchases */
    struct aff_purchase *purchases;
    uint32_t n;
};

static aff_status add_customer(struct gathering *gathering, uint32_t number, const struct aff_keyed *entries,
                               uint32_t n_orders)
{
    char id[AFF_TRAIN_ID];

    gathering->n = 0;
    for (uint32_t o = 0; o < n_orders; o++) {
        const uint32_t order = entries[o].value, at_s = gathering->orders->orders[order].at_s;
        const uint32_t *rows = aff_measured_order_rows(gathering->orders, order);
        for (uint32_t i = 0; i < aff_measured_order_size(gathering->orders, order); i++) {
            const uint32_t row = rows[i];
            if (gathering->stamps[row] != number + 1) {
                gathering->stamps[row] = number + 1;
                gathering->places[row] = gathering->n;
                gathering->purchases[gathering->n++] =
                    (struct aff_purchase){.row = row, .first_s = at_s, .last_s = at_s};
            }
            struct aff_purchase *purchase = &gathering->purchases[gathering->places[row]];
            purchase->orders++;
            purchase->last_s = at_s;
        }
    }
    qsort(gathering->purchases, gathering->n, sizeof *gathering->purchases, by_last);
    return aff_customers_builder_add(
        gathering->builder, aff_train_customer(gathering->orders->orders[entries[0].value].customer, id),
        n_orders, gathering->purchases, gathering->n);
}

static aff_status gather(struct gathering *gathering, uint32_t n_orders, struct aff_keyed *entries,
                         struct aff_keyed *scratch)
{
    uint32_t n = 0, number = 0;
    aff_status status = AFF_OK;

    for (uint32_t o = 0; o < n_orders; o++)
        if (gathering->orders->orders[o].customer != AFF_NO_CUSTOMER)
            entries[n++] =
                (struct aff_keyed){.key = aff_sort_signed(gathering->orders->orders[o].customer), .value = o};
    if (n > 0)
        aff_sort_keyed(entries, n, scratch);
    for (uint32_t from = 0, to; status == AFF_OK && from < n; from = to) {
        for (to = from + 1; to < n && entries[to].key == entries[from].key;)
            to++;
        status = add_customer(gathering, number++, entries + from, to - from);
    }
    return status;
}

static aff_status make_customers(const struct aff_catalogue *catalogue,
                                 const struct aff_measured_orders *orders, uint32_t n_orders,
                                 struct aff_customers **ret_customers)
{
    const size_t size = (size_t)aff_catalogue_size(catalogue) + 1;
    struct gathering gathering = {.orders = orders};
    struct aff_keyed *entries = malloc(((size_t)n_orders + 1) * sizeof *entries);
    struct aff_keyed *scratch = malloc(((size_t)n_orders + 1) * sizeof *scratch);
    aff_status status = AFF_NOMEM;

    gathering.stamps = calloc(size, sizeof *gathering.stamps);
    gathering.places = malloc(size * sizeof *gathering.places);
    gathering.purchases = malloc(size * sizeof *gathering.purchases);
    if (entries != NULL && scratch != NULL && gathering.stamps != NULL && gathering.places != NULL &&
        gathering.purchases != NULL)
        status = aff_customers_builder_new(&gathering.builder);
    if (status == AFF_OK)
        status = gather(&gathering, n_orders, entries, scratch);
    if (status == AFF_OK)
        status = aff_customers_builder_finish(gathering.builder, ret_customers);
    aff_customers_builder_free(gathering.builder);
    free(entries);
    free(scratch);
    free(gathering.stamps);
    free(gathering.places);
    free(gathering.purchases);
    return status;
}

/* A copy of the sequences before number `n`. */
static aff_status copy_sessions(const struct aff_sequences *sessions, uint32_t n, uint32_t holders,
                                struct aff_sequences **ret)
{
    struct aff_sequences_builder *builder = NULL;
    aff_status status = aff_sequences_builder_new(&builder);

    for (uint32_t s = 0; status == AFF_OK && s < n; s++)
        status = aff_sequences_builder_add(builder, sessions->rows + sessions->starts[s],
                                           sessions->starts[s + 1] - sessions->starts[s], sessions->at_s[s]);
    if (status == AFF_OK)
        status = aff_sequences_builder_finish(builder, sessions->n_products, holders, ret);
    aff_sequences_builder_free(builder);
    return status;
}

static aff_status copy_baskets(const struct aff_measured_orders *orders, uint32_t n, uint32_t n_products,
                               struct aff_sequences **ret)
{
    struct aff_sequences_builder *builder = NULL;
    aff_status status = aff_sequences_builder_new(&builder);

    for (uint32_t o = 0; status == AFF_OK && o < n; o++)
        status = aff_sequences_builder_add(builder, aff_measured_order_rows(orders, o),
                                           aff_measured_order_size(orders, o), orders->orders[o].at_s);
    if (status == AFF_OK)
        status = aff_sequences_builder_finish(builder, n_products, 1, ret);
    aff_sequences_builder_free(builder);
    return status;
}

static aff_status make_traces(const struct aff_model *whole, const struct aff_measured_orders *orders,
                              uint32_t n_orders, uint32_t n_sessions, uint32_t holders,
                              struct aff_traces *traces)
{
    struct aff_sequences *baskets = NULL, *sessions = NULL;
    aff_status status = AFF_OK;

    if (n_sessions > 0)
        status = copy_sessions(whole->traces->sessions, n_sessions, holders, &sessions);
    if (status == AFF_OK && n_sessions > 0)
        status = aff_traces_learn_views(traces, sessions);
    if (status == AFF_OK && n_orders > 0)
        status = copy_baskets(orders, n_orders, aff_catalogue_size(whole->catalogue), &baskets);
    if (status == AFF_OK && n_orders > 0)
        status = aff_traces_learn_baskets(traces, baskets, orders->orders[n_orders - 1].at_s);
    aff_sequences_free(sessions);
    aff_sequences_free(baskets);
    return status;
}

aff_status aff_train(const struct aff_model *whole, const struct aff_measured_orders *orders,
                     uint32_t n_orders, uint32_t n_sessions, const struct aff_train_settings *settings,
                     struct aff_train *ret_train, struct aff_error *reterr)
{
    struct aff_model *model = calloc(1, sizeof *model);

    if (model == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    ret_train->model = model;
    *model = (struct aff_model){.totals = {.orders = n_orders}};
    aff_status status = (model->traces = calloc(1, sizeof *model->traces)) == NULL ? AFF_NOMEM : AFF_OK;
    if (status == AFF_OK)
        status = count_pairs(whole->catalogue, orders, n_orders, settings, &ret_train->pairs);
    if (status == AFF_OK)
        status = copy_catalogue(whole->catalogue, ret_train->pairs, &model->catalogue);
    if (status == AFF_OK)
        status = aff_neighbours_new(aff_catalogue_size(whole->catalogue), &model->next);
    if (status == AFF_OK)
        status = aff_measured_rows(ret_train->pairs, model->catalogue, &settings->rows, settings->n_threads,
                                   &settings->watch, &model->together);
    if (status == AFF_OK)
        status = make_customers(whole->catalogue, orders, n_orders, &model->customers);
    if (status == AFF_OK)
        status = make_traces(whole, orders, n_orders, n_sessions, settings->session_holders, model->traces);
    return status == AFF_OK ? AFF_OK : aff_error_set(reterr, status, "%s", aff_status_text(status));
}

void aff_train_done(struct aff_train *train)
{
    aff_model_free(train->model);
    aff_pairs_free(train->pairs);
    *train = (struct aff_train){0};
}

uint32_t aff_train_first_order(const struct aff_measured_orders *orders, uint32_t n_products,
                               const struct aff_train_settings *settings, uint64_t limit_bytes)
{
    /* Of a product: its neighbour row, rules of what follows, and what counting, rows and customers take for
     * it in each thread. Of a line: baskets while and after they are built, purchases and sequences. */
    enum { LINE_BYTES = 140, PAIR_BYTES = 56, RULES_BYTES = 50 * 8, SCRATCH_BYTES = 128 };
    const uint64_t product_bytes =
        settings->rows.neighbours * (sizeof(struct aff_neighbour) + sizeof(struct aff_pair_counts)) +
        RULES_BYTES + (uint64_t)settings->n_threads * SCRATCH_BYTES;
    uint64_t bytes = n_products * product_bytes;
    uint32_t first = orders->n;

    while (first > 0) {
        const uint64_t n = aff_measured_order_size(orders, first - 1);
        const uint64_t counted = n < settings->baskets.cap ? n : settings->baskets.cap;
        bytes += n * LINE_BYTES + counted * (counted - (counted > 0)) / 2 * PAIR_BYTES;
        if (bytes > limit_bytes)
            break;
        first--;
    }
    return first;
}
