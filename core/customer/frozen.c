/* SPDX-License-Identifier: Apache-2.0 */
#include "core/customer/frozen.h"

#include "core/customer/customers_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Customers whose slots in the map are being loaded. */
enum { AHEAD = 16 };

static aff_status put_history(struct aff_customers *customers, struct aff_history *history, uint64_t hash)
{
    const struct aff_text id = aff_history_id(history);

    if (!aff_text_is_id(id))
        return AFF_DATA;
    aff_status status = aff_idmap_add_hashed(&customers->ids, id, customers->n, hash);
    if (status == AFF_OK)
        atomic_init(&customers->histories[customers->n++].history, history);
    return status;
}

static aff_status put_histories(struct aff_customers *customers, const uint64_t *offsets, uint32_t n,
                                char *borrowed)
{
    const uint32_t room = aff_room_for(n);
    uint64_t hashes[AHEAD];
    aff_status status = aff_idmap_reserve(&customers->ids, room);

    customers->histories = malloc(room * sizeof *customers->histories);
    if (customers->histories == NULL)
        return AFF_NOMEM;
    customers->capacity = room;
    for (uint64_t i = 0; status == AFF_OK && i < (uint64_t)n + AHEAD; i++) {
        if (i >= AHEAD)
            status = put_history(customers, (void *)(borrowed + offsets[i - AHEAD]), hashes[i % AHEAD]);
        if (i < n)
            hashes[i % AHEAD] =
                aff_idmap_prefetch(&customers->ids, aff_history_id((const void *)(borrowed + offsets[i])));
    }
    return status == AFF_INVALID ? AFF_DATA : status;
}

aff_status aff_customers_freeze(char *borrowed, size_t borrowed_bytes, const uint64_t *offsets, uint32_t n,
                                struct aff_customers **ret_customers)
{
    struct aff_customers *customers = calloc(1, sizeof *customers);

    if (customers == NULL)
        return AFF_NOMEM;
    customers->borrowed = borrowed;
    customers->borrowed_bytes = borrowed_bytes;
    aff_status status = put_histories(customers, offsets, n, borrowed);
    if (status == AFF_OK)
        status = aff_customers_complete(customers);
    if (status == AFF_OK)
        *ret_customers = customers;
    else
        aff_customers_free(customers);
    return status;
}

const struct aff_history *aff_customers_at(const struct aff_customers *customers, uint32_t row)
{
    return atomic_load_explicit(&customers->histories[row].history, memory_order_acquire);
}

uint64_t aff_customers_frozen_bytes(uint32_t n)
{
    /* At most twice the slots that 60 % full asks for. */
    return sizeof(struct aff_customers) +
           (uint64_t)aff_room_for(n) * (sizeof(struct aff_history_place) + (uint64_t)4 * 16);
}
