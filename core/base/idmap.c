/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/idmap.h"

#include <stdlib.h>

struct aff_idmap_slot {
    const char *at; /* NULL: the slot is free */
    uint32_t row;
    uint32_t check; /* 24 bits of length, 8 bits of hash: differs for nearly every other id */
};
_Static_assert(sizeof(struct aff_idmap_slot) == 16, "four slots fill a cache line");

enum { SIZE_BITS = 24, FIRST_SLOTS = 16 };

static uint32_t check_of(struct aff_text id, uint64_t hash)
{
    return (uint32_t)id.size << 8 | (uint32_t)(hash >> 56);
}

/* The slot that holds `id`, or the free slot where it belongs. */
static struct aff_idmap_slot *probe(const struct aff_idmap *map, struct aff_text id, uint64_t hash)
{
    uint32_t check = check_of(id, hash);

    for (size_t i = hash & map->mask;; i = (i + 1) & map->mask) {
        struct aff_idmap_slot *slot = &map->slots[i];
        if (slot->at == NULL)
            return slot;
        if (slot->check == check && memcmp(slot->at, id.at, id.size) == 0)
            return slot;
    }
}

static aff_status grow(struct aff_idmap *map)
{
    size_t n_slots = map->slots == NULL ? FIRST_SLOTS : (map->mask + 1) * 2;
    struct aff_idmap larger = {.mask = n_slots - 1, .n = map->n};

    larger.slots = calloc(n_slots, sizeof *larger.slots);
    if (larger.slots == NULL)
        return AFF_NOMEM;
    for (size_t i = 0; map->slots != NULL && i <= map->mask; i++) {
        const struct aff_idmap_slot *slot = &map->slots[i];
        if (slot->at == NULL)
            continue;
        struct aff_text id = {slot->at, slot->check >> 8};
        *probe(&larger, id, aff_text_hash(id)) = *slot;
    }
    free(map->slots);
    *map = larger;
    return AFF_OK;
}

aff_status aff_idmap_add(struct aff_idmap *map, struct aff_text id, uint32_t row)
{
    if (id.size == 0 || id.size >= (size_t)1 << SIZE_BITS)
        return AFF_INVALID;
    if (map->slots == NULL || (map->n + 1) * 10 > (map->mask + 1) * 6) {
        aff_status status = grow(map);
        if (status != AFF_OK)
            return status;
    }
    uint64_t hash = aff_text_hash(id);
    struct aff_idmap_slot *slot = probe(map, id, hash);
    if (slot->at != NULL)
        return AFF_INVALID;
    *slot = (struct aff_idmap_slot){.at = id.at, .row = row, .check = check_of(id, hash)};
    map->n++;
    return AFF_OK;
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

    for (size_t i = hash & map->mask; map->slots != NULL && map->slots[i].at != NULL;
         i = (i + 1) & map->mask) {
        if (map->slots[i].check != check)
            continue;
        __builtin_prefetch(map->slots[i].at);
        return map->slots[i].row;
    }
    return AFF_IDMAP_NONE;
}

uint32_t aff_idmap_find_hashed(const struct aff_idmap *map, struct aff_text id, uint64_t hash)
{
    if (map->slots == NULL || id.size == 0 || id.size >= (size_t)1 << SIZE_BITS)
        return AFF_IDMAP_NONE;
    const struct aff_idmap_slot *slot = probe(map, id, hash);
    return slot->at == NULL ? AFF_IDMAP_NONE : slot->row;
}

uint32_t aff_idmap_find(const struct aff_idmap *map, struct aff_text id)
{
    return aff_idmap_find_hashed(map, id, aff_text_hash(id));
}

size_t aff_idmap_bytes(const struct aff_idmap *map)
{
    return map->slots == NULL ? 0 : (map->mask + 1) * sizeof *map->slots;
}

void aff_idmap_done(struct aff_idmap *map)
{
    free(map->slots);
    *map = (struct aff_idmap){0};
}
