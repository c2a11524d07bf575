/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded pseudo-random numbers: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). The same seed gives the same
 * sequence on every machine. Not for secrets. */
#pragma once

#include <stdint.h>

/* `__extension__` keeps -Wpedantic quiet about a type that is not in C17, and is allowed only before a
 * declaration. */
__extension__ typedef unsigned __int128 aff_u128;

struct aff_random {
    uint64_t state; /* set to the seed */
};

static inline uint64_t aff_random_next(struct aff_random *random)
{
    uint64_t z = (random->state += 0x9E3779B97F4A7C15u);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* Uniform in [0, bound); bound must not be 0. The bias of the multiply-shift is below 2^-32 for bounds under
 * 2^32. */
static inline uint64_t aff_random_below(struct aff_random *random, uint64_t bound)
{
    return (uint64_t)(((aff_u128)aff_random_next(random) * bound) >> 64);
}

/* Uniform in [0, 1) with 53 random bits. */
static inline double aff_random_unit(struct aff_random *random)
{
    return (double)(aff_random_next(random) >> 11) * 0x1.0p-53;
}
