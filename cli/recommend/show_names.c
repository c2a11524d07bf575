/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recommend/show.h"

#define X(name, text) text,

const char *aff_show_origin(enum aff_origin origin)
{
    static const char *const names[] = {AFF_ORIGIN_LIST(X)};
    return names[origin];
}

const char *aff_show_kind(enum aff_kind kind)
{
    static const char *const names[] = {AFF_KIND_LIST(X)};
    return names[kind];
}

const char *aff_show_drop(enum aff_drop drop)
{
    static const char *const names[] = {AFF_DROP_LIST(X)};
    return names[drop];
}

const char *aff_show_short(enum aff_short reason)
{
    static const char *const names[] = {AFF_SHORT_LIST(X)};
    return names[reason];
}

#undef X

const char *aff_show_fate(enum aff_fate fate)
{
    switch (fate) {
    case AFF_FATE_NOT_ASKED:
        return "";
    case AFF_FATE_UNKNOWN:
        return "unknown";
    case AFF_FATE_OFFERED:
        return "offered";
    case AFF_FATE_NO_CANDIDATE:
        return "no_candidate";
    case AFF_FATE_DROPPED:
        return "dropped";
    }
    return "";
}

bool aff_show_evidence(const struct aff_model *model, const struct aff_item *item,
                       struct aff_evidence *ret_evidence)
{
    if (item->evidence == NULL || item->via == AFF_NO_ROW)
        return false;
    const struct aff_product *via = aff_catalogue_product(model->catalogue, item->via);
    const struct aff_product *product = aff_catalogue_product(model->catalogue, item->row);
    *ret_evidence =
        aff_evidence_of(item->evidence->orders, via->orders, product->orders, model->totals.orders);
    return true;
}
