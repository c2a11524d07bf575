/* SPDX-License-Identifier: Apache-2.0 */
/* A map from database keys to row numbers: open addressing with linear probing, at most 60 % full. One thread
 * adds; any number of threads read without locks. While they read, keys may be added only as long as the room
 * lasts that was reserved before. */
#pragma once

#include "core/base/status.h"

#include <stdint.h>

#define AFF_KEYMAP_NONE UINT32_MAX

struct aff_keymap_slot;

/* Set to zero before first use: `struct aff_keymap map = {0}`. A copy of the struct reads the same slots. */
struct aff_keymap {
    struct aff_keymap_slot *slots;
    size_t mask; /* slots - 1, once there are slots */
    size_t n;    /* keys in the map */
};

/* Makes room for `n` keys in all: until there are so many, adding neither moves the map nor needs memory. */
AFF_MUST_CHECK aff_status aff_keymap_reserve(struct aff_keymap *map, size_t n);

/* AFF_INVALID: the key is already there, or `row` is AFF_KEYMAP_NONE. */
AFF_MUST_CHECK aff_status aff_keymap_add(struct aff_keymap *map, int32_t key, uint32_t row);

/* Starts to load the slot of a key that is about to be added. */
void aff_keymap_prefetch(const struct aff_keymap *map, int32_t key);

/* The row of `key`, AFF_KEYMAP_NONE if it is not there. */
uint32_t aff_keymap_find(const struct aff_keymap *map, int32_t key);

size_t aff_keymap_bytes(const struct aff_keymap *map);
/* The same of a map with room for `n` keys. */
size_t aff_keymap_bytes_for(size_t n);
void aff_keymap_done(struct aff_keymap *map);
