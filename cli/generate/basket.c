/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/basket.h"

enum {
    ROOM_FOR_PAIRS = 4, /* lines kept free for the b of planted pairs and for the independent products */
    COMPANION_OF_HUNDRED = 58,
    DEPARTMENT_OF_HUNDRED = 82, /* the rest comes from anywhere */
    FAVOURITE_OF_THOUSAND = 650,
};

static bool holds(const struct aff_demo_basket *basket, int32_t product)
{
    for (uint32_t i = 0; i < basket->n; i++)
        if (basket->products[i] == product)
            return true;
    return false;
}

/* Nobody buys two laptops of different tiers at once. */
static bool holds_tier_of(const struct aff_demo_basket *basket, const struct aff_demo_catalogue *catalogue,
                          uint16_t type)
{
    for (uint32_t i = 0; i < basket->n; i++)
        if (catalogue->products[basket->products[i]].type == type)
            return true;
    return false;
}

static void put(struct aff_demo_basket *basket, int32_t product, unsigned watch, bool kept)
{
    basket->kept[basket->n] = kept;
    basket->products[basket->n++] = product;
    if (watch != AFF_WATCH_NONE)
        aff_demo_set_add(&basket->present, watch);
}

/* An `a` may only come before each of its `b`, and before the fate of that b is decided: else orders that
 * hold b for another reason would hold a more or less often than the planted probability says. */
static bool comes_too_late(const struct aff_demo_basket *basket, unsigned watch)
{
    for (int i = 0; i < AFF_PAIRS; i++)
        if (aff_demo_pairs[i].a == watch && (aff_demo_set_has(&basket->present, aff_demo_pairs[i].b) ||
                                             aff_demo_set_has(&basket->barred, aff_demo_pairs[i].b)))
            return true;
    return false;
}

static void decide_pairs(struct aff_demo_basket *basket, const struct aff_demo_catalogue *catalogue,
                         struct aff_random *random, unsigned watch)
{
    for (int i = 0; i < AFF_PAIRS; i++) {
        const struct aff_demo_pair *pair = &aff_demo_pairs[i];
        if (pair->a != watch)
            continue;
        struct aff_demo_place place = aff_demo_places[pair->b];
        if (aff_draw_chance(random, pair->per_cent * 10))
            put(basket, (int32_t)aff_demo_catalogue_at(catalogue, place.type, place.rank), pair->b, true);
        else
            aff_demo_set_add(&basket->barred, pair->b);
    }
}

bool aff_demo_basket_add(struct aff_demo_basket *basket, const struct aff_demo_catalogue *catalogue,
                         struct aff_random *random, int32_t product, bool kept)
{
    const struct aff_demo_product *row = &catalogue->products[product];

    if (basket->n + ROOM_FOR_PAIRS >= AFF_DEMO_BASKET_MAX || holds(basket, product))
        return false;
    if (row->tier != AFF_TIER_NONE && holds_tier_of(basket, catalogue, row->type))
        return false;
    if (row->watch == AFF_WATCH_NONE) {
        put(basket, product, AFF_WATCH_NONE, kept);
        return true;
    }
    if (aff_demo_is_independent(row->watch) || aff_demo_set_has(&basket->barred, row->watch) ||
        comes_too_late(basket, row->watch))
        return false;
    put(basket, product, row->watch, kept);
    decide_pairs(basket, catalogue, random, row->watch);
    return true;
}

/* The tier of a family that a customer takes. */
static uint32_t choose_tier(const struct aff_demo_traits *traits, struct aff_random *random)
{
    static const uint8_t until[AFF_SEGMENTS][2] = {{72, 95}, {48, 88}, {18, 62}, {32, 78}};
    uint64_t of_hundred = aff_random_below(random, 100);

    return of_hundred < until[traits->segment][0] ? 0 : of_hundred < until[traits->segment][1] ? 1 : 2;
}

/* A product of the type: a popular one, and cheap or dear by the customer's price band. */
static int32_t choose_of_type(const struct aff_demo_catalogue *catalogue,
                              const struct aff_demo_traits *traits, struct aff_random *random, uint32_t type)
{
    uint32_t rank = aff_alias_draw(&catalogue->ranks[type], random);

    if ((aff_demo_types[type].flags & AFF_TYPE_TIERS) != 0)
        return (int32_t)aff_demo_catalogue_at(catalogue, type, rank * 3 + choose_tier(traits, random));
    uint32_t product = aff_demo_catalogue_at(catalogue, type, rank);
    if ((traits->segment == AFF_SEGMENT_VALUE || traits->segment == AFF_SEGMENT_PREMIUM) &&
        aff_draw_chance(random, 400)) {
        uint32_t other =
            aff_demo_catalogue_at(catalogue, type, aff_alias_draw(&catalogue->ranks[type], random));
        bool dearer = catalogue->products[other].price > catalogue->products[product].price;
        if (dearer == (traits->segment == AFF_SEGMENT_PREMIUM))
            product = other;
    }
    return (int32_t)product;
}

