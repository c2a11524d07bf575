/* SPDX-License-Identifier: Apache-2.0 */
#include "core/index/neighbours.h"

#include "core/base/room.h"
#include "core/index/grace.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct aff_neighbours {
    uint32_t capacity;
    const char *borrowed; /* memory that is not the table's, where rows may be; or NULL */
    size_t borrowed_bytes;
    _Atomic uint64_t n_blocks, n_edges; /* kept by the one writer, read by anybody */
    struct aff_row *_Atomic rows[];     /* NULL: no neighbours */
};

aff_status aff_neighbours_new(uint32_t n_rows, struct aff_neighbours **ret_neighbours)
{
    const uint32_t capacity = aff_room_for(n_rows);
    struct aff_neighbours *neighbours =
        calloc(1, sizeof *neighbours + (size_t)capacity * sizeof neighbours->rows[0]);

    if (neighbours == NULL)
        return AFF_NOMEM;
    neighbours->capacity = capacity;
    *ret_neighbours = neighbours;
    return AFF_OK;
}

void aff_neighbours_discard(const struct aff_neighbours *neighbours, struct aff_row *row)
{
    const char *at = (const char *)row;

    if (neighbours->borrowed == NULL || at < neighbours->borrowed ||
        at >= neighbours->borrowed + neighbours->borrowed_bytes)
        free(row);
}

void aff_neighbours_free(struct aff_neighbours *neighbours)
{
    if (neighbours == NULL)
        return;
    for (uint32_t i = 0; i < neighbours->capacity; i++)
        aff_neighbours_discard(neighbours, atomic_load_explicit(&neighbours->rows[i], memory_order_relaxed));
    free(neighbours);
}

uint32_t aff_neighbours_capacity(const struct aff_neighbours *neighbours)
{
    return neighbours->capacity;
}

const struct aff_row *aff_neighbours_row(const struct aff_neighbours *neighbours, uint32_t row)
{
    assert(row < neighbours->capacity);
    return atomic_load_explicit(&neighbours->rows[row], memory_order_acquire);
}

void aff_neighbours_prefetch(const struct aff_neighbours *neighbours, uint32_t row)
{
    if (row < neighbours->capacity)
        __builtin_prefetch((const char *)neighbours + sizeof *neighbours + row * sizeof neighbours->rows[0]);
}

aff_status aff_row_new(uint32_t n, struct aff_row **ret_row, struct aff_neighbour **ret_entries,
                       struct aff_pair_counts **ret_counts)
{
    struct aff_row *row = malloc(aff_row_bytes(n));

    if (row == NULL)
        return AFF_NOMEM;
    row->n = n;
    row->unused = 0;
    *ret_row = row;
    *ret_entries = row->entries;
    *ret_counts = (void *)(row->entries + n);
    return AFF_OK;
}

struct aff_row *aff_neighbours_exchange(struct aff_neighbours *neighbours, uint32_t at, struct aff_row *row)
{
    assert(at < neighbours->capacity);
    /* The new row belongs to the readers from here on, so it is measured before. */
    uint64_t blocks = row != NULL, edges = row == NULL ? 0 : row->n;
    struct aff_row *old = atomic_exchange_explicit(&neighbours->rows[at], row, memory_order_acq_rel);

    if (old != NULL) {
        blocks -= 1;
        edges -= old->n;
    }
    atomic_fetch_add_explicit(&neighbours->n_blocks, blocks, memory_order_relaxed);
    atomic_fetch_add_explicit(&neighbours->n_edges, edges, memory_order_relaxed);
    return old;
}

void aff_neighbours_set(struct aff_neighbours *neighbours, uint32_t at, struct aff_row *row)
{
    aff_neighbours_discard(neighbours, aff_neighbours_exchange(neighbours, at, row));
}

void aff_neighbours_borrow(struct aff_neighbours *neighbours, char *memory, size_t bytes, uint64_t n_rows,
                           uint64_t n_edges)
{
    neighbours->borrowed = memory;
    neighbours->borrowed_bytes = bytes;
    atomic_store_explicit(&neighbours->n_blocks, n_rows, memory_order_relaxed);
    atomic_store_explicit(&neighbours->n_edges, n_edges, memory_order_relaxed);
}

void aff_neighbours_place(struct aff_neighbours *neighbours, uint32_t at, struct aff_row *row)
{
    assert(at < neighbours->capacity);
    atomic_store_explicit(&neighbours->rows[at], row, memory_order_relaxed);
}

static void replace_some(struct aff_neighbours *neighbours, const struct aff_row_update *updates, size_t n,
                         struct aff_row **old)
{
    for (size_t i = 0; i < n; i++)
        old[i] = aff_neighbours_exchange(neighbours, updates[i].at, updates[i].row);
    aff_grace_wait();
    for (size_t i = 0; i < n; i++)
        aff_neighbours_discard(neighbours, old[i]);
}

void aff_neighbours_replace(struct aff_neighbours *neighbours, const struct aff_row_update *updates, size_t n)
{
    struct aff_row *few[64];
    const size_t n_few = sizeof few / sizeof few[0];
    struct aff_row **old = n <= n_few ? few : malloc(n * sizeof(struct aff_row *));

    if (old != NULL) {
        if (n > 0)
            replace_some(neighbours, updates, n, old);
        if (old != few)
            free(old);
        return;
    }
    /* Without memory for the list of a large batch it takes several grace periods, but it cannot fail. */
    for (size_t done = 0; done < n; done += n_few)
        replace_some(neighbours, updates + done, n - done < n_few ? n - done : n_few, few);
}

size_t aff_neighbours_bytes(const struct aff_neighbours *neighbours, size_t *ret_count_bytes,
                            uint64_t *ret_edges)
{
    uint64_t blocks = atomic_load_explicit(&neighbours->n_blocks, memory_order_relaxed);
    uint64_t edges = atomic_load_explicit(&neighbours->n_edges, memory_order_relaxed);

    *ret_count_bytes = edges * sizeof(struct aff_pair_counts);
    *ret_edges = edges;
    return sizeof *neighbours + neighbours->capacity * sizeof neighbours->rows[0] +
           blocks * sizeof(struct aff_row) + edges * sizeof(struct aff_neighbour);
}

uint64_t aff_neighbours_bytes_for(uint64_t products, uint64_t rows, uint64_t edges)
{
    return sizeof(struct aff_neighbours) +
           (uint64_t)aff_room_for((uint32_t)products) * sizeof(struct aff_row *) +
           rows * sizeof(struct aff_row) +
           edges * (sizeof(struct aff_neighbour) + sizeof(struct aff_pair_counts));
}
