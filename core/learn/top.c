/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/top.h"

#include <stdlib.h>

bool aff_scored_behind(struct aff_scored a, struct aff_scored b)
{
    return a.score < b.score || (a.score == b.score && a.row > b.row);
}

static void sift_up(struct aff_top *top, uint32_t at)
{
    struct aff_scored entry = top->entries[at];

    while (at > 0 && aff_scored_behind(entry, top->entries[(at - 1) / 2])) {
        top->entries[at] = top->entries[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    top->entries[at] = entry;
}

static void sift_down(struct aff_top *top, struct aff_scored entry)
{
    uint32_t at = 0;

    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= top->n)
            break;
        if (child + 1 < top->n && aff_scored_behind(top->entries[child + 1], top->entries[child]))
            child++;
        if (!aff_scored_behind(top->entries[child], entry))
            break;
        top->entries[at] = top->entries[child];
        at = child;
    }
    top->entries[at] = entry;
}

void aff_top_offer(struct aff_top *top, struct aff_scored entry)
{
    if (top->n < top->capacity) {
        top->entries[top->n] = entry;
        sift_up(top, top->n++);
    } else if (aff_scored_behind(top->entries[0], entry)) {
        sift_down(top, entry);
    }
}

static int by_rank(const void *a, const void *b)
{
    const struct aff_scored *x = a, *y = b;
    return aff_scored_behind(*y, *x) ? -1 : aff_scored_behind(*x, *y);
}

static int by_row(const void *a, const void *b)
{
    const struct aff_scored *x = a, *y = b;
    return x->row < y->row ? -1 : x->row > y->row;
}

void aff_top_sort(struct aff_top *top)
{
    qsort(top->entries, top->n, sizeof *top->entries, by_rank);
}

void aff_top_sort_by_row(struct aff_top *top)
{
    qsort(top->entries, top->n, sizeof *top->entries, by_row);
}
