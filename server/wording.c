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

struct aff_text aff_wording_angle(const struct aff_item *item)
{
    static const struct aff_text codes[AFF_REASON_MAX] = {
        [AFF_REASON_BOUGHT_TOGETHER] = TEXT("completes"),
        [AFF_REASON_BOUGHT_NEXT] = TEXT("next_step"),
        [AFF_REASON_ADDED_NEXT] = TEXT("completes"),
        [AFF_REASON_VIEWED_NEXT] = TEXT("next_step"),
        [AFF_REASON_VIEWED_BEFORE] = TEXT("habit"),
        [AFF_REASON_BOUGHT_BEFORE] = TEXT("habit"),
        [AFF_REASON_FITS_PURCHASES] = TEXT("completes"),
        [AFF_REASON_BOUGHT_WITH_SIMILAR] = TEXT("completes"),
        [AFF_REASON_SIMILAR] = TEXT("alternative"),
        [AFF_REASON_POPULAR_IN_CATEGORY] = TEXT("popular"),
        [AFF_REASON_POPULAR] = TEXT("popular"),
    };
    return codes[item->reason];
}

struct aff_wording_reason aff_wording_reason(const struct aff_item *item)
{
    static const struct aff_text codes[AFF_REASON_MAX] = {
#define X(name, text) TEXT(text),
        AFF_REASON_LIST(X)
#undef X
    };
    static const struct {
        struct aff_text before, behind, alone; /* alone: where no product is named */
    } texts[AFF_REASON_MAX] = {
        [AFF_REASON_BOUGHT_TOGETHER] = {TEXT("Often bought together with "), TEXT("."),
                                        TEXT("Often bought together.")},
        [AFF_REASON_BOUGHT_NEXT] = {TEXT("Often bought some time after "), TEXT("."),
                                    TEXT("Often bought next.")},
        [AFF_REASON_ADDED_NEXT] = {TEXT("Often put into the cart after "), TEXT("."),
                                   TEXT("Often put into the cart next.")},
        [AFF_REASON_VIEWED_NEXT] = {TEXT("Often looked at after "), TEXT("."), TEXT("Often looked at next.")},
        [AFF_REASON_VIEWED_BEFORE] = {.alone = TEXT("Looked at before.")},
        [AFF_REASON_BOUGHT_BEFORE] = {.alone = TEXT("This customer buys it again and again.")},
        [AFF_REASON_FITS_PURCHASES] = {.alone = TEXT("Goes with what this customer has bought.")},
        [AFF_REASON_BOUGHT_WITH_SIMILAR] = {TEXT("Often bought together with products like "), TEXT("."),
                                            TEXT("Often bought with similar products.")},
        [AFF_REASON_SIMILAR] = {TEXT("Similar to "), TEXT("."), TEXT("Similar product.")},
        [AFF_REASON_POPULAR_IN_CATEGORY] = {TEXT("Popular in the category of "), TEXT("."),
                                            TEXT("Popular in the category.")},
        [AFF_REASON_POPULAR] = {.alone = TEXT("Popular in this store.")},
    };
    const bool names_via = item->via != AFF_NO_ROW && texts[item->reason].before.size > 0;

    return (struct aff_wording_reason){
        .code = codes[item->reason],
        .before = names_via ? texts[item->reason].before : texts[item->reason].alone,
        .behind = texts[item->reason].behind,
        .names_via = names_via,
    };
}
