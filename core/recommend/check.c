/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recommend/run.h"

static bool is_share(double value)
{
    return value >= 0 && value <= 1; /* false for NaN */
}

static bool is_filter(const struct aff_filter *filter)
{
    switch (filter->field) {
    case AFF_FILTER_PRICE:
        return filter->compare <= AFF_COMPARE_GE;
    case AFF_FILTER_CATEGORY:
    case AFF_FILTER_BRAND:
    case AFF_FILTER_ATTRIBUTE:
        return filter->compare == AFF_COMPARE_EQ || filter->compare == AFF_COMPARE_NE;
    }
    return false;
}

aff_status aff_request_check(const struct aff_request *request)
{
    if (request->n_cart > AFF_CART_MAX || request->n_exclude > AFF_EXCLUDE_MAX ||
        request->n_rejected > AFF_REJECTED_MAX || request->n_impressed > AFF_IMPRESSED_MAX ||
        request->n_filters > AFF_FILTER_MAX || request->limit < 1 || request->limit > AFF_ITEMS_MAX ||
        request->kinds >> AFF_KIND_MAX != 0 || !is_share(request->diversity) ||
        !is_share(request->rotation) || !(request->min_lift >= 0) || !(request->min_confidence >= 0))
        return AFF_INVALID;
    for (size_t i = 0; i < request->n_filters; i++)
        if (!is_filter(&request->filters[i]))
            return AFF_INVALID;
    return AFF_OK;
}
