/* SPDX-License-Identifier: Apache-2.0 */
#include "core/customer/customers.h"

#include "core/base/arena.h"
#include "core/base/idmap.h"

#include <stdlib.h>

struct aff_customers {
    struct aff_history **histories; /* by the row that `ids` answers */
    uint32_t n;
    size_t capacity; /* of histories */
    struct aff_idmap ids;
    struct aff_arena arena; /* ids and histories, each customer's together */
};

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

static aff_status grow(struct aff_customers *customers)
{
    size_t capacity = customers->capacity == 0 ? 64 : customers->capacity * 2;
    struct aff_history **histories = realloc(customers->histories, capacity * sizeof(struct aff_history *));

    if (histories == NULL)
        return AFF_NOMEM;
    customers->histories = histories;
    customers->capacity = capacity;
    return AFF_OK;
}

/* One piece of the arena holds the history and behind it the id, so that a look-up stays in one place. */
static struct aff_history *copy_customer(struct aff_customers *customers, struct aff_text *id,
                                         uint32_t orders, const struct aff_purchase *purchases, uint32_t n)
{
    size_t bytes = n * sizeof *purchases;
    struct aff_history *history = aff_arena_take(&customers->arena, sizeof *history + bytes + id->size);

    if (history == NULL)
        return NULL;
    history->orders = orders;
    history->n = n;
    if (n > 0)
        memcpy(history->purchases, purchases, bytes);
    char *copy = (char *)history + sizeof *history + bytes;
    memcpy(copy, id->at, id->size);
    id->at = copy;
    return history;
}

aff_status aff_customers_builder_add(struct aff_customers_builder *builder, struct aff_text id,
                                     uint32_t orders, const struct aff_purchase *purchases, uint32_t n)
{
    struct aff_customers *customers = builder->customers;

    if (!aff_text_is_id(id) || aff_idmap_find(&customers->ids, id) != AFF_IDMAP_NONE)
        return AFF_INVALID;
    if (customers->n == AFF_IDMAP_NONE)
        return AFF_LIMIT;
    if (customers->n == customers->capacity) {
        aff_status status = grow(customers);
        if (status != AFF_OK)
            return status;
    }
    struct aff_history *history = copy_customer(customers, &id, orders, purchases, n);
    if (history == NULL)
        return AFF_NOMEM;
    aff_status status = aff_idmap_add(&customers->ids, id, customers->n);
    if (status == AFF_OK)
        customers->histories[customers->n++] = history;
    return status;
}

aff_status aff_customers_builder_finish(struct aff_customers_builder *builder,
                                        struct aff_customers **ret_customers)
{
    *ret_customers = builder->customers;
    builder->customers = NULL;
    return AFF_OK;
}

void aff_customers_free(struct aff_customers *customers)
{
    if (customers == NULL)
        return;
    free(customers->histories);
    aff_idmap_done(&customers->ids);
    aff_arena_done(&customers->arena);
    free(customers);
}

uint32_t aff_customers_size(const struct aff_customers *customers)
{
    return customers->n;
}

const struct aff_history *aff_customers_find(const struct aff_customers *customers, struct aff_text id)
{
    uint32_t row = aff_idmap_find(&customers->ids, id);

    return row == AFF_IDMAP_NONE ? NULL : customers->histories[row];
}

size_t aff_customers_bytes(const struct aff_customers *customers)
{
    return sizeof *customers + customers->capacity * sizeof(struct aff_history *) +
           aff_idmap_bytes(&customers->ids) + customers->arena.total;
}
