/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting of plain numbers, faster than qsort() for the sizes that counting meets. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Sorts ascending. `scratch` has room for n values. */
void aff_sort_u32(uint32_t *values, size_t n, uint32_t *scratch);

/* A number to sort by and what goes with it. */
struct aff_keyed {
    uint64_t key;
    uint32_t value;
};

/* Sorts ascending by key; entries of equal keys keep their order. `scratch` has room for n entries. */
void aff_sort_keyed(struct aff_keyed *entries, size_t n, struct aff_keyed *scratch);

/* Maps a signed number to an unsigned one of the same order. */
static inline uint64_t aff_sort_signed(int64_t value)
{
    return (uint64_t)value ^ (UINT64_C(1) << 63);
}
