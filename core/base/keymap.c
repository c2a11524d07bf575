/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/keymap.h"

#include <stdlib.h>
#include <string.h>

struct aff_keymap_slot {
    int32_t key;
    uint32_t row; /* AFF_KEYMAP_NONE: the slot is free */
};

enum { FIRST_SLOTS = 16 };

/* Keys are mostly consecutive numbers: the multiplication spreads them (Knuth, TAOCP 3, 6.4). */
static size_t place_of(int32_t key, size_t mask)
{
    return (size_t)(((uint64_t)(uint32_t)key * 0x9E3779B97F4A7C15u) >> 32) & mask;
}

/* The slot that holds `key`, or the free slot where it belongs. */
static struct aff_keymap_slot *probe(const struct aff_keymap *map, int32_t key)
{
    for (size_t i = place_of(key, map->mask);; i = (i + 1) & map->mask) {
        struct aff_keymap_slot *slot = &map->slots[i];
        if (slot->row == AFF_KEYMAP_NONE || slot->key == key)
            return slot;
    }
}

static aff_status grow(struct aff_keymap *map)
{
    size_t n_slots = map->slots == NULL ? FIRST_SLOTS : (map->mask + 1) * 2;
    struct aff_keymap larger = {.mask = n_slots - 1, .n = map->n};

    larger.slots = malloc(n_slots * sizeof *larger.slots);
    if (larger.slots == NULL)
        return AFF_NOMEM;
    memset(larger.slots, 0xFF, n_slots * sizeof *larger.slots);
    for (size_t i = 0; map->slots != NULL && i <= map->mask; i++)
        if (map->slots[i].row != AFF_KEYMAP_NONE)
            *probe(&larger, map->slots[i].key) = map->slots[i];
    free(map->slots);
    *map = larger;
    return AFF_OK;
}

aff_status aff_keymap_add(struct aff_keymap *map, int32_t key, uint32_t row)
{
    if (row == AFF_KEYMAP_NONE)
        return AFF_INVALID;
    if (map->slots == NULL || (map->n + 1) * 10 > (map->mask + 1) * 6) {
        aff_status status = grow(map);
        if (status != AFF_OK)
            return status;
    }
    struct aff_keymap_slot *slot = probe(map, key);
    if (slot->row != AFF_KEYMAP_NONE)
        return AFF_INVALID;
    *slot = (struct aff_keymap_slot){.key = key, .row = row};
    map->n++;
    return AFF_OK;
}

uint32_t aff_keymap_find(const struct aff_keymap *map, int32_t key)
{
    return map->slots == NULL ? AFF_KEYMAP_NONE : probe(map, key)->row;
}

size_t aff_keymap_bytes(const struct aff_keymap *map)
{
    return map->slots == NULL ? 0 : (map->mask + 1) * sizeof *map->slots;
}

void aff_keymap_done(struct aff_keymap *map)
{
    free(map->slots);
    *map = (struct aff_keymap){0};
}
