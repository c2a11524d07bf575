/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/rows_together.h"

#include "sql/read_pairs.h"

#include <stdlib.h>

struct aff_together {
    struct aff_connection *connection;
    int store;
    struct aff_rows_settings settings;
    struct aff_pairs *pairs;
};

struct making {
    struct aff_together *together;
    struct aff_rows_write *write;
    const int32_t *products;
    uint32_t n;
    int32_t *keys;
};

aff_status aff_together_load(struct aff_connection *connection, int store,
                             const struct aff_rows_settings *settings, uint64_t limit_bytes,
                             struct aff_together **ret_together, struct aff_error *reterr)
{
    struct aff_together *together = calloc(1, sizeof *together);

    (void)limit_bytes;
    (void)reterr;
    if (together == NULL)
        return AFF_NOMEM;
    *together = (struct aff_together){.connection = connection, .store = store, .settings = *settings};
    *ret_together = together;
    return AFF_OK;
}

void aff_together_free(struct aff_together *together)
{
    if (together == NULL)
        return;
    aff_pairs_free(together->pairs);
    free(together);
}

aff_status aff_together_add(struct aff_together *together, const struct aff_deltas *deltas)
{
    (void)deltas;
    aff_pairs_free(together->pairs);
    together->pairs = NULL;
    return AFF_OK;
}

static aff_status take(void *context, int thread, uint32_t a, const struct aff_neighbour *neighbours,
                       const struct aff_pair_counts *counts, uint32_t n)
{
    struct making *making = context;
    const struct aff_product_stat *stats = making->together->pairs->stats;

    (void)thread;
    for (uint32_t i = 0; i < making->n; i++)
        if (making->products[i] == stats[a].product) {
            for (uint32_t j = 0; j < n; j++)
                making->keys[j] = stats[neighbours[j].row].product;
            return aff_rows_write_put(making->write, AFF_RELATION_TOGETHER, stats[a].product, making->keys,
                                      neighbours, counts, n);
        }
    return AFF_OK;
}

aff_status aff_together_rows(struct aff_together *together, struct aff_rows_write *write,
                             const int32_t *products, uint32_t n, bool *ret_mine, struct aff_error *reterr)
{
    struct making making = {.together = together, .write = write, .products = products, .n = n};
    aff_status status = AFF_OK;

    if (together->pairs == NULL)
        status = aff_read_pairs(together->connection, together->store, &together->pairs, reterr);
    making.keys = malloc(together->settings.neighbours * sizeof *making.keys);
    if (status == AFF_OK)
        status = aff_rows_write_begin(write, AFF_RELATION_TOGETHER, products, n, ret_mine, reterr);
    if (status == AFF_OK && *ret_mine) {
        status = aff_rows_build(together->pairs, &together->settings, 1, NULL, take, &making);
        if (status != AFF_OK)
            (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
        status = aff_rows_write_end(write, status, reterr);
    }
    free(making.keys);
    return status;
}
