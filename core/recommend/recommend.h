/* SPDX-License-Identifier: Apache-2.0 */
/* The use case: a request and a model in, ranked items out. */
#pragma once

#include "core/base/status.h"
#include "core/index/model.h"
#include "core/recommend/answer.h"
#include "core/recommend/request.h"

/* Sources that need single sessions or baskets (core/sequence/traces.h) or the rows of all purchases.
 *
 * ADDED    rules of what is put into a basket after its newest product
 * HISTORY  neighbour rows of the customer's 100 newest purchases, each times its personal value
 * RECENT   popularity of each candidate in the newest orders; names the 200 most popular
 * ALIKE    what came in sessions like this one (core/sequence/alike.h)
 * VIEWED   rules of what is viewed after the 10 newest views, times exp(-age / 2), age counted from the newest
 * SEEN     exp(-age / 10) for each of the 10 newest views but the newest one, 0.5 of that if it is the same
 *          product as the newest one
 *
 * Each adds weight * value / the largest value of the candidates that are left. */
enum aff_trace {
    AFF_TRACE_ADDED,
    AFF_TRACE_HISTORY,
    AFF_TRACE_RECENT,
    AFF_TRACE_ALIKE,
    AFF_TRACE_VIEWED,
    AFF_TRACE_SEEN,
    AFF_TRACE_MAX
};

/* Weights of the sources, none negative.
 *
 * score = affinity * A / max A + sequence * S / max S + personal * P / max P + traces + popularity * Q
 *   A  sum over the distinct cart products, in the order of the cart, then the page product, of the score of
 * their `together` neighbour; where the cart is in the order of adding or holds views, times
 * max(exp(-age / 2), 0.1), age being the number of lines after it S  the same of `next` rows: of the newest
 * cart product, or without a known one of the 5 newest purchases P  the customer's n purchases of the product
 * as if they lay at equal times between the first and the last one: 2^(-age of the last one / half-life) *
 * (1 - r^n) / (1 - r), r = 2^(-mean gap / half-life), or n times the first factor where r is above 0.999 Q
 * the product's weight / the largest weight of the store (aff_catalogue_popularity) Each
 * maximum is over the candidates that nothing but diversity and limit drops; a source without a positive one
 * adds nothing. Equal scores rank by catalogue row. With rotation r the score is multiplied by 1 - 0.05 r u,
 * u being a number from 0 to 1 that seed and row decide. Sums and scores are in single precision, in this
 * order; the weights are divided by the maxima first.
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
};

/* What is asked, as far as it decides which weights hold. */
#define AFF_SITUATION_LIST(X)                                                                                \
    X(CART, "cart")                   /* cart or page product, unknown customer */                           \
    X(CART_KNOWN, "cart_known")       /* the same for a known customer */                                    \
    X(ADDED, "added")                 /* cart in the order of adding, unknown customer */                    \
    X(ADDED_KNOWN, "added_known")     /* the same for a known customer */                                    \
    X(NEXT_BASKET, "next_basket")     /* known customer, neither cart nor page product */                    \
    X(VIEWS, "views")                 /* viewed products */

enum aff_situation {
#define X(name, text) AFF_SITUATION_##name,
    AFF_SITUATION_LIST(X)
#undef X
        AFF_SITUATION_MAX
};

struct aff_blend {
    struct aff_weights of[AFF_SITUATION_MAX];
    double personal_half_life_days;
};

/* The defaults that research on public data found good (see docs/ranking.md). */
struct aff_blend aff_blend_default(void);

/* Scratch memory of one thread: score accumulators for all products, reused from call to call. */
struct aff_workspace;

AFF_MUST_CHECK aff_status aff_workspace_new(struct aff_workspace **ret_workspace);
void aff_workspace_free(struct aff_workspace *workspace); /* NULL is a no-op */

/* Answers `request` from `model` into *ret_answer (large: keep one a thread). Grows the workspace when the
 * catalogue has grown and allocates nothing else. The same request, model and seed give the same answer.
 *
 * Candidates are all products that a neighbour row of the cart or page product (`next` rows only with a
 * weight for sequence), the customer's purchases, the category lists (substitute) or, unless strict, the
 * popularity lists (only when the others leave fewer than `limit` items) name; each is counted once. The
 * filters run last, on every path.
 *
 * Kinds: a candidate that a category list names is a substitute, when these are asked for: products of the
 * category of the page product (or of up to 8 newest cart products), or of the category above it, at half to
 * twice its price; of each category the 300 most popular. Any other candidate is replenish if the customer
 * has bought it, else cross-sell. A purchase made at least twice is not due in the first half of the
 * customer's mean time between purchases of it; this is looked at only where replenish is asked for by
 * name.
 *
 * min_lift, min_confidence and min_orders hold where a cart or page product is known: a candidate passes if
 * its pair with one of these passes all of them. Substitutes need not.
 *
 * Popularity lists, unless the request is strict, has such floors or wants no cross-sell: the category that a
 * filter names, the categories of cart and page product, those of the newest purchases, the store; at most
 * 2,000 products are looked at. Their items have the origin popular and score below all others.
 *
 * AFF_INVALID: a limit of request.h is broken, or a filter compares by order what has none. AFF_NOMEM: the
 * workspace could not grow. */
AFF_MUST_CHECK aff_status aff_recommend(const struct aff_model *model, const struct aff_blend *blend,
                                        struct aff_workspace *workspace, const struct aff_request *request,
                                        struct aff_answer *ret_answer);
