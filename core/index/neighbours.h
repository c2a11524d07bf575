/* SPDX-License-Identifier: Apache-2.0 */
/* A relation's neighbour rows in memory: for each product row its neighbours, best first, 8 bytes each, and
 * the counts behind them in a parallel array that is only touched when evidence is asked for.
 *
 * Rows are immutable blocks behind an array of pointers. Reader threads (registered with aff_reader_enter,
 * inside aff_slot_acquire) load a pointer and use the row until they release; one writer at a time replaces
 * rows. */
#pragma once

#include "core/base/status.h"

#include <stdint.h>

enum aff_relation {
    AFF_RELATION_TOGETHER = 1, /* numbers as in affinity.neighbour.relation */
    AFF_RELATION_NEXT = 2,
    AFF_RELATION_VIEWED = 3, /* in affinity.neighbour_viewed */
};

/* One neighbour: the other product's catalogue row and the learned ranking weight. */
struct aff_neighbour {
    uint32_t row;
    float score;
};
_Static_assert(sizeof(struct aff_neighbour) == 8, "eight neighbours fill a cache line");

/* The exact counts behind a neighbour, from which support, confidence, lift, interval and LLR are derived
 * when asked for (core/learn/evidence.h). */
struct aff_pair_counts {
    uint32_t orders;     /* baskets with both; for `next`: times in order; for `viewed`: sessions */
    uint32_t discounted; /* of these, with a discounted line of one of the two */
    int64_t weight;      /* sum of basket weights, fixed point 2^20 */
    int64_t revenue;     /* of the other product's lines in these baskets, minor units */
    int64_t margin;      /* of these lines, where the cost is known */
    union {
        float gap_days; /* `next`: median days between the two orders */
        float season_z; /* `together`: core/learn/season.h, of the time when the row was made */
    };
    float season_expected; /* `together`: orders that the months explain; 0: not known */
};

/* One product's neighbours: `n` entries by falling score, then their counts in the same order. It holds no
 * addresses: the same bytes stand in a snapshot file. */
struct aff_row {
    uint32_t n;
    uint32_t unused; /* 0 */
    struct aff_neighbour entries[];
};
_Static_assert(sizeof(struct aff_row) % 8 == 0, "entries and the counts behind them are aligned");

/* The counts of the entries, in their order. */
static inline const struct aff_pair_counts *aff_row_counts(const struct aff_row *row)
{
    return (const struct aff_pair_counts *)(const void *)(row->entries + row->n);
}

static inline size_t aff_row_bytes(uint32_t n)
{
    return sizeof(struct aff_row) + n * (sizeof(struct aff_neighbour) + sizeof(struct aff_pair_counts));
}

struct aff_neighbours;

/* An empty table for the products of a catalogue that begins with `n_rows`: it has room for as many rows as
 * that catalogue (core/base/room.h). */
AFF_MUST_CHECK aff_status aff_neighbours_new(uint32_t n_rows, struct aff_neighbours **ret_neighbours);

/* Frees the table and its rows; NULL is a no-op. No readers may remain. */
void aff_neighbours_free(struct aff_neighbours *neighbours);

/* Rows that the table has room for. */
uint32_t aff_neighbours_capacity(const struct aff_neighbours *neighbours);

/* The current row, NULL if the product has no neighbours. `row` must be below the capacity. */
const struct aff_row *aff_neighbours_row(const struct aff_neighbours *neighbours, uint32_t row);

/* Starts to load where the row is; any number will do. */
void aff_neighbours_prefetch(const struct aff_neighbours *neighbours, uint32_t row);

/* Makes a row with room for n neighbours, uninitialised apart from n; entries and counts are filled by the
 * caller through the returned pointers. Freed with free() as long as it is not in a table. */
AFF_MUST_CHECK aff_status aff_row_new(uint32_t n, struct aff_row **ret_row,
                                      struct aff_neighbour **ret_entries,
                                      struct aff_pair_counts **ret_counts);

/* Puts a row into a table that no reader can see yet; takes ownership, frees a row that was there. */
void aff_neighbours_set(struct aff_neighbours *neighbours, uint32_t at, struct aff_row *row);

/* Puts `row` (NULL: none) into a table that readers may be reading, and gives the row that was there, which
 * the caller frees with aff_neighbours_discard after a grace period. Takes ownership of `row`. */
struct aff_row *aff_neighbours_exchange(struct aff_neighbours *neighbours, uint32_t at, struct aff_row *row);

/* Frees a row that was in the table. NULL is a no-op. */
void aff_neighbours_discard(const struct aff_neighbours *neighbours, struct aff_row *row);

/* For a table whose rows are in memory that it does not own and that stays as long as the table: says where,
 * and how many rows and entries there will be; then puts the rows in, by several threads if they are
 * different rows. */
void aff_neighbours_borrow(struct aff_neighbours *neighbours, char *memory, size_t bytes, uint64_t n_rows,
                           uint64_t n_edges);
void aff_neighbours_place(struct aff_neighbours *neighbours, uint32_t at, struct aff_row *row);

/* A replacement for one row of a published table; `row` NULL removes it. */
struct aff_row_update {
    uint32_t at;
    struct aff_row *row;
};

/* Replaces rows while readers read: exchanges all pointers, waits until no reader can hold an old row, frees
 * the old rows. Takes ownership of the new ones. Blocks for a grace period: writer thread only, never inside
 * aff_slot_acquire. A reader may see some of the batch before the rest. */
void aff_neighbours_replace(struct aff_neighbours *neighbours, const struct aff_row_update *updates,
                            size_t n);

/* Bytes held for the entries (8 a neighbour, the row blocks' heads and the pointer array), and for the
 * counts. */
size_t aff_neighbours_bytes(const struct aff_neighbours *neighbours, size_t *ret_count_bytes,
                            uint64_t *ret_edges);

/* Bytes of a relation of a catalogue of so many products: edges, their counts, rows, and the room that it
 * keeps for growth. */
uint64_t aff_neighbours_bytes_for(uint64_t products, uint64_t rows, uint64_t edges);
