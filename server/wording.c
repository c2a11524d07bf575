/* SPDX-License-Identifier: Apache-2.0 */
#include "server/wording.h"

#include "core/catalogue/catalogue.h"

#define TEXT(literal)                                                                                        \
    {                                                                                                        \
        literal, sizeof(literal) - 1                                                                         \
    }

struct aff_text aff_wording_cta(enum aff_kind kind)
{
    static const struct aff_text codes[AFF_KIND_MAX] = {
        [AFF_KIND_CROSS_SELL] = TEXT("add_to_cart"),
        [AFF_KIND_REPLENISH] = TEXT("buy_again"),
        [AFF_KIND_SUBSTITUTE] = TEXT("see_alternative"),
    };
    return codes[kind];
}

/* True for what is bought with products that are like a new one. */
static bool is_borrowed(const struct aff_item *item)
{
    return item->origin == AFF_ORIGIN_CONTENT && item->via_relation == AFF_RELATION_TOGETHER;
}

struct aff_text aff_wording_angle(const struct aff_item *item)
{
    static const struct aff_text codes[AFF_ORIGIN_MAX] = {
        [AFF_ORIGIN_AFFINITY] = TEXT("completes"), [AFF_ORIGIN_SEQUENCE] = TEXT("next_step"),
        [AFF_ORIGIN_NEIGHBOURS] = TEXT("habit"),   [AFF_ORIGIN_CONTENT] = TEXT("alternative"),
        [AFF_ORIGIN_POPULAR] = TEXT("popular"),
    };
    return codes[is_borrowed(item) ? AFF_ORIGIN_AFFINITY : item->origin];
}

struct aff_wording_reason aff_wording_reason(const struct aff_item *item)
{
    static const struct aff_wording_reason bought_with_similar = {
        TEXT("bought_with_similar"), TEXT("Often bought together with products like "), TEXT("."), 1};
    static const struct aff_wording_reason linked[AFF_ORIGIN_MAX] = {
        [AFF_ORIGIN_AFFINITY] = {TEXT("bought_together"), TEXT("Often bought together with "), TEXT("."), 1},
        [AFF_ORIGIN_SEQUENCE] = {TEXT("bought_next"), TEXT("Often bought some time after "), TEXT("."), 1},
        [AFF_ORIGIN_NEIGHBOURS] = {TEXT("bought_before"), TEXT("This customer buys it again and again."),
                                   TEXT(""), 0},
        [AFF_ORIGIN_CONTENT] = {TEXT("similar"), TEXT("Similar to "), TEXT("."), 1},
        [AFF_ORIGIN_POPULAR] = {TEXT("popular_in_category"), TEXT("Popular in the category of "), TEXT("."),
                                1},
    };
    static const struct aff_wording_reason alone[AFF_ORIGIN_MAX] = {
        [AFF_ORIGIN_AFFINITY] = {TEXT("bought_together"), TEXT("Often bought together."), TEXT(""), 0},
        [AFF_ORIGIN_SEQUENCE] = {TEXT("bought_next"), TEXT("Often bought next."), TEXT(""), 0},
        [AFF_ORIGIN_NEIGHBOURS] = {TEXT("bought_before"), TEXT("This customer buys it again and again."),
                                   TEXT(""), 0},
        [AFF_ORIGIN_CONTENT] = {TEXT("similar"), TEXT("Similar product."), TEXT(""), 0},
        [AFF_ORIGIN_POPULAR] = {TEXT("popular"), TEXT("Popular in this store."), TEXT(""), 0},
    };
    if (is_borrowed(item))
        return bought_with_similar;
    return item->via == AFF_NO_ROW ? alone[item->origin] : linked[item->origin];
}
