/* SPDX-License-Identifier: Apache-2.0 */
/* The best few of many scored rows, by a bounded heap. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct aff_scored {
    float score;
    uint32_t row;
    uint32_t payload; /* whatever the caller wants to find again */
};

/* The worst kept entry is at the root. `entries` has room for `capacity` (at least 1). */
struct aff_top {
    struct aff_scored *entries; /* borrowed */
    uint32_t n, capacity;
};

/* True if `a` ranks behind `b`: lower score, or the same score and the higher row. */
bool aff_scored_behind(struct aff_scored a, struct aff_scored b);

/* True if aff_top_offer() would keep the entry. */
static inline bool aff_top_takes(const struct aff_top *top, struct aff_scored entry)
{
    return top->n < top->capacity || aff_scored_behind(top->entries[0], entry);
}

/* Keeps the entry if it is among the best so far. */
void aff_top_offer(struct aff_top *top, struct aff_scored entry);

/* Sorts the kept entries, best first; the heap is used up. */
void aff_top_sort(struct aff_top *top);

/* Sorts the kept entries by ascending row; the heap is used up. */
void aff_top_sort_by_row(struct aff_top *top);
