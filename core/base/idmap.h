/* SPDX-License-Identifier: Apache-2.0 */
/* A map from ids to row numbers: open addressing with linear probing on aff_text_hash, at most 60 % full. One
 * thread adds; any number of threads read without locks. While they read, ids may be added only as long as
 * the room lasts that was reserved before, since a map that grows moves.
 *
 * A slot holds address and length of the id, so that a look-up costs two cache misses: the slot and the id's
 * bytes, which are always compared in full. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

#define AFF_IDMAP_NONE UINT32_MAX

struct aff_idmap_slot;

/* Set to zero before first use: `struct aff_idmap map = {0}`. A copy of the struct reads the same slots. */
struct aff_idmap {
    struct aff_idmap_slot *slots;
    size_t mask; /* slots - 1, once there are slots */
    size_t n;    /* ids in the map */
};

/* Makes room for `n` ids in all: until there are so many, adding neither moves the map nor needs memory. */
AFF_MUST_CHECK aff_status aff_idmap_reserve(struct aff_idmap *map, size_t n);

/* Adds `id`, whose bytes must stay where they are until aff_idmap_move or the end of the map. A reader that
 * finds it sees everything that was written before. AFF_INVALID: empty, 16 MiB or longer, or already there.
 */
AFF_MUST_CHECK aff_status aff_idmap_add(struct aff_idmap *map, struct aff_text id, uint32_t row);

/* The same with the hash from aff_idmap_prefetch, for callers that add many ids and begin to load the slots
 * of the next ones beforehand. */
AFF_MUST_CHECK aff_status aff_idmap_add_hashed(struct aff_idmap *map, struct aff_text id, uint32_t row,
                                               uint64_t hash);

/* Says that the bytes of an id that is in the map are now (also) where `id` is. Readers may use the old ones
 * for a grace period. */
void aff_idmap_move(struct aff_idmap *map, struct aff_text id);

/* The row of `id`, AFF_IDMAP_NONE if it is not there. */
uint32_t aff_idmap_find(const struct aff_idmap *map, struct aff_text id);

/* The same in three steps, for callers with several ids, so that the cache misses of all ids run at the same
 * time: the first hashes and starts to load the slot; the second, which may be left out, starts to load the
 * bytes of the id that is probably meant and tells its row (AFF_IDMAP_NONE: surely not there); the third
 * compares and knows. */
uint64_t aff_idmap_prefetch(const struct aff_idmap *map, struct aff_text id);
uint32_t aff_idmap_guess(const struct aff_idmap *map, struct aff_text id, uint64_t hash);
uint32_t aff_idmap_find_hashed(const struct aff_idmap *map, struct aff_text id, uint64_t hash);

/* Bytes of memory that the map holds, without the ids. */
size_t aff_idmap_bytes(const struct aff_idmap *map);
/* The same of a map with room for `n` ids. */
size_t aff_idmap_bytes_for(size_t n);

void aff_idmap_done(struct aff_idmap *map);
