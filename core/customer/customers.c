/* SPDX-License-Identifier: Apache-2.0 */
#include "core/customer/customers_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

/* The customers grow in place. */
struct aff_customers_builder {
    struct aff_customers *customers; /* NULL once finished */
};

aff_status aff_customers_builder_new(struct aff_customers_builder **ret_builder)
{
    struct aff_customers_builder *builder = calloc(1, sizeof *builder);

    if (builder == NULL)
        return AFF_NOMEM;
    builder->customers = calloc(1, sizeof *builder->customers);
    if (builder->customers == NULL) {
        free(builder);
        return AFF_NOMEM;
    }
    *ret_builder = builder;
    return AFF_OK;
}

void aff_customers_builder_free(struct aff_customers_builder *builder)
{
    if (builder == NULL)
        return;
    aff_customers_free(builder->customers);
    free(builder);
}

static aff_status resize(struct aff_customers *customers, uint32_t capacity)
{
    struct aff_history_place *histories = realloc(customers->histories, capacity * sizeof *histories);

    if (histories == NULL)
        return AFF_NOMEM;
    customers->histories = histories;
    customers->capacity = capacity;
    return AFF_OK;
}

struct aff_history *aff_history_new(struct aff_text id, uint32_t orders, const struct aff_purchase *purchases,
                                    uint32_t n)
{
    struct aff_history *history = malloc(sizeof *history + n * sizeof *purchases + id.size);

    if (history == NULL)
        return NULL;
    history->orders = orders;
    history->n = n;
    history->id_size = (uint32_t)id.size;
    if (n > 0)
        memcpy(history->purchases, purchases, n * sizeof *purchases);
    memcpy(history->purchases + n, id.at, id.size);
    return history;
}

bool aff_history_is_borrowed(const struct aff_customers *customers, const struct aff_history *history)
{
    const char *at = (const char *)history;

    return customers->borrowed != NULL && at >= customers->borrowed &&
           at < customers->borrowed + customers->borrowed_bytes;
}

aff_status aff_customers_builder_add(struct aff_customers_builder *builder, struct aff_text id,
                                     uint32_t orders, const struct aff_purchase *purchases, uint32_t n)
{
    struct aff_customers *customers = builder->customers;

    if (!aff_text_is_id(id) || aff_idmap_find(&customers->ids, id) != AFF_IDMAP_NONE)
        return AFF_INVALID;
    if (customers->n == UINT32_MAX / 2)
        return AFF_LIMIT;
    if (customers->n == customers->capacity) {
        aff_status status = resize(customers, customers->capacity == 0 ? 64 : customers->capacity * 2);
        if (status != AFF_OK)
            return status;
    }
    struct aff_history *history = aff_history_new(id, orders, purchases, n);
    if (history == NULL)
        return AFF_NOMEM;
    aff_status status = aff_idmap_add(&customers->ids, aff_history_id(history), customers->n);
    if (status != AFF_OK) {
        free(history);
        return status;
    }
    customers->history_bytes += aff_history_bytes(history);
    atomic_init(&customers->histories[customers->n++].history, history);
    return AFF_OK;
}

aff_status aff_customers_complete(struct aff_customers *customers)
{
    const uint32_t capacity = aff_room_for(customers->n);
    aff_status status = resize(customers, capacity);

    if (status != AFF_OK)
        return status;
    for (uint32_t row = customers->n; row < capacity; row++)
        atomic_init(&customers->histories[row].history, NULL);
    return aff_idmap_reserve(&customers->ids, capacity);
}

aff_status aff_customers_builder_finish(struct aff_customers_builder *builder,
                                        struct aff_customers **ret_customers)
{
    aff_status status = aff_customers_complete(builder->customers);

    if (status == AFF_OK)
        *ret_customers = builder->customers;
    else
        aff_customers_free(builder->customers);
    builder->customers = NULL;
    return status;
}

void aff_customers_free(struct aff_customers *customers)
{
    if (customers == NULL)
        return;
    for (uint32_t row = 0; row < customers->n; row++) {
        struct aff_history *history =
            atomic_load_explicit(&customers->histories[row].history, memory_order_relaxed);
        if (!aff_history_is_borrowed(customers, history))
            free(history);
    }
    free(customers->histories);
    aff_idmap_done(&customers->ids);
    free(customers);
}

uint32_t aff_customers_size(const struct aff_customers *customers)
{
    return customers->n;
}

const struct aff_history *aff_customers_find(const struct aff_customers *customers, struct aff_text id)
{
    uint32_t row = aff_idmap_find(&customers->ids, id);

    return row == AFF_IDMAP_NONE
               ? NULL
               : atomic_load_explicit(&customers->histories[row].history, memory_order_acquire);
}

size_t aff_customers_bytes(const struct aff_customers *customers)
{
    return sizeof *customers + customers->capacity * sizeof customers->histories[0] +
           aff_idmap_bytes(&customers->ids) + customers->history_bytes;
}

uint64_t aff_customers_bytes_for(uint64_t n, uint64_t id_text, uint64_t purchases)
{
    const uint64_t capacity = aff_room_for((uint32_t)n);

    return sizeof(struct aff_customers) + capacity * sizeof(struct aff_history_place) +
           aff_idmap_bytes_for(capacity) + n * sizeof(struct aff_history) + id_text +
           purchases * sizeof(struct aff_purchase);
}
