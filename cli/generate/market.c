/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/basket.h"

/* Products that start something are planted often enough to be found again in a small store; what is bought
 * again and again comes back by itself. */
enum { PLANTED_WEIGHT = 4, REPEATED_WEIGHT = 1 };

static uint64_t planted_weight(unsigned watch, int month)
{
    uint64_t weight = 0;

    for (int i = 0; i < AFF_NEXTS; i++)
        if (aff_demo_nexts[i].a == watch)
            weight =
                aff_demo_nexts[i].kind == AFF_NEXT_REPEAT && weight == 0 ? REPEATED_WEIGHT : PLANTED_WEIGHT;
    for (int i = 0; i < AFF_PAIRS; i++)
        if (aff_demo_pairs[i].a == watch)
            weight = PLANTED_WEIGHT;
    /* Seasons are halved here, so that the rarest months still show each of them. */
    return weight * (100 + aff_demo_season_weight(aff_demo_types[aff_demo_places[watch].type].season, month));
}

static uint64_t type_weight(uint32_t type, int month)
{
    return (uint64_t)aff_demo_types[type].weight * aff_demo_season_weight(aff_demo_types[type].season, month);
}

static void group_types(struct aff_demo_market *market)
{
    uint16_t n = 0;

    for (uint32_t department = 0; department < AFF_DEMO_DEPARTMENTS; department++) {
        market->department_first[department] = n;
        for (uint32_t type = 0; type < AFF_DEMO_TYPES; type++)
            if (aff_demo_types[type].department == department)
                market->of_department[n++] = (uint16_t)type;
    }
    market->department_first[AFF_DEMO_DEPARTMENTS] = n;
}

/* Takes memory for a table of n entries. */
static uint32_t *place(struct aff_alias *alias, uint32_t *memory, uint32_t n)
{
    alias->keep = memory;
    alias->other = memory + n;
    return memory + 2 * (size_t)n;
}

void aff_demo_market_set(struct aff_demo_market *market, int month)
{
    uint64_t weights[AFF_DEMO_TYPES], scratch[AFF_DEMO_TYPES];
    uint32_t *memory = market->memory;

    _Static_assert((int)AFF_WATCHES <= (int)AFF_DEMO_TYPES,
                   "the scratch memory is as large as the largest table");
    market->month = month;
    group_types(market);
    for (uint32_t type = 0; type < AFF_DEMO_TYPES; type++)
        weights[type] = type_weight(type, month);
    memory = place(&market->types, memory, AFF_DEMO_TYPES);
    aff_alias_make(&market->types, weights, AFF_DEMO_TYPES, scratch);
    for (uint32_t department = 0; department < AFF_DEMO_DEPARTMENTS; department++) {
        uint32_t first = market->department_first[department];
        uint32_t n = market->department_first[department + 1] - first;
        for (uint32_t i = 0; i < n; i++)
            weights[i] = type_weight(market->of_department[first + i], month);
        memory = place(&market->departments[department], memory, n);
        aff_alias_make(&market->departments[department], weights, n, scratch);
    }
    weights[AFF_WATCH_NONE] = 0;
    for (unsigned watch = 1; watch < AFF_WATCHES; watch++)
        weights[watch] = planted_weight(watch, month);
    (void)place(&market->planted, memory, AFF_WATCHES);
    aff_alias_make(&market->planted, weights, AFF_WATCHES, scratch);
}
