/* SPDX-License-Identifier: Apache-2.0 */
/* Which products go into one order of the demo store. */
#pragma once

#include "cli/generate/catalogue.h"
#include "cli/generate/customers.h"
#include "cli/generate/planted.h"

#include <stdbool.h>
#include <stdint.h>

/* No order has more lines. */
enum { AFF_DEMO_BASKET_MAX = 64 };

/* What sells in one month: odds of types, of types in each department, and of what is planted. */
struct aff_demo_market {
    struct aff_alias types, departments[AFF_DEMO_DEPARTMENTS], planted;
    uint16_t of_department[AFF_DEMO_TYPES]; /* types, grouped by department */
    uint16_t department_first[AFF_DEMO_DEPARTMENTS + 1];
    uint32_t memory[2 * (2 * AFF_DEMO_TYPES + AFF_WATCHES)];
    int month; /* 1 to 12 */
};

/* Fills the tables for a month. The struct must not be moved afterwards: the tables point into it. */
void aff_demo_market_set(struct aff_demo_market *market, int month);

struct aff_demo_basket {
    int32_t products[AFF_DEMO_BASKET_MAX];
    bool kept[AFF_DEMO_BASKET_MAX]; /* never returned alone: planned, independent, or b of a pair whose a is
                                       here */
    uint32_t n;
    struct aff_demo_set present, barred; /* watched products that are in, and that must not come in */
};

/* What every order is made from. */
struct aff_demo_shop {
    const struct aff_demo_catalogue *catalogue;
    const struct aff_demo_market *market;
    uint32_t planted_of_thousand; /* orders that begin with a planted product */
};

/* Puts a product in, unless it is there, or would make a planted probability untrue, or there is no room. If
 * it is `a` of planted pairs, each `b` follows with its probability and is kept out otherwise. Independent
 * products (planted.h) are refused. Returns whether it is in. */
bool aff_demo_basket_add(struct aff_demo_basket *basket, const struct aff_demo_catalogue *catalogue,
                         struct aff_random *random, int32_t product, bool kept);

/* Fills the basket, which may hold planned products already, up to about `size` lines, and then adds the
 * independent products by their chances. `avoid`: products that may not come in. */
void aff_demo_basket_fill(struct aff_demo_basket *basket, const struct aff_demo_shop *shop,
                          const struct aff_demo_traits *traits, struct aff_random *random, uint32_t size,
                          const int32_t *avoid, uint32_t n_avoid);

/* A basket size: 1 with geometrically falling odds up to AFF_DEMO_BASKET_MAX; `mean_thousandths` at least
 * 1000. */
uint32_t aff_demo_basket_size(struct aff_random *random, uint32_t mean_thousandths);
