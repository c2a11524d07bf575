/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/draw.h"

/* Weights are scaled so that a slot's fair share is the sum of all weights, a whole number. */
void aff_alias_make(struct aff_alias *alias, const uint64_t *weights, uint32_t n, uint64_t *scratch)
{
    uint64_t total = 0;
    uint32_t poor = UINT32_MAX, rich = UINT32_MAX;

    alias->n = n;
    for (uint32_t i = 0; i < n; i++)
        total += weights[i];
    /* Two linked lists through `other`: slots that have less and slots that have at least their fair share.
     */
    for (uint32_t i = n; i-- > 0;) {
        scratch[i] = weights[i] * n;
        uint32_t *list = scratch[i] < total ? &poor : &rich;
        alias->other[i] = *list;
        *list = i;
    }
    while (poor != UINT32_MAX && rich != UINT32_MAX) {
        uint32_t slot = poor, giver = rich;
        poor = alias->other[slot];
        alias->keep[slot] = (uint32_t)(((aff_u128)scratch[slot] << 32) / total);
        alias->other[slot] = giver;
        scratch[giver] -= total - scratch[slot];
        if (scratch[giver] < total) {
            rich = alias->other[giver];
            alias->other[giver] = poor;
            poor = giver;
        }
    }
    /* The sums are whole numbers, so what is left has exactly its share. */
    while (rich != UINT32_MAX) {
        uint32_t slot = rich;
        rich = alias->other[slot];
        alias->keep[slot] = UINT32_MAX;
        alias->other[slot] = slot;
    }
}
