/* SPDX-License-Identifier: Apache-2.0 */
/* From pair counts to what the service serves: for each product its best others, by one of six methods.
 *
 * ridge       how much product a in the cart adds to the score of b (B_ab of core/learn/ridge.h)
 * cosine      W_ab / sqrt(W_a W_b) of the recency-weighted counts
 * confidence  n_ab / n_a
 * lift        n_ab n / (n_a n_b)
 * jaccard     n_ab / (n_a + n_b - n_ab) (Jaccard, Bulletin de la Societe vaudoise des sciences naturelles 37,
 * 1901) llr         the log-likelihood ratio of core/learn/evidence.h where the lift is above 1, else 0
 *
 * Pairs that only the season explains are damped, apart from those that a person approved.
 *
 * Floors decide what may be offered. They do not decide which others enter a ridge equation. */
#pragma once

#include "core/base/parallel.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "core/index/neighbours.h"
#include "core/learn/floors.h"
#include "core/learn/links.h"
#include "core/learn/pairs.h"
#include "core/learn/reviews.h"
#include "core/learn/season.h"

#include <stdbool.h>
#include <stdint.h>

enum aff_method {
    AFF_METHOD_RIDGE,
    AFF_METHOD_COSINE,
    AFF_METHOD_CONFIDENCE,
    AFF_METHOD_LIFT,
    AFF_METHOD_JACCARD,
    AFF_METHOD_LLR,
    AFF_METHOD_MAX
};

struct aff_rows_settings {
    enum aff_method method;
    uint32_t neighbours; /* kept for each product, at most; at least 1 */
    uint32_t others;     /* ridge: products that enter one equation, 1 to 500 */
    double lambda;       /* ridge: penalty, in weights of a new basket, above 0 */
    struct aff_floors floors;
    double season_damping; /* factor for scores of pairs that the season explains (core/learn/season.h), above
                              0 to 1; 0 is read as 1 */
    const struct aff_reviews *reviews; /* verdicts by product key: rejected pairs are left out, approved ones
                                          not damped; borrowed; NULL: none */
};

/* Reads "ridge", "cosine", "confidence", "lift", "jaccard" or "llr"; false for anything else. */
bool aff_method_parse(struct aff_text name, enum aff_method *ret_method);
const char *aff_method_name(enum aff_method method);

/* Takes the row of product row `a`: its residual (ridge; else 0), and n neighbours, best first, with their
 * counts; `row` members are product rows of the links. Borrowed for the call. n may be 0. Called by several
 * threads at once, at most one call a thread number; a failure stops the work. */
typedef aff_status (*aff_rows_sink)(void *context, int thread, uint32_t a, float residual,
                                    const struct aff_neighbour *neighbours,
                                    const struct aff_pair_counts *counts, uint32_t n);

/* What making rows needs besides counts: settings and scratch memory of each thread, kept from one call to
 * the next, since some of it is in proportion to the products. One call at a time uses it. */
struct aff_rows_room;
AFF_MUST_CHECK aff_status aff_rows_room_new(const struct aff_rows_settings *settings, int n_threads,
                                            struct aff_rows_room **ret_room);
void aff_rows_room_free(struct aff_rows_room *room); /* NULL is a no-op */
const struct aff_rows_settings *aff_rows_room_settings(const struct aff_rows_room *room);

/* Makes the rows of `n` products, in two passes: all their residuals, then their rows. `products` NULL: all,
 * n is not read. `residuals` has an entry for each product of the links: those of the given products are
 * written, those of others read (ridge; else may be NULL). The products must differ. */
AFF_MUST_CHECK aff_status aff_rows_make(struct aff_rows_room *room, const struct aff_links *links,
                                        const uint32_t *products, uint32_t n, float *residuals,
                                        const struct aff_watch *watch, aff_rows_sink sink, void *context);

/* Makes all rows of a finished count. */
AFF_MUST_CHECK aff_status aff_rows_build(const struct aff_pairs *pairs,
                                         const struct aff_rows_settings *settings, int n_threads,
                                         const struct aff_watch *watch, aff_rows_sink sink, void *context);
