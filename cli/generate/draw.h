/* SPDX-License-Identifier: Apache-2.0 */
/* Random decisions of the demo store. Integers only: the same seed gives the same store on every machine,
 * whatever its floating-point unit and compiler do. */
#pragma once

#include "core/base/random.h"

#include <stdbool.h>
#include <stdint.h>

/* Draws a number with given odds in constant time (alias method: Walker 1977, built as by Vose 1991). The
 * arrays are the caller's. */
struct aff_alias {
    uint32_t n;
    uint32_t *keep;  /* chance to stay in the slot, in 2^-32 */
    uint32_t *other; /* where to go else */
};

/* Makes the table of n >= 1 weights, each below 2^40, not all 0; n below 2^22. `alias->keep` and
 * `alias->other` have room for n; `scratch` has room for n numbers. */
void aff_alias_make(struct aff_alias *alias, const uint64_t *weights, uint32_t n, uint64_t *scratch);

static inline uint32_t aff_alias_draw(const struct aff_alias *alias, struct aff_random *random)
{
    uint64_t bits = aff_random_next(random);
    uint32_t slot = (uint32_t)(((bits >> 32) * alias->n) >> 32);

    return (uint32_t)bits < alias->keep[slot] ? slot : alias->other[slot];
}

/* True with the chance of `of_thousand` in 1000. */
static inline bool aff_draw_chance(struct aff_random *random, uint32_t of_thousand)
{
    return aff_random_below(random, 1000) < of_thousand;
}

/* A whole number of [middle - spread, middle + spread], symmetric around the middle, which is the likeliest.
 */
static inline int32_t aff_draw_around(struct aff_random *random, int32_t middle, int32_t spread)
{
    int32_t up = (int32_t)aff_random_below(random, (uint64_t)spread + 1);
    int32_t down = (int32_t)aff_random_below(random, (uint64_t)spread + 1);

    return middle + up - down;
}

/* A number that depends only on the seed and the two others: for traits that are never stored. */
static inline uint64_t aff_draw_hash(uint64_t seed, uint64_t kind, uint64_t number)
{
    struct aff_random random = {seed ^ (kind * 0xD6E8FEB86659FD93u)};

    random.state = aff_random_next(&random) + number;
    return aff_random_next(&random);
}
