/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/idmap.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

/* `row` and `check` are written before `at`, which a reader looks at first. */
struct aff_idmap_slot {
    const char *_Atomic at; /* NULL: the slot is free */
    uint32_t row;
    uint32_t check; /* 24 bits of length, 8 bits of hash: differs for nearly every other id */
};
_Static_assert(sizeof(struct aff_idmap_slot) == 16, "four slots fill a cache line");

enum { SIZE_BITS = 24, FIRST_SLOTS = 16 };

static uint32_t check_of(struct aff_text id, uint64_t hash)
{
    return (uint32_t)id.size << 8 | (uint32_t)(hash >> 56);
}

static const char *bytes_of(const struct aff_idmap_slot *slot)
{
    return atomic_load_explicit(&slot->at, memory_order_acquire);
}

static void fill(struct aff_idmap_slot *slot, const char *at, uint32_t row, uint32_t check)
{
    slot->row = row;
    slot->check = check;
    atomic_store_explicit(&slot->at, at, memory_order_release);
}

/* The slot that holds `id`, or the free slot where it belongs. */
static struct aff_idmap_slot *probe(const struct aff_idmap *map, struct aff_text id, uint64_t hash,
                                    bool *ret_found)
{
    uint32_t check = check_of(id, hash);

    for (size_t i = hash & map->mask;; i = (i + 1) & map->mask) {
        struct aff_idmap_slot *slot = &map->slots[i];
        const char *at = bytes_of(slot);
        *ret_found = at != NULL && slot->check == check && memcmp(at, id.at, id.size) == 0;
        if (at == NULL || *ret_found)
            return slot;
    }
}

static aff_status grow(struct aff_idmap *map, size_t n_slots)
{
    struct aff_idmap larger = {.mask = n_slots - 1, .n = map->n};
    bool found;

    larger.slots = calloc(n_slots, sizeof *larger.slots);
    if (larger.slots == NULL)
        return AFF_NOMEM;
    for (size_t i = 0; map->slots != NULL && i <= map->mask; i++) {
        const struct aff_idmap_slot *slot = &map->slots[i];
        struct aff_text id = {bytes_of(slot), slot->check >> 8};
        if (id.at != NULL)
            fill(probe(&larger, id, aff_text_hash(id), &found), id.at, slot->row, slot->check);
    }
    free(map->slots);
    *map = larger;
    return AFF_OK;
}

/* Slots for `n` ids, at most six of ten in use, if there are `n_slots` already. */
static size_t slots_for(size_t n, size_t n_slots)
{
    while (n * 10 > n_slots * 6)
        n_slots *= 2;
    return n_slots;
}

aff_status aff_idmap_reserve(struct aff_idmap *map, size_t n)
{
    const size_t n_slots = slots_for(n, map->slots == NULL ? FIRST_SLOTS : map->mask + 1);

    return map->slots != NULL && n_slots == map->mask + 1 ? AFF_OK : grow(map, n_slots);
}

aff_status aff_idmap_add(struct aff_idmap *map, struct aff_text id, uint32_t row)
{
    return aff_idmap_add_hashed(map, id, row, aff_text_hash(id));
}

aff_status aff_idmap_add_hashed(struct aff_idmap *map, struct aff_text id, uint32_t row, uint64_t hash)
{
    bool found;

    if (id.size == 0 || id.size >= (size_t)1 << SIZE_BITS)
        return AFF_INVALID;
    aff_status status = aff_idmap_reserve(map, map->n + 1);
    if (status != AFF_OK)
        return status;
    struct aff_idmap_slot *slot = probe(map, id, hash, &found);
    if (found)
        return AFF_INVALID;
    fill(slot, id.at, row, check_of(id, hash));
    map->n++;
    return AFF_OK;
}

void aff_idmap_move(struct aff_idmap *map, struct aff_text id)
{
    bool found;
    struct aff_idmap_slot *slot = probe(map, id, aff_text_hash(id), &found);

    assert(found);
    atomic_store_explicit(&slot->at, id.at, memory_order_release);
}

uint64_t aff_idmap_prefetch(const struct aff_idmap *map, struct aff_text id)
{
    uint64_t hash = aff_text_hash(id);

    if (map->slots != NULL)
        __builtin_prefetch(&map->slots[hash & map->mask]);
    return hash;
}

uint32_t aff_idmap_guess(const struct aff_idmap *map, struct aff_text id, uint64_t hash)
{
    const uint32_t check = check_of(id, hash);

    for (size_t i = hash & map->mask; map->slots != NULL; i = (i + 1) & map->mask) {
        const char *at = bytes_of(&map->slots[i]);
        if (at == NULL)
            break;
        if (map->slots[i].check != check)
            continue;
        __builtin_prefetch(at);
        return map->slots[i].row;
    }
    return AFF_IDMAP_NONE;
}

uint32_t aff_idmap_find_hashed(const struct aff_idmap *map, struct aff_text id, uint64_t hash)
{
    bool found;

    if (map->slots == NULL || id.size == 0 || id.size >= (size_t)1 << SIZE_BITS)
        return AFF_IDMAP_NONE;
    const struct aff_idmap_slot *slot = probe(map, id, hash, &found);
    return found ? slot->row : AFF_IDMAP_NONE;
}

uint32_t aff_idmap_find(const struct aff_idmap *map, struct aff_text id)
{
    return aff_idmap_find_hashed(map, id, aff_text_hash(id));
}

size_t aff_idmap_bytes(const struct aff_idmap *map)
{
    return map->slots == NULL ? 0 : (map->mask + 1) * sizeof *map->slots;
}

size_t aff_idmap_bytes_for(size_t n)
{
    return slots_for(n, FIRST_SLOTS) * sizeof(struct aff_idmap_slot);
}

void aff_idmap_done(struct aff_idmap *map)
{
    free(map->slots);
    *map = (struct aff_idmap){0};
}
