/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/keymap.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The key above its row, written as a whole, so that a reader never sees one without the other. */
struct aff_keymap_slot {
    _Atomic uint64_t value;
};

#define FREE UINT64_MAX /* its row is AFF_KEYMAP_NONE */

enum { FIRST_SLOTS = 16 };

static uint64_t value_of(int32_t key, uint32_t row)
{
    return (uint64_t)(uint32_t)key << 32 | row;
}

static uint32_t row_of(uint64_t slot)
{
    return (uint32_t)slot;
}

/* Keys are mostly consecutive numbers: the multiplication spreads them (Knuth, TAOCP 3, 6.4). */
static size_t place_of(int32_t key, size_t mask)
{
    return (size_t)(((uint64_t)(uint32_t)key * 0x9E3779B97F4A7C15u) >> 32) & mask;
}

/* The place that holds `key`, or the free place where it belongs. */
static size_t probe(const struct aff_keymap *map, int32_t key, uint64_t *ret_slot)
{
    for (size_t i = place_of(key, map->mask);; i = (i + 1) & map->mask) {
        uint64_t slot = atomic_load_explicit(&map->slots[i].value, memory_order_acquire);
        if (row_of(slot) == AFF_KEYMAP_NONE || (uint32_t)(slot >> 32) == (uint32_t)key) {
            *ret_slot = slot;
            return i;
        }
    }
}

static aff_status grow(struct aff_keymap *map, size_t n_slots)
{
    struct aff_keymap larger = {.mask = n_slots - 1, .n = map->n};
    uint64_t unused;

    larger.slots = malloc(n_slots * sizeof *larger.slots);
    if (larger.slots == NULL)
        return AFF_NOMEM;
    for (size_t i = 0; i < n_slots; i++)
        atomic_init(&larger.slots[i].value, FREE);
    for (size_t i = 0; map->slots != NULL && i <= map->mask; i++) {
        uint64_t slot = atomic_load_explicit(&map->slots[i].value, memory_order_relaxed);
        if (row_of(slot) == AFF_KEYMAP_NONE)
            continue;
        size_t at = probe(&larger, (int32_t)(uint32_t)(slot >> 32), &unused);
        atomic_store_explicit(&larger.slots[at].value, slot, memory_order_relaxed);
    }
    free(map->slots);
    *map = larger;
    return AFF_OK;
}

/* Slots for `n` keys, at most six of ten in use, if there are `n_slots` already. */
static size_t slots_for(size_t n, size_t n_slots)
{
    while (n * 10 > n_slots * 6)
        n_slots *= 2;
    return n_slots;
}

aff_status aff_keymap_reserve(struct aff_keymap *map, size_t n)
{
    const size_t n_slots = slots_for(n, map->slots == NULL ? FIRST_SLOTS : map->mask + 1);

    return map->slots != NULL && n_slots == map->mask + 1 ? AFF_OK : grow(map, n_slots);
}

aff_status aff_keymap_add(struct aff_keymap *map, int32_t key, uint32_t row)
{
    uint64_t slot;

    if (row == AFF_KEYMAP_NONE)
        return AFF_INVALID;
    aff_status status = aff_keymap_reserve(map, map->n + 1);
    if (status != AFF_OK)
        return status;
    size_t at = probe(map, key, &slot);
    if (row_of(slot) != AFF_KEYMAP_NONE)
        return AFF_INVALID;
    atomic_store_explicit(&map->slots[at].value, value_of(key, row), memory_order_release);
    map->n++;
    return AFF_OK;
}

void aff_keymap_prefetch(const struct aff_keymap *map, int32_t key)
{
    if (map->slots != NULL)
        __builtin_prefetch(&map->slots[place_of(key, map->mask)]);
}

uint32_t aff_keymap_find(const struct aff_keymap *map, int32_t key)
{
    uint64_t slot;

    if (map->slots == NULL)
        return AFF_KEYMAP_NONE;
    (void)probe(map, key, &slot);
    return row_of(slot);
}

size_t aff_keymap_bytes(const struct aff_keymap *map)
{
    return map->slots == NULL ? 0 : (map->mask + 1) * sizeof *map->slots;
}

size_t aff_keymap_bytes_for(size_t n)
{
    return slots_for(n, FIRST_SLOTS) * sizeof(struct aff_keymap_slot);
}

void aff_keymap_done(struct aff_keymap *map)
{
    free(map->slots);
    *map = (struct aff_keymap){0};
}
