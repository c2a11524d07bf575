/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/catalogue.h"

#include "cli/generate/names.h"
#include "cli/generate/planted.h"

#include <stdio.h>
#include <stdlib.h>

enum { TIERS_OF_A_FAMILY = 3, HASH_PRICE = 1, HASH_COMPANION = 2 };

#define TIERS AFF_TYPE_TIERS
#define DURABLE AFF_TYPE_DURABLE
#define COLOUR AFF_TYPE_COLOUR
const struct aff_demo_type aff_demo_types[AFF_DEMO_TYPES] = {
#define DEPARTMENT(...)
#define TYPE(name, slug, department, leaf, nouns, sizes, materials, low, high, margin, season, weight,       \
             repeat, flags, first, second, third)                                                            \
    {slug,      AFF_DEPARTMENT_##department,                                                                 \
     leaf,      nouns,                                                                                       \
     sizes,     materials,                                                                                   \
     (low)*100, (high)*100,                                                                                  \
     margin,    AFF_SEASON_##season,                                                                         \
     weight,    repeat,                                                                                      \
     flags,     {AFF_TYPE_##first, AFF_TYPE_##second, AFF_TYPE_##third}},
#include "cli/generate/types.def"
#undef DEPARTMENT
#undef TYPE
};
#undef TIERS
#undef DURABLE
#undef COLOUR

const char *const aff_demo_department_names[AFF_DEMO_DEPARTMENTS] = {
#define DEPARTMENT(name, text, brands) text,
#define TYPE(...)
#include "cli/generate/types.def"
#undef DEPARTMENT
#undef TYPE
};

static uint32_t step_of(uint32_t type)
{
    return (aff_demo_types[type].flags & AFF_TYPE_TIERS) != 0 ? TIERS_OF_A_FAMILY : 1;
}

uint32_t aff_demo_catalogue_min(void)
{
    uint32_t n = 0;

    for (uint32_t type = 0; type < AFF_DEMO_TYPES; type++)
        n += step_of(type);
    return n;
}

/* Shares the products among the types by weight, whole families only; what a family leaves over goes to the
 * next type, and the last rest to the first type, which has no tiers. */
static void share_out(struct aff_demo_catalogue *catalogue, uint32_t n_products)
{
    uint32_t counts[AFF_DEMO_TYPES];
    uint64_t total = 0, sum = 0, given = 0;
    uint64_t spare = n_products - aff_demo_catalogue_min();

    for (uint32_t type = 0; type < AFF_DEMO_TYPES; type++)
        total += (uint64_t)aff_demo_types[type].weight * step_of(type);
    for (uint32_t type = 0; type < AFF_DEMO_TYPES; type++) {
        sum += (uint64_t)aff_demo_types[type].weight * step_of(type);
        uint64_t more = spare * sum / total - given;
        more -= more % step_of(type);
        given += more;
        counts[type] = step_of(type) + (uint32_t)more;
    }
    counts[0] += (uint32_t)(spare - given);
    catalogue->first[0] = 0;
    for (uint32_t type = 0; type < AFF_DEMO_TYPES; type++)
        catalogue->first[type + 1] = catalogue->first[type] + counts[type];
}

/* Prices that a shop would print: 7.49, 34.90, 149.00. */
static int32_t round_price(int64_t minor)
{
    if (minor < 2000)
        return (int32_t)((minor + 5) / 10 * 10 - 1);
    if (minor < 10000)
        return (int32_t)((minor + 50) / 100 * 100 - 10);
    return (int32_t)((minor + 500) / 1000 * 1000 - 100);
}

/* A family's price is drawn once and rises from tier to tier by at least 30 %, so that rounding never turns
 * the ladder. */
static void set_price(struct aff_demo_catalogue *catalogue, uint32_t type, uint32_t rank)
{
    const struct aff_demo_type *row = &aff_demo_types[type];
    struct aff_demo_product *product = &catalogue->products[catalogue->first[type] + rank];
    uint32_t group = rank / step_of(type);
    struct aff_random random = {aff_draw_hash(catalogue->seed, HASH_PRICE, (uint64_t)type << 32 | group)};
    struct aff_demo_description description;

    aff_demo_describe(type, rank, &description);
    int64_t price = row->low + (int64_t)aff_random_below(&random, (uint64_t)(row->high - row->low) + 1);
    price = price * description.price_level / 100;
    int64_t margin = aff_draw_around(&random, row->margin, 4);
    for (uint32_t tier = AFF_TIER_PLUS; tier <= product->tier; tier++) {
        price = price * (132 + (int64_t)aff_random_below(&random, 24)) / 100;
        margin += 2;
    }
    if (margin < 8)
        margin = 8;
    product->price = round_price(price);
    product->cost = (int32_t)(product->price * (100 - margin) / 100);
    if (product->cost < 1)
        product->cost = 1;
}

int32_t aff_demo_discount_max(const struct aff_demo_product *product)
{
    int32_t margin = (int32_t)((int64_t)(product->price - product->cost) * 100 / product->price);

    return margin * 2 / 3;
}

static aff_status name_products(struct aff_demo_catalogue *catalogue)
{
    for (uint32_t type = 0; type < AFF_DEMO_TYPES; type++) {
        uint32_t n = catalogue->first[type + 1] - catalogue->first[type];
        for (uint32_t rank = 0; rank < n; rank++) {
            struct aff_demo_product *product = &catalogue->products[catalogue->first[type] + rank];
            char id[AFF_ID_MAX];
            (void)snprintf(id, sizeof id, "%s-%04u", aff_demo_types[type].slug, rank + 1);
            product->id = aff_arena_copy(&catalogue->ids, aff_text_of(id));
            if (product->id.at == NULL)
                return AFF_NOMEM;
            product->type = (uint16_t)type;
            product->tier =
                (uint8_t)(step_of(type) == 1 ? AFF_TIER_NONE : AFF_TIER_BASIC + rank % step_of(type));
            set_price(catalogue, type, rank);
        }
    }
    for (unsigned watch = 1; watch < AFF_WATCHES; watch++) {
        struct aff_demo_place place = aff_demo_places[watch];
        catalogue->products[aff_demo_catalogue_at(catalogue, place.type, place.rank)].watch = (uint8_t)watch;
    }
    return AFF_OK;
}

/* Zipf-Mandelbrot popularity in each type: the weight of rank r is 1 / (r + 2). */
static aff_status make_ranks(struct aff_demo_catalogue *catalogue)
{
    uint64_t *weights = malloc(2 * (size_t)catalogue->n * sizeof *weights);

    if (weights == NULL)
        return AFF_NOMEM;
    for (uint32_t rank = 0; rank < catalogue->n; rank++)
        weights[rank] = (UINT64_C(1) << 36) / (rank + 2);
    for (uint32_t type = 0; type < AFF_DEMO_TYPES; type++) {
        uint32_t first = catalogue->first[type];
        catalogue->ranks[type].keep = catalogue->keep + first;
        catalogue->ranks[type].other = catalogue->other + first;
        aff_alias_make(&catalogue->ranks[type], weights, (catalogue->first[type + 1] - first) / step_of(type),
                       weights + catalogue->n);
    }
    free(weights);
    return AFF_OK;
}

/* Each product has its own companions, out of the types that go with its type; well-selling ones more often.
 */
static void choose_companions(struct aff_demo_catalogue *catalogue)
{
    for (uint32_t i = 0; i < catalogue->n; i++) {
        struct aff_demo_product *product = &catalogue->products[i];
        struct aff_random random = {aff_draw_hash(catalogue->seed, HASH_COMPANION, i)};
        for (uint32_t slot = 0; slot < AFF_DEMO_COMPANIONS; slot++) {
            uint32_t type = aff_demo_types[product->type].companions[slot % 3];
            uint32_t rank = aff_alias_draw(&catalogue->ranks[type], &random) * step_of(type);
            product->companions[slot] = (int32_t)aff_demo_catalogue_at(catalogue, type, rank);
        }
    }
}

aff_status aff_demo_catalogue_init(struct aff_demo_catalogue *catalogue, uint64_t seed, uint32_t n_products)
{
    *catalogue = (struct aff_demo_catalogue){.n = n_products, .seed = seed};
    catalogue->products = calloc(n_products, sizeof *catalogue->products);
    catalogue->keep = malloc(n_products * sizeof *catalogue->keep);
    catalogue->other = malloc(n_products * sizeof *catalogue->other);
    if (catalogue->products == NULL || catalogue->keep == NULL || catalogue->other == NULL)
        goto out;
    share_out(catalogue, n_products);
    if (name_products(catalogue) != AFF_OK || make_ranks(catalogue) != AFF_OK)
        goto out;
    choose_companions(catalogue);
    return AFF_OK;
out:
    aff_demo_catalogue_done(catalogue);
    return AFF_NOMEM;
}

void aff_demo_catalogue_done(struct aff_demo_catalogue *catalogue)
{
    free(catalogue->products);
    free(catalogue->keep);
    free(catalogue->other);
    aff_arena_done(&catalogue->ids);
    *catalogue = (struct aff_demo_catalogue){0};
}
