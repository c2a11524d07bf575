/* SPDX-License-Identifier: Apache-2.0 */
#include "server/stores.h"

#include "core/base/clock.h"

#include <stdlib.h>

void aff_stores_init(struct aff_stores *stores)
{
    for (size_t i = 0; i < AFF_STORES_MAX; i++)
        atomic_init(&stores->at[i], NULL);
    atomic_init(&stores->n, 0);
}

void aff_stores_done(struct aff_stores *stores)
{
    size_t n = atomic_load_explicit(&stores->n, memory_order_relaxed);

    for (size_t i = 0; i < n; i++) {
        struct aff_store *store = atomic_load_explicit(&stores->at[i], memory_order_relaxed);
        aff_slot_free(store->slot);
        (void)pthread_mutex_destroy(&store->publish);
        (void)pthread_mutex_destroy(&store->freshness.lock);
        free(store);
    }
    aff_stores_init(stores);
}

struct aff_store *aff_stores_find(const struct aff_stores *stores, struct aff_text name)
{
    size_t n = atomic_load_explicit(&stores->n, memory_order_acquire);

    for (size_t i = 0; i < n; i++) {
        struct aff_store *store = atomic_load_explicit(&stores->at[i], memory_order_relaxed);
        if (store->name_size == name.size && memcmp(store->name, name.at, name.size) == 0)
            return store;
    }
    return NULL;
}

aff_status aff_stores_add(struct aff_stores *stores, struct aff_text name, struct aff_store **ret_store)
{
    size_t n = atomic_load_explicit(&stores->n, memory_order_relaxed);
    struct aff_store *store = aff_stores_find(stores, name);

    if (store != NULL) {
        *ret_store = store;
        return AFF_OK;
    }
    if (n == AFF_STORES_MAX)
        return AFF_LIMIT;
    if (!aff_text_is_id(name))
        return AFF_INVALID;
    store = calloc(1, sizeof *store);
    if (store == NULL)
        return AFF_NOMEM;
    aff_status status = aff_slot_new(&store->slot);
    if (status != AFF_OK) {
        free(store);
        return status;
    }
    (void)pthread_mutex_init(&store->publish, NULL);
    (void)pthread_mutex_init(&store->freshness.lock, NULL);
    memcpy(store->name, name.at, name.size);
    store->name_size = name.size;
    atomic_store_explicit(&stores->at[n], store, memory_order_relaxed);
    atomic_store_explicit(&stores->n, n + 1, memory_order_release);
    *ret_store = store;
    return AFF_OK;
}

int64_t aff_store_age_s(const struct aff_store *store, int64_t now_us)
{
    int64_t current_us = atomic_load_explicit(&store->freshness.current_us, memory_order_relaxed);

    if (current_us == 0)
        return -1;
    return now_us > current_us ? (now_us - current_us) / AFF_SECOND_US : 0;
}
