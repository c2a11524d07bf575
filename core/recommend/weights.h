/* SPDX-License-Identifier: Apache-2.0 */
/* How much each source counts, and when. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Sources that need single sessions or baskets (core/sequence/traces.h) or the rows of all purchases.
 *
 * - ADDED: rules of what is put into a basket after a product: of the newest one of a cart in the order of
 *   adding, else of the 5 newest, each times exp(-age / 2), age counted from the newest
 * - HISTORY: neighbour rows of the customer's 100 newest purchases, each times its personal value
 * - RECENT: popularity of each candidate in the newest orders; names the 200 most popular
 * - ALIKE: what comes in sessions of the 10 newest views (core/sequence/alike.h), times
 *   exp(-age / alike views), none below 1e-9; the newest product itself counts h / 0.35 times as much as
 * there
 * - VIEWED: rules of what is viewed after the 10 newest views, times exp(-age / 2)
 * - SEEN: exp(-age / 10) for each of the 10 newest views but the newest one, 0.5 of that if it is the same
 *   product as the newest one; nothing where fewer than 5 % of views return
 *
 * h is the visitor's habit: (returns + q) / views, where returns are those of the request's views whose
 * product was viewed before, and q is their share in the store's sessions. Where q is at least 5 %, VIEWED
 * and SEEN of the newest product are multiplied by h / q.
 *
 * Each adds weight * value / the largest value of the candidates that are left. */
#define AFF_TRACE_LIST(X)                                                                                    \
    X(ADDED, "added")                                                                                        \
    X(HISTORY, "history")                                                                                    \
    X(RECENT, "recent")                                                                                      \
    X(ALIKE, "alike")                                                                                        \
    X(VIEWED, "viewed")                                                                                      \
    X(SEEN, "seen")

enum aff_trace {
#define X(name, text) AFF_TRACE_##name,
    AFF_TRACE_LIST(X)
#undef X
        AFF_TRACE_MAX
};

/* Weights of the sources, none negative.
 *
 * score = affinity * A / max A + sequence * S / max S + personal * P / max P + traces + popularity * Q
 * - A: sum over the distinct cart products, in the order of the cart, then the page product, of the score of
 *   their `together` neighbour; where the cart is in the order of adding or holds views, times
 *   max(exp(-age / cart lines), 0.1), age being the number of lines after it. For a new product (fewer than
 *   content_below_orders orders, n of them, and fewer than 20 neighbours; of several the page product and the
 *   newest of the cart, three in all) the rows of the 8 most alike known products are added, each times
 *   content * (1 - n / content_below_orders) * its likeness / the sum of their likenesses
 * - S: the same of `next` rows: of the newest cart product, or without a known one of the 5 newest purchases
 * - P: the customer's n purchases of the product as if they lay at equal times between the first and the last
 *   one: 2^(-age of the last one / half-life) * (1 - r^n) / (1 - r), r = 2^(-mean gap / half-life), or n
 * times the first factor where r is above 0.999
 * - Q: the product's weight / the largest weight of the store (aff_catalogue_popularity)
 *
 * Each maximum is over the candidates that nothing but diversity and limit drops; a source without a positive
 * one, or with one so small that the weight divided by it is no float, adds nothing. Equal scores rank by
 * catalogue row. With rotation r the score is multiplied by 1 - 0.05 r u, u being a number from 0 to 1 that
 * seed and row decide. Sums and scores are in single precision, in this order; the weights are divided by the
 * maxima first.
 *
 * Of what a product that was shown and not clicked scores without popularity, impressions * (1 - 0.5^n) of
 * its size is taken off, n being aff_impressed.times. A popular product of the fallback counts as that much
 * less popular.
 *
 * A new product that is like an item (aff_catalogue_newcomers) and that nothing else names scores
 * content * likeness * the score of that item, less what impressions take; of several items the one that
 * gives it most. At most one of ten items, or of what is left of them, is such a product.
 *
 * A substitute's score is content * C + popularity * Q instead, with content weight 1 and C from 0 to 1: 0.4
 * for the same category or 0.2 for the one above it, 0.2 for the same brand, 0.2 * the share of equal
 * attributes, 0.2 * the share of common words of the names. */
struct aff_weights {
    double affinity;   /* neighbour rows of cart and page product */
    double sequence;   /* `next` rows of the newest cart product, or of the last purchases without a cart */
    double personal;   /* the customer's own decayed frequency */
    double popularity; /* of each candidate in the store; breaks ties */
    double traces[AFF_TRACE_MAX];
    double half_life_days; /* of a purchase, in P and HISTORY; 0: personal_half_life_days of the blend */
    double cart_lines;     /* in A; 0: AFF_CART_LINES */
    double alike_views;    /* in ALIKE; 0: AFF_ALIKE_VIEWS */
};

#define AFF_CART_LINES 2.0
#define AFF_ALIKE_VIEWS 0.2

/* What is asked, as far as it decides which weights hold. */
#define AFF_SITUATION_LIST(X)                                                                                \
    X(CART, "cart")               /* cart or page product, unknown customer */                               \
    X(CART_KNOWN, "cart_known")   /* the same for a known customer */                                        \
    X(ADDED, "added")             /* cart in the order of adding, unknown customer */                        \
    X(ADDED_KNOWN, "added_known") /* the same for a known customer */                                        \
    X(NEXT_BASKET, "next_basket") /* known customer, neither cart nor page product */                        \
    X(VIEWS, "views")             /* viewed products */

enum aff_situation {
#define X(name, text) AFF_SITUATION_##name,
    AFF_SITUATION_LIST(X)
#undef X
        AFF_SITUATION_MAX
};

/* Weights that were fitted to a store's own orders and sessions (affinityctl tune), for the situations in
 * which they were better than the others on orders that they were not fitted to. */
struct aff_fitted {
    bool given[AFF_SITUATION_MAX];
    struct aff_weights of[AFF_SITUATION_MAX];
};

struct aff_blend {
    struct aff_weights of[AFF_SITUATION_MAX];
    double personal_half_life_days;
    double impressions;            /* 0 to 1: what impressions without a click can cost */
    double content;                /* 0 to 1: what the rows of look-alikes of a new product count */
    uint32_t content_below_orders; /* a product with fewer orders is new; 0: none is */
    bool fitted;                   /* weights fitted to the store go before these */
};

/* The weights of a set by number, for whoever reads, writes or fits them all. */
enum {
    AFF_WEIGHT_AFFINITY,
    AFF_WEIGHT_SEQUENCE,
    AFF_WEIGHT_PERSONAL,
    AFF_WEIGHT_POPULARITY,
    AFF_WEIGHT_TRACE
};
enum { AFF_WEIGHT_MAX = AFF_WEIGHT_TRACE + AFF_TRACE_MAX };

/* The numbers of what else is fitted: how fast values fade. */
enum { AFF_FADE_HALF_LIFE = AFF_WEIGHT_MAX, AFF_FADE_CART_LINES, AFF_FADE_ALIKE_VIEWS, AFF_FITTED_MAX };

/* `weight` is below AFF_FITTED_MAX. */
double *aff_weights_at(struct aff_weights *weights, int weight);
const char *aff_weight_name(int weight);
const char *aff_situation_name(enum aff_situation situation);
