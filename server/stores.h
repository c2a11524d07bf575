/* SPDX-License-Identifier: Apache-2.0 */
/* The stores that the service answers for, each with the slot that holds its model. The loader adds stores;
 * workers look them up without a lock. A store is never taken away while the service runs: one that left the
 * database keeps its place and serves what was loaded last. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/index/slot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define AFF_STORES_MAX 256

/* How new a store's model is. Written by the loader, read by any thread. */
struct aff_freshness {
    _Atomic int64_t
        current_us;          /* wall clock at which the model was last known to be as the tables; 0: never */
    _Atomic int64_t lag_us;  /* age of the oldest change of an order that is not counted yet; 0: none waits */
    _Atomic uint64_t queued; /* such changes */
    _Atomic uint64_t loads, batches, rows; /* full loads; batches of changes, and rows and products in them */
    pthread_mutex_t lock;                  /* of what follows */
    char leader[AFF_ID_MAX + 1];           /* who folds, for people; empty: nobody */
};

struct aff_store {
    char name[AFF_ID_MAX + 1];
    size_t name_size;
    struct aff_slot *slot; /* never NULL */
    struct aff_freshness freshness;
    /* Set by who has written products for which the model has no room: the loader loads the store anew. */
    atomic_bool wants_load;
    /* Held by whoever changes or replaces the model, from before it reads what it publishes out of the
     * database until that is published: so an older state never replaces a newer one. Never on the request
     * path. Writers of products hold the database's locks while they wait for it, so they wait only briefly
     * and then leave the change to the loader. */
    pthread_mutex_t publish;
};

struct aff_stores {
    struct aff_store *_Atomic at[AFF_STORES_MAX]; /* the first n are set for good */
    atomic_size_t n;
};

void aff_stores_init(struct aff_stores *stores);
void aff_stores_done(struct aff_stores *stores); /* frees stores and models; no readers may remain */

/* NULL if the store is not known. Any thread. */
struct aff_store *aff_stores_find(const struct aff_stores *stores, struct aff_text name);

/* The store of that name, added if it is new. One thread only. AFF_LIMIT: there are AFF_STORES_MAX. */
AFF_MUST_CHECK aff_status aff_stores_add(struct aff_stores *stores, struct aff_text name,
                                         struct aff_store **ret_store);

/* Whole seconds since the store's model was known to be as the tables; -1: never. Any thread. */
int64_t aff_store_age_s(const struct aff_store *store, int64_t now_us);
