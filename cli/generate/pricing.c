/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/pricing.h"

enum { HASH_PROMOTION = 5, WEEK = 7 };

int32_t aff_demo_promotion(uint64_t seed, uint32_t type, const struct aff_demo_calendar *calendar,
                           int32_t day)
{
    struct aff_demo_date date = aff_demo_calendar_date(calendar, day);
    uint64_t week = (uint64_t)(calendar->first_day + day + WEEK * INT64_C(1000000)) / WEEK;
    uint64_t hash = aff_draw_hash(seed, HASH_PROMOTION, week << 16 | type);
    uint64_t of_hundred = date.month == 11 && date.day >= 20 ? 45 : 7;

    return hash % 100 < of_hundred ? 10 + (int32_t)(hash / 100 % 5) * 5 : 0;
}

static int32_t choose_quantity(const struct aff_demo_type *type, const struct aff_demo_traits *traits,
                               struct aff_random *random)
{
    uint64_t of_hundred = aff_random_below(random, 100);
    int32_t quantity;

    if (type->repeat_days > 0)
        quantity = of_hundred < 62 ? 1 : of_hundred < 88 ? 2 : of_hundred < 95 ? 3 : 4;
    else
        quantity = of_hundred < 94 ? 1 : 2;
    if (traits->segment == AFF_SEGMENT_BUSINESS)
        quantity *= 1 + (int32_t)aff_random_below(random, 4);
    return quantity;
}

struct aff_demo_line aff_demo_buy(const struct aff_demo_catalogue *catalogue,
                                  const struct aff_demo_traits *traits, struct aff_random *random,
                                  int32_t product, int32_t cut)
{
    const struct aff_demo_product *row = &catalogue->products[product];
    int32_t most = aff_demo_discount_max(row);

    if (cut > most)
        cut = most;
    return (struct aff_demo_line){.product = product,
                                  .quantity = choose_quantity(&aff_demo_types[row->type], traits, random),
                                  .unit_price = row->price - (int32_t)((int64_t)row->price * cut / 100),
                                  .unit_cost = row->cost,
                                  .discounted = cut > 0};
}
