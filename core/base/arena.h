/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is given out piece by piece and freed all at once. Not for several threads at a time. */
#pragma once

#include "core/base/text.h"

#include <stddef.h>

struct aff_arena_block;

/* Set to zero before first use: `struct aff_arena arena = {0}`. */
struct aff_arena {
    struct aff_arena_block *blocks; /* newest first */
    size_t used;                    /* bytes used of the newest block */
    size_t total;                   /* bytes held in all blocks */
};

/* `size` bytes aligned for any type, uninitialised; NULL if memory is out. Valid until done. */
void *aff_arena_take(struct aff_arena *arena, size_t size);

/* A copy of `text` in the arena, followed by a NUL; at == NULL if memory is out. An empty text gives "". */
struct aff_text aff_arena_copy(struct aff_arena *arena, struct aff_text text);

/* Frees everything; the arena can be used again. */
void aff_arena_done(struct aff_arena *arena);
