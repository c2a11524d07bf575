/* SPDX-License-Identifier: Apache-2.0 */
/* What planted.def plants, as tables. */
#pragma once

#include "cli/generate/catalogue.h"

#include <stdint.h>

/* A product that is counted. The number is `watch` of its record. */
enum aff_demo_watch {
    AFF_WATCH_NONE,
#define WATCH(name, type, rank) AFF_WATCH_##name,
#define PAIR(...)
#define NEXT(...)
#define REPEAT(...)
#include "cli/generate/planted.def"
#undef WATCH
#undef PAIR
#undef NEXT
#undef REPEAT
    AFF_WATCHES
};

struct aff_demo_pair {
    enum aff_demo_watch a, b;
    uint32_t per_cent; /* P(b is in the order | a is in the order) */
};

enum aff_demo_next_kind { AFF_NEXT_SEQUENCE, AFF_NEXT_UPGRADE, AFF_NEXT_REPEAT };

/* a, then b in the customer's next order; for a repeat a == b. */
struct aff_demo_next {
    enum aff_demo_next_kind kind;
    enum aff_demo_watch a, b;
    uint32_t per_cent;
    int32_t gap_days, jitter_days;
};

/* Numbers of the pairs, and of what comes next (sequences and upgrades, then repeats). */
enum aff_demo_pair_number {
#define WATCH(...)
#define PAIR(a, b, per_cent) AFF_PAIR_##a##_##b,
#define NEXT(...)
#define REPEAT(...)
#include "cli/generate/planted.def"
#undef PAIR
#undef NEXT
#undef REPEAT
    AFF_PAIRS
};

enum aff_demo_next_number {
#define PAIR(...)
#define NEXT(kind, a, b, per_cent, gap, jitter) AFF_NEXT_##a##_##b,
#define REPEAT(a, per_cent, gap, jitter) AFF_NEXT_##a##_AGAIN,
#include "cli/generate/planted.def"
#undef WATCH
#undef PAIR
#undef NEXT
#undef REPEAT
    AFF_NEXTS
};

extern const struct aff_demo_pair aff_demo_pairs[AFF_PAIRS];
extern const struct aff_demo_next aff_demo_nexts[AFF_NEXTS];

/* Where each watched product stands in the catalogue. */
struct aff_demo_place {
    uint16_t type, rank;
};
extern const struct aff_demo_place aff_demo_places[AFF_WATCHES];

/* The bestseller goes into every order with this chance, whatever else is in it; the two seasonal products
 * with one chance in summer (June to August) and another outside. */
enum {
    AFF_BESTSELLER = AFF_WATCH_TOTE_BAG,
    AFF_BESTSELLER_OF_THOUSAND = 90,
    AFF_NOISE_A = AFF_WATCH_UMBRELLA,
    AFF_NOISE_B = AFF_WATCH_SUNSCREEN,
    AFF_NOISE_SUMMER_OF_THOUSAND = 80,
    AFF_NOISE_OTHER_OF_THOUSAND = 3,
    AFF_NOISE_FROM_MONTH = 6,
    AFF_NOISE_TO_MONTH = 8,
};

/* True for the three products that enter orders only independently of everything else. */
static inline bool aff_demo_is_independent(unsigned watch)
{
    return watch == AFF_BESTSELLER || watch == AFF_NOISE_A || watch == AFF_NOISE_B;
}

/* A set of watched products. */
struct aff_demo_set {
    uint64_t bits[2];
};

static inline void aff_demo_set_add(struct aff_demo_set *set, unsigned watch)
{
    set->bits[watch / 64] |= UINT64_C(1) << (watch % 64);
}

static inline bool aff_demo_set_has(const struct aff_demo_set *set, unsigned watch)
{
    return (set->bits[watch / 64] >> (watch % 64) & 1) != 0;
}
