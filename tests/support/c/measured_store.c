/* SPDX-License-Identifier: Apache-2.0 */
#include "measured_store.h"

#include "core/measure/train.h"

#include <stdio.h>
#include <stdlib.h>

enum { BASKET = 4, LIKED = 3, VIEWS = 5 };

#define BEGIN_S 1600000000u
#define SPAN_S (2u * 365 * 86400)

static void must(aff_status status)
{
    if (status == AFF_OK)
        return;
    (void)fprintf(stderr, "measured store: %s\n", aff_status_text(status));
    abort();
}

static uint32_t below(struct aff_random *random, uint32_t bound)
{
    return (uint32_t)aff_random_below(random, bound);
}

static struct aff_catalogue *make_catalogue(uint32_t n_products)
{
    struct aff_catalogue_builder *builder;
    struct aff_catalogue *catalogue;

    must(aff_catalogue_builder_new(&builder));
    for (uint32_t row = 0; row < n_products; row++) {
        char id[24];
        (void)snprintf(id, sizeof id, "P%u", (unsigned)row);
        const struct aff_product product = {.key = (int32_t)row,
                                            .id = aff_text_of(id),
                                            .price = 100,
                                            .compare_at = AFF_NO_MONEY,
                                            .cost = AFF_NO_MONEY,
                                            .stock = AFF_NO_STOCK,
                                            .available = true};
        must(aff_catalogue_builder_add(builder, &product));
    }
    must(aff_catalogue_builder_finish(builder, &catalogue));
    aff_catalogue_builder_free(builder);
    return catalogue;
}

/* Customer number c likes the products from 7 c on. */
static uint32_t choose(struct aff_random *random, uint32_t n_products, uint32_t customer, uint32_t loyal)
{
    if (below(random, 10) < loyal)
        return (7 * customer + below(random, LIKED)) % n_products;
    return below(random, n_products);
}

static uint32_t fill_basket(struct aff_random *random, uint32_t n_products, uint32_t customer, uint32_t loyal,
                            uint32_t *rows)
{
    uint32_t n = 0;

    for (int i = 0; i < BASKET; i++) {
        const uint32_t row = choose(random, n_products, customer, loyal);
        bool again = false;
        for (uint32_t j = 0; j < n; j++)
            again = again || rows[j] == row;
        if (!again)
            rows[n++] = row;
    }
    return n;
}

void measured_store_make(struct aff_random *random, uint32_t n_products, uint32_t n_customers,
                         uint32_t n_orders, uint32_t loyal, struct measured_store *ret)
{
    uint32_t n_rows = 0;

    *ret = (struct measured_store){.orders = {.n = n_orders}};
    ret->whole = (struct aff_model){.catalogue = make_catalogue(n_products), .traces = &ret->traces};
    ret->orders.orders = calloc((size_t)n_orders + 1, sizeof *ret->orders.orders);
    ret->orders.rows = calloc((size_t)n_orders * BASKET + 1, sizeof *ret->orders.rows);
    if (ret->orders.orders == NULL || ret->orders.rows == NULL)
        must(AFF_NOMEM);
    for (uint32_t o = 0; o < n_orders; o++) {
        const uint32_t customer = below(random, n_customers);
        ret->orders.orders[o] = (struct aff_measured_order){
            .customer = customer,
            .at_s = BEGIN_S + (uint32_t)((uint64_t)SPAN_S * o / n_orders),
            .start = n_rows,
        };
        n_rows += fill_basket(random, n_products, customer, loyal, ret->orders.rows + n_rows);
    }
    ret->orders.orders[n_orders].start = n_rows;
}

void measured_store_add_sessions(struct aff_random *random, uint32_t n, struct measured_store *store)
{
    const uint32_t n_products = aff_catalogue_size(store->whole.catalogue);
    struct aff_sequences_builder *builder;

    must(aff_sequences_builder_new(&builder));
    for (uint32_t s = 0; s < n; s++) {
        uint32_t rows[VIEWS];
        for (int i = 0; i < VIEWS; i++)
            rows[i] = below(random, n_products);
        must(aff_sequences_builder_add(builder, rows, VIEWS, BEGIN_S + 60 * s));
    }
    must(aff_sequences_builder_finish(builder, n_products, 500, &store->traces.sessions));
    aff_sequences_builder_free(builder);
}

void measured_store_done(struct measured_store *store)
{
    aff_sequences_free(store->traces.sessions);
    aff_measured_orders_done(&store->orders);
    aff_catalogue_free(store->whole.catalogue);
}
