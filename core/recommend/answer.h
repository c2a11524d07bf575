/* SPDX-License-Identifier: Apache-2.0 */
/* What the recommender answers. Valid until the workspace is used again or the model is released. */
#pragma once

#include "core/index/neighbours.h"
#include "core/recommend/request.h"

#define AFF_ORIGIN_LIST(X)                                                                                   \
    X(AFFINITY, "affinity")     /* bought together */                                                        \
    X(SEQUENCE, "sequence")     /* bought next */                                                            \
    X(NEIGHBOURS, "neighbours") /* the customer's own history */                                             \
    X(CONTENT, "content") /* alike by category, brand, price; or bought with what is like a new product */   \
    X(POPULAR, "popular") /* fallback: popular in the category or the store */                               \
    X(IMPRESSIONS, "impressions") /* of terms only: shown and not clicked, which lowers the score */

enum aff_origin {
#define X(name, text) AFF_ORIGIN_##name,
    AFF_ORIGIN_LIST(X)
#undef X
        AFF_ORIGIN_MAX
};

/* What speaks for an item, for people: the loudest voice. Those with `via` name a product. */
#define AFF_REASON_LIST(X)                                                                                   \
    X(BOUGHT_TOGETHER, "bought_together")         /* with `via` */                                           \
    X(BOUGHT_NEXT, "bought_next")                 /* in the order after one of `via` */                      \
    X(ADDED_NEXT, "added_next")                   /* to carts after `via` */                                 \
    X(VIEWED_NEXT, "viewed_next")                 /* in sessions after `via` */                              \
    X(VIEWED_BEFORE, "viewed_before")             /* in this session */                                      \
    X(BOUGHT_BEFORE, "bought_before")             /* by the customer */                                      \
    X(FITS_PURCHASES, "fits_purchases")           /* bought together with what the customer bought */        \
    X(BOUGHT_WITH_SIMILAR, "bought_with_similar") /* with products like `via` */                             \
    X(SIMILAR, "similar")                         /* to `via` */                                             \
    X(POPULAR_IN_CATEGORY, "popular_in_category") /* of `via` */                                             \
    X(POPULAR, "popular")                         /* in the store */

enum aff_reason {
#define X(name, text) AFF_REASON_##name,
    AFF_REASON_LIST(X)
#undef X
        AFF_REASON_MAX
};

/* Why a candidate is not in the answer; each candidate has one reason, the first of this list that holds. */
#define AFF_DROP_LIST(X)                                                                                     \
    X(IN_CART, "in_cart")                                                                                    \
    X(IS_PRODUCT, "is_product") /* the product of the page itself */                                         \
    X(EXCLUDED, "excluded")                                                                                  \
    X(UNAVAILABLE, "unavailable")                                                                            \
    X(UNPRICED, "unpriced")                                                                                  \
    X(OWNED, "owned")             /* durable and bought before */                                            \
    X(REJECTED, "rejected")       /* by the customer or in the session, not long ago */                      \
    X(NOT_DUE, "not_due")         /* bought before, too soon to buy again */                                 \
    X(FILTERED, "filtered")       /* by a filter term */                                                     \
    X(PRICE, "price")             /* outside price_min .. price_max */                                       \
    X(BELOW_FLOOR, "below_floor") /* under min_lift, min_confidence or min_orders */                         \
    X(WRONG_KIND, "wrong_kind")   /* of a kind that was not asked for */                                     \
    X(DIVERSITY, "diversity")     /* too much like a better item */                                          \
    X(LIMIT, "limit")             /* ranked below the last item */

enum aff_drop {
#define X(name, text) AFF_DROP_##name,
    AFF_DROP_LIST(X)
#undef X
        AFF_DROP_MAX
};

/* Why fewer items than asked for came back. */
#define AFF_SHORT_LIST(X)                                                                                    \
    X(NONE, "")                                                                                              \
    X(NO_INPUT, "no_input")       /* neither cart, product nor known customer, and strict */                 \
    X(NO_DATA, "no_data")         /* nothing is known about what was asked */                                \
    X(ALL_DROPPED, "all_dropped") /* candidates were there, too few passed */                                \
    X(FEW_CANDIDATES, "few_candidates")

enum aff_short {
#define X(name, text) AFF_SHORT_##name,
    AFF_SHORT_LIST(X)
#undef X
        AFF_SHORT_MAX
};

/* One term of a score: score = sum of weight * value over the terms of an item. */
struct aff_term {
    enum aff_origin source;
    uint32_t via; /* row of the cart product, page product or purchase behind it; AFF_NO_ROW: none */
    double weight, value;
};
#define AFF_TERMS_MAX 8 /* the largest terms are kept; `n_terms_dropped` counts the rest */

struct aff_item {
    uint32_t row; /* of the product in the model's catalogue */
    enum aff_kind kind;
    enum aff_origin origin; /* of the largest term; popular only for what no other source names */
    enum aff_reason reason;
    float score;                    /* relevance; falls from item to item */
    uint32_t via;                   /* row of the product that speaks most for it; AFF_NO_ROW: none */
    enum aff_relation via_relation; /* which relation links `via` to the item, for evidence; with the reason
                                     * bought_with_similar products like `via`; 0: none */
    const struct aff_pair_counts *counts;   /* of (via, row); NULL: none */
    const struct aff_pair_counts *evidence; /* the same; NULL also where explain is none */
    struct aff_term terms[AFF_TERMS_MAX];   /* with explain full, largest first */
    uint32_t n_terms, n_terms_dropped;
};

/* The fate of the `why_not` product. */
enum aff_fate {
    AFF_FATE_NOT_ASKED,
    AFF_FATE_UNKNOWN,      /* not in the catalogue */
    AFF_FATE_OFFERED,      /* it is in the answer */
    AFF_FATE_NO_CANDIDATE, /* nothing links it to what was asked */
    AFF_FATE_DROPPED,      /* see why_not_drop */
};

struct aff_answer {
    struct aff_item items[AFF_ITEMS_MAX];
    uint32_t n_items;
    uint32_t candidates; /* always n_items + the sum of dropped[] */
    uint32_t dropped[AFF_DROP_MAX];
    struct aff_text
        unknown[AFF_CART_MAX + AFF_EXCLUDE_MAX + 2]; /* ids of the request that the store does not know */
    uint32_t n_unknown;
    bool customer_known;
    enum aff_short short_reason; /* AFF_SHORT_NONE when n_items == limit */
    enum aff_fate why_not;
    enum aff_drop why_not_drop;
};
