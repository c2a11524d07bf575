/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/sort.h"

#include <string.h>

/* Below this, insertion beats the passes over the counters. */
enum { SMALL = 48, DIGIT = 256 };

static void insertion_u32(uint32_t *values, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint32_t value = values[i];
        size_t at = i;
        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

static void insertion_keyed(struct aff_keyed *entries, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct aff_keyed entry = entries[i];
        size_t at = i;
        for (; at > 0 && entries[at - 1].key > entry.key; at--)
            entries[at] = entries[at - 1];
        entries[at] = entry;
    }
}

/* Turns the counts of a digit into the places where its first entries go. */
static void to_places(size_t count[DIGIT])
{
    size_t place = 0;
    for (size_t digit = 0; digit < DIGIT; digit++) {
        size_t n = count[digit];
        count[digit] = place;
        place += n;
    }
}

void aff_sort_u32(uint32_t *values, size_t n, uint32_t *scratch)
{
    uint32_t all_or = 0, all_and = UINT32_MAX;
    uint32_t *from = values, *to = scratch;

    if (n < SMALL) {
        insertion_u32(values, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        all_or |= values[i];
        all_and &= values[i];
    }
    for (int shift = 0; shift < 32; shift += 8) {
        size_t count[DIGIT] = {0};
        if ((((all_or ^ all_and) >> shift) & 0xFF) == 0)
            continue; /* all values agree in this digit */
        for (size_t i = 0; i < n; i++)
            count[(from[i] >> shift) & 0xFF]++;
        to_places(count);
        for (size_t i = 0; i < n; i++)
            to[count[(from[i] >> shift) & 0xFF]++] = from[i];
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != values)
        memcpy(values, from, n * sizeof *values);
}

void aff_sort_keyed(struct aff_keyed *entries, size_t n, struct aff_keyed *scratch)
{
    uint64_t all_or = 0, all_and = UINT64_MAX;
    struct aff_keyed *from = entries, *to = scratch;

    if (n < SMALL) {
        insertion_keyed(entries, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        all_or |= entries[i].key;
        all_and &= entries[i].key;
    }
    for (int shift = 0; shift < 64; shift += 8) {
        size_t count[DIGIT] = {0};
        if ((((all_or ^ all_and) >> shift) & 0xFF) == 0)
            continue;
        for (size_t i = 0; i < n; i++)
            count[(from[i].key >> shift) & 0xFF]++;
        to_places(count);
        for (size_t i = 0; i < n; i++)
            to[count[(from[i].key >> shift) & 0xFF]++] = from[i];
        struct aff_keyed *swap = from;
        from = to;
        to = swap;
    }
    if (from != entries)
        memcpy(entries, from, n * sizeof *entries);
}
