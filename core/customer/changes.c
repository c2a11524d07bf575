/* SPDX-License-Identifier: Apache-2.0 */
#include "core/customer/changes.h"

#include "core/customer/customers_internal.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

/* The history that a row gets; once applied, the one that it had (NULL: none). */
struct change {
    uint32_t row;
    struct aff_history *history;
};

struct aff_customers_changes {
    struct aff_customers *customers; /* what readers have until the next model */
    struct aff_customers *next;
    struct change *changes; /* in their order; a customer of before may come twice */
    uint32_t n, capacity;
    struct aff_idmap new_ids; /* of added customers, to the number of their change */
};

aff_status aff_customers_changes_new(struct aff_customers *customers,
                                     struct aff_customers_changes **ret_changes)
{
    struct aff_customers_changes *changes = calloc(1, sizeof *changes);

    if (changes == NULL)
        return AFF_NOMEM;
    changes->next = malloc(sizeof *changes->next);
    if (changes->next == NULL) {
        free(changes);
        return AFF_NOMEM;
    }
    *changes->next = *customers;
    changes->customers = customers;
    *ret_changes = changes;
    return AFF_OK;
}

static aff_status reserve(struct aff_customers_changes *changes)
{
    if (changes->n < changes->capacity)
        return AFF_OK;
    uint32_t capacity = changes->capacity == 0 ? 16 : changes->capacity * 2;
    struct change *larger = realloc(changes->changes, capacity * sizeof *larger);
    if (larger == NULL)
        return AFF_NOMEM;
    changes->changes = larger;
    changes->capacity = capacity;
    return AFF_OK;
}

aff_status aff_customers_changes_put(struct aff_customers_changes *changes, struct aff_text id,
                                     uint32_t orders, const struct aff_purchase *purchases, uint32_t n)
{
    const struct aff_customers *customers = changes->customers;

    if (!aff_text_is_id(id))
        return AFF_INVALID;
    uint32_t row = aff_idmap_find(&customers->ids, id);
    uint32_t at = row == AFF_IDMAP_NONE ? aff_idmap_find(&changes->new_ids, id) : AFF_IDMAP_NONE;
    const bool is_new = row == AFF_IDMAP_NONE && at == AFF_IDMAP_NONE;
    if (is_new) {
        row = customers->n + (uint32_t)changes->new_ids.n;
        if (row >= customers->capacity)
            return AFF_LIMIT;
    }
    aff_status status = reserve(changes);
    if (status != AFF_OK)
        return status;
    struct aff_history *history = aff_history_new(id, orders, purchases, n);
    if (history == NULL)
        return AFF_NOMEM;
    if (at != AFF_IDMAP_NONE) {
        aff_idmap_move(&changes->new_ids, aff_history_id(history));
        free(changes->changes[at].history);
        changes->changes[at].history = history;
        return AFF_OK;
    }
    if (is_new) {
        status = aff_idmap_add(&changes->new_ids, aff_history_id(history), changes->n);
        if (status != AFF_OK) {
            free(history);
            return status;
        }
    }
    changes->changes[changes->n++] = (struct change){row, history};
    return AFF_OK;
}

/* The map comes last, since it leads readers to the row. */
static void apply(struct aff_customers *next, struct change *change)
{
    struct aff_history *history = change->history;
    const bool is_new = change->row >= next->n;

    next->history_bytes += aff_history_bytes(history);
    change->history =
        atomic_exchange_explicit(&next->histories[change->row].history, history, memory_order_acq_rel);
    if (change->history != NULL && !aff_history_is_borrowed(next, change->history))
        next->history_bytes -= aff_history_bytes(change->history);
    if (is_new) {
        assert(change->row == next->n && change->history == NULL);
        next->n++;
        aff_status status = aff_idmap_add(&next->ids, aff_history_id(history), change->row);
        (void)status;
        assert(status == AFF_OK); /* there is room, and the id is not there */
    } else {
        aff_idmap_move(&next->ids, aff_history_id(history));
    }
}

struct aff_customers *aff_customers_changes_apply(struct aff_customers_changes *changes)
{
    struct aff_customers *next = changes->next;

    for (uint32_t i = 0; i < changes->n; i++)
        apply(next, &changes->changes[i]);
    changes->next = NULL;
    return next;
}

static void free_changes(struct aff_customers_changes *changes)
{
    aff_idmap_done(&changes->new_ids);
    free(changes->changes);
    free(changes->next);
    free(changes);
}

void aff_customers_changes_settle(struct aff_customers_changes *changes)
{
    for (uint32_t i = 0; i < changes->n; i++)
        if (!aff_history_is_borrowed(changes->customers, changes->changes[i].history))
            free(changes->changes[i].history);
    free(changes->customers);
    free_changes(changes);
}

void aff_customers_changes_drop(struct aff_customers_changes *changes)
{
    if (changes == NULL)
        return;
    for (uint32_t i = 0; i < changes->n; i++)
        free(changes->changes[i].history);
    free_changes(changes);
}
