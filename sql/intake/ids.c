/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/intake/ids.h"

#include "sql/copy.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_SLOTS = 1024 };

static size_t find_slot(const struct aff_ids *ids, struct aff_text text, uint64_t hash)
{
    size_t slot = hash & (ids->n_slots - 1);

    while (ids->slots[slot] != 0) {
        const struct aff_id *id = &ids->all[ids->slots[slot] - 1];
        if (id->hash == hash && aff_text_equal(id->text, text))
            break;
        slot = (slot + 1) & (ids->n_slots - 1);
    }
    return slot;
}

/* Doubles the table of slots. */
static aff_status grow_slots(struct aff_ids *ids)
{
    size_t n_slots = ids->n_slots == 0 ? FIRST_SLOTS : ids->n_slots * 2;
    uint32_t *slots = calloc(n_slots, sizeof slots[0]);

    if (slots == NULL)
        return AFF_NOMEM;
    free(ids->slots);
    ids->slots = slots;
    ids->n_slots = n_slots;
    for (size_t i = 0; i < ids->n; i++)
        slots[find_slot(ids, ids->all[i].text, ids->all[i].hash)] = (uint32_t)(i + 1);
    return AFF_OK;
}

const struct aff_id *aff_ids_find(const struct aff_ids *ids, struct aff_text text)
{
    if (ids->n_slots == 0)
        return NULL;
    uint32_t index = ids->slots[find_slot(ids, text, aff_text_hash(text))];
    return index == 0 ? NULL : &ids->all[index - 1];
}

aff_status aff_ids_add(struct aff_ids *ids, struct aff_text text, int64_t number)
{
    assert(ids->n == 0 || ids->all != NULL);
    if (ids->n >= UINT32_MAX - 1)
        return AFF_LIMIT;
    if (ids->n == ids->capacity) {
        size_t capacity = ids->capacity == 0 ? FIRST_SLOTS : ids->capacity * 2;
        struct aff_id *all = realloc(ids->all, capacity * sizeof all[0]);
        if (all == NULL)
            return AFF_NOMEM;
        ids->all = all;
        ids->capacity = capacity;
    }
    if (ids->n * 2 >= ids->n_slots && grow_slots(ids) != AFF_OK)
        return AFF_NOMEM;
    struct aff_text copy = aff_arena_copy(&ids->arena, text);
    if (copy.at == NULL)
        return AFF_NOMEM;
    uint64_t hash = aff_text_hash(text);
    ids->all[ids->n] = (struct aff_id){copy, hash, number};
    ids->slots[find_slot(ids, copy, hash)] = (uint32_t)++ids->n;
    return AFF_OK;
}

aff_status aff_ids_load(struct aff_ids *ids, struct aff_connection *connection, const char *statement,
                        struct aff_error *reterr)
{
    struct aff_copy_reader reader = {0};
    bool more = true;
    aff_status status = aff_copy_read_begin(&reader, connection, statement, reterr);

    while (status == AFF_OK) {
        status = aff_copy_read(&reader, &more, reterr);
        if (status != AFF_OK || !more)
            break;
        int64_t number = aff_copy_get_int64(&reader, 0);
        struct aff_text text = aff_copy_get_text(&reader);
        if (aff_ids_find(ids, text) == NULL && aff_ids_add(ids, text, number) != AFF_OK)
            status = aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    }
    aff_copy_read_close(&reader);
    return status;
}

void aff_ids_done(struct aff_ids *ids)
{
    aff_arena_done(&ids->arena);
    free(ids->all);
    free(ids->slots);
    *ids = (struct aff_ids){0};
}
