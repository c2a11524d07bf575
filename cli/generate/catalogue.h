/* SPDX-License-Identifier: Apache-2.0 */
/* The demo store's products, made from types.def. */
#pragma once

#include "cli/generate/calendar.h"
#include "cli/generate/draw.h"
#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum aff_demo_department {
#define DEPARTMENT(name, text, brands) AFF_DEPARTMENT_##name,
#define TYPE(...)
#include "cli/generate/types.def"
#undef DEPARTMENT
#undef TYPE
    AFF_DEMO_DEPARTMENTS
};

enum aff_demo_type_name {
#define DEPARTMENT(...)
#define TYPE(name, ...) AFF_TYPE_##name,
#include "cli/generate/types.def"
#undef DEPARTMENT
#undef TYPE
    AFF_DEMO_TYPES
};

enum { AFF_TYPE_TIERS = 1, AFF_TYPE_DURABLE = 2, AFF_TYPE_COLOUR = 4 };

/* A row of types.def. Lists of alternatives are separated by '|'. */
struct aff_demo_type {
    const char *slug;
    enum aff_demo_department department;
    const char *leaf, *nouns, *sizes, *materials;
    int32_t low, high; /* minor units */
    int32_t margin;    /* per cent */
    enum aff_demo_season season;
    uint32_t weight;
    int32_t repeat_days; /* 0: not bought again */
    unsigned flags;
    enum aff_demo_type_name companions[3];
};

extern const struct aff_demo_type aff_demo_types[AFF_DEMO_TYPES];
extern const char *const aff_demo_department_names[AFF_DEMO_DEPARTMENTS];

/* Products that are bought along with one product, the likeliest first. */
enum { AFF_DEMO_COMPANIONS = 6 };

/* Tiers of a family: dearer and better from one to the next. */
enum aff_demo_tier { AFF_TIER_NONE, AFF_TIER_BASIC, AFF_TIER_PLUS, AFF_TIER_PRO };

struct aff_demo_product {
    struct aff_text id; /* "running-shoes-0001" */
    uint16_t type;
    uint8_t watch;       /* planted.h; AFF_WATCH_NONE for most */
    uint8_t tier;        /* enum aff_demo_tier */
    int32_t price, cost; /* minor units; 0 < cost < price */
    int32_t companions[AFF_DEMO_COMPANIONS];
};

struct aff_demo_catalogue {
    struct aff_demo_product *products; /* by type, then rank: the first of a type sells best */
    uint32_t n;
    uint32_t first[AFF_DEMO_TYPES + 1];     /* first product of each type */
    struct aff_alias ranks[AFF_DEMO_TYPES]; /* draws a rank, or a family of a type with tiers */
    uint32_t *keep, *other;                 /* memory of the above */
    struct aff_arena ids;
    uint64_t seed;
};

/* Fewer products than this do not hold a family of every type. */
uint32_t aff_demo_catalogue_min(void);

/* Makes n_products products, at least aff_demo_catalogue_min(). */
AFF_MUST_CHECK aff_status aff_demo_catalogue_init(struct aff_demo_catalogue *catalogue, uint64_t seed,
                                                  uint32_t n_products);
void aff_demo_catalogue_done(struct aff_demo_catalogue *catalogue);

/* The product of a rank (from 0) in its type. */
static inline uint32_t aff_demo_catalogue_at(const struct aff_demo_catalogue *catalogue, uint32_t type,
                                             uint32_t rank)
{
    return catalogue->first[type] + rank;
}

/* Per cent by which the price may be cut so that something is left above the cost. */
int32_t aff_demo_discount_max(const struct aff_demo_product *product);
