/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of the recommender. All texts and arrays are borrowed for the call. */
#pragma once

#include "core/base/text.h"
#include "core/session/shown.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AFF_CART_MAX 200                      /* cart lines */
#define AFF_EXCLUDE_MAX 500                   /* excluded products */
#define AFF_REJECTED_MAX 200                  /* products that somebody has rejected */
#define AFF_IMPRESSED_MAX (2 * AFF_SHOWN_MAX) /* products that somebody was shown */
#define AFF_FILTER_MAX 16                     /* filter terms */
#define AFF_ITEMS_MAX 100                     /* items of an answer */
#define AFF_LIMIT_DEFAULT 10

#define AFF_PLACEMENT_LIST(X)                                                                                \
    X(NONE, "")                                                                                              \
    X(PRODUCT, "product")                                                                                    \
    X(CART, "cart")                                                                                          \
    X(CHECKOUT, "checkout")                                                                                  \
    X(POST_PURCHASE, "post_purchase")                                                                        \
    X(HOME, "home")                                                                                          \
    X(ONBOARDING, "onboarding")                                                                              \
    X(EMAIL, "email")                                                                                        \
    X(CRM, "crm")

enum aff_placement {
#define X(name, text) AFF_PLACEMENT_##name,
    AFF_PLACEMENT_LIST(X)
#undef X
        AFF_PLACEMENT_MAX
};

/* Kinds of recommendation that this version answers. */
#define AFF_KIND_LIST(X)                                                                                     \
    X(CROSS_SELL, "cross_sell")                                                                              \
    X(REPLENISH, "replenish")                                                                                \
    X(SUBSTITUTE, "substitute")

enum aff_kind {
#define X(name, text) AFF_KIND_##name,
    AFF_KIND_LIST(X)
#undef X
        AFF_KIND_MAX
};

/* What the cart of a request is. */
#define AFF_AS_LIST(X)                                                                                       \
    X(CART, "cart")   /* products that are bought together; their order says nothing */                      \
    X(ADDED, "added") /* the same in the order in which they were put in: what comes next? */                \
    X(VIEWS, "views") /* products viewed in this session; they may be offered again */

enum aff_as {
#define X(name, text) AFF_AS_##name,
    AFF_AS_LIST(X)
#undef X
        AFF_AS_MAX
};

enum aff_explain { AFF_EXPLAIN_NONE, AFF_EXPLAIN_BASIC, AFF_EXPLAIN_FULL };

struct aff_cart_line {
    struct aff_text product;
    uint32_t quantity; /* at least 1 */
    int64_t price;     /* of one unit, minor units; AFF_NO_MONEY if not said */
};

enum aff_filter_field { AFF_FILTER_CATEGORY, AFF_FILTER_BRAND, AFF_FILTER_PRICE, AFF_FILTER_ATTRIBUTE };
enum aff_filter_compare {
    AFF_COMPARE_EQ,
    AFF_COMPARE_NE,
    AFF_COMPARE_LT,
    AFF_COMPARE_LE,
    AFF_COMPARE_GT,
    AFF_COMPARE_GE
};

/* One condition; all conditions of a request must hold. Categories match the path or any path below it. Order
 * comparisons are for the price only. */
struct aff_filter {
    enum aff_filter_field field;
    enum aff_filter_compare compare;
    struct aff_text name;  /* of the attribute */
    struct aff_text value; /* of category, brand, attribute */
    int64_t price;
};

struct aff_request {
    struct aff_text customer, product; /* empty: not given */
    const struct aff_cart_line *cart;  /* in the order of adding, newest last; a product may come twice */
    size_t n_cart;
    enum aff_as as;
    bool unpriced; /* products without price may be offered: the caller does not show one */
    const struct aff_text *exclude;
    size_t n_exclude;
    const int32_t *rejected; /* keys of products that customer or session rejected lately */
    size_t n_rejected;
    const struct aff_impressed *impressed; /* products that were shown and not clicked, each once */
    size_t n_impressed;
    const struct aff_filter *filters;
    size_t n_filters;
    enum aff_placement placement;
    unsigned kinds; /* bits 1 << enum aff_kind; 0: cross_sell, and replenish for a known customer */
    uint32_t limit; /* 1 to AFF_ITEMS_MAX */
    double min_lift, min_confidence; /* 0: no floor; for `together` neighbours of cart and product */
    uint32_t min_orders;
    int64_t price_min, price_max; /* inclusive, AFF_NO_MONEY: none */
    double diversity; /* 0 to 1: how much likeness to better items costs (maximal marginal relevance) */
    double rotation;  /* 0 to 1: how far near-ties change places, by `seed` */
    uint64_t seed;
    enum aff_explain explain;
    struct aff_text why_not; /* a product whose fate is to be told; empty: none */
    bool strict;             /* no fallback to popularity */
    int64_t now_us;          /* the moment to answer for */
};