static uint32_t choose_type(const struct aff_demo_market *market, struct aff_random *random,
                            uint32_t department)
{
    return market->of_department[market->department_first[department] +
                                 aff_alias_draw(&market->departments[department], random)];
}

static int32_t choose_companion(const struct aff_demo_basket *basket, const struct aff_demo_shop *shop,
                                struct aff_random *random)
{
    static const uint8_t slots[16] = {0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5};
    int32_t of = basket->products[aff_random_below(random, basket->n)];

    return shop->catalogue->products[of].companions[slots[aff_random_below(random, 16)]];
}

/* What the customer came for. */
static int32_t choose_first(const struct aff_demo_shop *shop, const struct aff_demo_traits *traits,
                            struct aff_random *random)
{
    uint32_t type;

    if (aff_draw_chance(random, shop->planted_of_thousand)) {
        struct aff_demo_place place = aff_demo_places[aff_alias_draw(&shop->market->planted, random)];
        return (int32_t)aff_demo_catalogue_at(shop->catalogue, place.type, place.rank);
    }
    if (aff_draw_chance(random, FAVOURITE_OF_THOUSAND))
        type = choose_type(shop->market, random,
                           traits->favourites[aff_random_below(random, AFF_DEMO_FAVOURITES)]);
    else
        type = aff_alias_draw(&shop->market->types, random);
    return choose_of_type(shop->catalogue, traits, random, type);
}

static int32_t choose_more(const struct aff_demo_basket *basket, const struct aff_demo_shop *shop,
                           const struct aff_demo_traits *traits, struct aff_random *random)
{
    uint64_t of_hundred = aff_random_below(random, 100);
    uint32_t first = shop->catalogue->products[basket->products[0]].type;

    if (of_hundred < COMPANION_OF_HUNDRED)
        return choose_companion(basket, shop, random);
    uint32_t type = of_hundred < DEPARTMENT_OF_HUNDRED
                        ? choose_type(shop->market, random, aff_demo_types[first].department)
                        : aff_alias_draw(&shop->market->types, random);
    return choose_of_type(shop->catalogue, traits, random, type);
}

static void add_independent(struct aff_demo_basket *basket, const struct aff_demo_shop *shop,
                            struct aff_random *random)
{
    int month = shop->market->month;
    bool summer = month >= AFF_NOISE_FROM_MONTH && month <= AFF_NOISE_TO_MONTH;
    uint32_t noise = summer ? AFF_NOISE_SUMMER_OF_THOUSAND : AFF_NOISE_OTHER_OF_THOUSAND;
    const struct {
        unsigned watch;
        uint32_t of_thousand;
    } chances[] = {{AFF_BESTSELLER, AFF_BESTSELLER_OF_THOUSAND}, {AFF_NOISE_A, noise}, {AFF_NOISE_B, noise}};

    for (size_t i = 0; i < sizeof chances / sizeof chances[0]; i++) {
        struct aff_demo_place place = aff_demo_places[chances[i].watch];
        if (aff_draw_chance(random, chances[i].of_thousand) && basket->n < AFF_DEMO_BASKET_MAX)
            put(basket, (int32_t)aff_demo_catalogue_at(shop->catalogue, place.type, place.rank),
                chances[i].watch, true);
    }
}

static bool is_among(const int32_t *products, uint32_t n, int32_t product)
{
    for (uint32_t i = 0; i < n; i++)
        if (products[i] == product)
            return true;
    return false;
}

void aff_demo_basket_fill(struct aff_demo_basket *basket, const struct aff_demo_shop *shop,
                          const struct aff_demo_traits *traits, struct aff_random *random, uint32_t size,
                          const int32_t *avoid, uint32_t n_avoid)
{
    for (uint32_t i = 0; i < n_avoid; i++)
        aff_demo_set_add(&basket->barred, shop->catalogue->products[avoid[i]].watch);
    for (uint32_t tries = 4 * size + 16; basket->n < size && tries > 0; tries--) {
        int32_t product =
            basket->n == 0 ? choose_first(shop, traits, random) : choose_more(basket, shop, traits, random);
        if (!is_among(avoid, n_avoid, product))
            (void)aff_demo_basket_add(basket, shop->catalogue, random, product, false);
    }
    if (basket->n > 0)
        add_independent(basket, shop, random);
}

uint32_t aff_demo_basket_size(struct aff_random *random, uint32_t mean_thousandths)
{
    uint32_t size = 1;

    /* Of `mean` trials one ends the basket. */
    while (size < AFF_DEMO_BASKET_MAX && aff_random_below(random, mean_thousandths) >= 1000)
        size++;
    return size;
}
