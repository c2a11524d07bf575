/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

struct aff_arena_block {
    struct aff_arena_block *older;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

enum { BLOCK_SIZE = 64 * 1024 };

void *aff_arena_take(struct aff_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (arena->blocks == NULL || arena->blocks->size - arena->used < size) {
        size_t block_size = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        struct aff_arena_block *block = malloc(sizeof *block + block_size);
        if (block == NULL)
            return NULL;
        *block = (struct aff_arena_block){.older = arena->blocks, .size = block_size};
        arena->blocks = block;
        arena->used = 0;
        arena->total += sizeof *block + block_size;
    }
    void *piece = arena->blocks->bytes + arena->used;
    arena->used += size;
    return piece;
}

struct aff_text aff_arena_copy(struct aff_arena *arena, struct aff_text text)
{
    char *copy = aff_arena_take(arena, text.size + 1);

    if (copy == NULL)
        return (struct aff_text){NULL, 0};
    if (text.size > 0)
        memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    return (struct aff_text){copy, text.size};
}

void aff_arena_done(struct aff_arena *arena)
{
    while (arena->blocks != NULL) {
        struct aff_arena_block *older = arena->blocks->older;
        free(arena->blocks);
        arena->blocks = older;
    }
    *arena = (struct aff_arena){0};
}
