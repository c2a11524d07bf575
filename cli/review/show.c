/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/review/show.h"

#include "core/base/clock.h"

#include <inttypes.h>
#include <stdio.h>

enum { MONTHS_A_YEAR = 12, FIRST_YEAR = 1970 };

static void show_product(const char *sign, struct aff_text id, struct aff_text name, uint64_t orders)
{
    (void)printf("  %s %.*s", sign, (int)id.size, id.at);
    if (name.size > 0)
        (void)printf("  %.*s", (int)name.size, name.at);
    (void)printf("  (%" PRIu64 " orders)\n", orders);
}

static void show_months(const struct aff_review_pair *pair)
{
    for (size_t i = 0; i < pair->n_months; i++) {
        const struct aff_review_month *month = &pair->months[i];
        int years = month->month >= 0 ? month->month / MONTHS_A_YEAR : (month->month - 11) / MONTHS_A_YEAR;
        (void)printf("    %04d-%02d  %8" PRId32 " orders, %6" PRId32 " and %6" PRId32 " of them with each\n",
                     FIRST_YEAR + years, month->month - years * MONTHS_A_YEAR + 1, month->orders,
                     month->product_orders, month->other_orders);
    }
}

static void show_decision(const struct aff_review_pair *pair)
{
    char at[AFF_TIME_TEXT];

    if (pair->decided_us == INT64_MIN)
        return;
    aff_time_format(pair->decided_us, at);
    (void)printf("  %s, %s by %.*s%s%.*s\n", aff_verdict_name(pair->verdict), at,
                 pair->by.size > 0 ? (int)pair->by.size : 6, pair->by.size > 0 ? pair->by.at : "nobody",
                 pair->note.size > 0 ? ": " : "", (int)pair->note.size, pair->note.at);
}

aff_status aff_review_show_pair(void *context, const struct aff_review_pair *pair)
{
    struct aff_review_show *show = context;
    struct aff_season_lift inside = aff_season_lift_of(pair->orders, pair->season.expected, pair->season.z);

    (void)printf("%s%" PRIu64 " orders with both, lift %.2f (%.2f to %.2f); inside months %.2f (%.2f to "
                 "%.2f), z %.2f%s\n",
                 show->n++ == 0 ? "" : "\n", pair->orders, pair->evidence.lift, pair->evidence.lift_low,
                 pair->evidence.lift_high, inside.lift, inside.low, inside.high, pair->season.z,
                 pair->marked ? ": seasonal" : "");
    show_product("a", pair->product, pair->product_name, pair->product_orders);
    show_product("b", pair->other, pair->other_name, pair->other_orders);
    show_decision(pair);
    if (show->months)
        show_months(pair);
    return AFF_OK;
}
