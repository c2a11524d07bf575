/* SPDX-License-Identifier: Apache-2.0 */
/* A map from database keys to row numbers: open addressing with linear probing, at most 60 % full. Filled by
 * one thread, then read by any number of threads without locks as long as nothing is added. */
#pragma once

#include "core/base/status.h"

#include <stdint.h>

#define AFF_KEYMAP_NONE UINT32_MAX

struct aff_keymap_slot;

/* Set to zero before first use: `struct aff_keymap map = {0}`. */
struct aff_keymap {
    struct aff_keymap_slot *slots;
    size_t mask; /* slots - 1, once there are slots */
    size_t n;    /* keys in the map */
};

/* AFF_INVALID: the key is already there, or `row` is AFF_KEYMAP_NONE. */
AFF_MUST_CHECK aff_status aff_keymap_add(struct aff_keymap *map, int32_t key, uint32_t row);

/* The row of `key`, AFF_KEYMAP_NONE if it is not there. */
uint32_t aff_keymap_find(const struct aff_keymap *map, int32_t key);

size_t aff_keymap_bytes(const struct aff_keymap *map);
void aff_keymap_done(struct aff_keymap *map);
