/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an item stands on little: then it is labelled low confidence. The label says nothing about the
 * rank, since scores of thin counts are small already (docs/ranking.md). */
#pragma once

#include "core/index/model.h"
#include "core/recommend/answer.h"

#define AFF_FEW_ORDERS 1000   /* a store with fewer has no sure answers */
#define AFF_FEW_PAIR_ORDERS 5 /* a pair in fewer baskets is thin */

/* True if the store has few orders, if content or popularity alone speaks for the item, or if few baskets
 * hold it together with what speaks for it. Purchases of the customer and sources without counts are judged
 * by the store's orders alone. Reads one cache line of the counts, which the caller may prefetch
 * (item->counts). */
static inline bool aff_item_low_confidence(const struct aff_model *model, const struct aff_item *item)
{
    return model->totals.orders < AFF_FEW_ORDERS || item->origin == AFF_ORIGIN_CONTENT ||
           item->origin == AFF_ORIGIN_POPULAR ||
           (item->counts != NULL && item->counts->orders < AFF_FEW_PAIR_ORDERS);
}
