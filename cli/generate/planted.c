/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/planted.h"

_Static_assert(AFF_WATCHES <= 128, "struct aff_demo_set holds 128 products");
_Static_assert(AFF_WATCH_WATER_FILTER < 64, "a customer's previous order is kept in 64 bits");

const struct aff_demo_place aff_demo_places[AFF_WATCHES] = {
#define WATCH(name, type, rank) [AFF_WATCH_##name] = {AFF_TYPE_##type, rank},
#define PAIR(...)
#define NEXT(...)
#define REPEAT(...)
#include "cli/generate/planted.def"
#undef WATCH
#undef PAIR
#undef NEXT
#undef REPEAT
};

const struct aff_demo_pair aff_demo_pairs[AFF_PAIRS] = {
#define WATCH(...)
#define PAIR(a, b, per_cent) {AFF_WATCH_##a, AFF_WATCH_##b, per_cent},
#define NEXT(...)
#define REPEAT(...)
#include "cli/generate/planted.def"
#undef WATCH
#undef PAIR
#undef NEXT
#undef REPEAT
};

const struct aff_demo_next aff_demo_nexts[AFF_NEXTS] = {
#define WATCH(...)
#define PAIR(...)
#define NEXT(kind, a, b, per_cent, gap, jitter)                                                              \
    {AFF_NEXT_##kind, AFF_WATCH_##a, AFF_WATCH_##b, per_cent, gap, jitter},
#define REPEAT(a, per_cent, gap, jitter)                                                                     \
    {AFF_NEXT_REPEAT, AFF_WATCH_##a, AFF_WATCH_##a, per_cent, gap, jitter},
#include "cli/generate/planted.def"
#undef WATCH
#undef PAIR
#undef NEXT
#undef REPEAT
};
