/* SPDX-License-Identifier: Apache-2.0 */
/* What visitors look at in the same session: how exact counts of sessions change when a session does, and
 * the neighbours that follow from them.
 *
 * A session counts once for each distinct product that it holds and once for each pair of them. Sessions
 * weigh the same whatever their age: those older than a window are taken back. */
#pragma once

#include "core/base/status.h"
#include "core/index/neighbours.h"
#include "core/learn/floors.h"

#include <stddef.h>
#include <stdint.h>

enum { AFF_VIEWED_PRODUCTS = 50 }; /* of one session that count, at most */

/* By how much the sessions of a product, or of a pair (a < b), change; never 0. */
struct aff_viewed_product {
    int32_t product, sessions;
};
struct aff_viewed_pair {
    int32_t a, b, sessions;
};

/* Gathers the changes of many sessions. Set to zero before first use; aff_viewed_done() frees it. */
struct aff_viewed {
    struct aff_viewed_product *products; /* after aff_viewed_sum(): by ascending product, each once */
    struct aff_viewed_pair *pairs;       /* by ascending a and b, each once */
    size_t n_products, n_pairs, product_capacity, pair_capacity;
    int64_t sessions; /* that count now and did not, less those that do no more */
};

/* Adds a session that counted for the products `before` and counts for `after` from now on; both ascend
 * without repetition, n 0: it does not count. AFF_LIMIT: more than AFF_VIEWED_PRODUCTS. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_viewed_add(struct aff_viewed *viewed, const int32_t *before, uint32_t n_before,
                                         const int32_t *after, uint32_t n_after);

/* Adds up what was gathered, and leaves out what cancels out. */
void aff_viewed_sum(struct aff_viewed *viewed);

void aff_viewed_done(struct aff_viewed *viewed);

/* A product that was viewed in the same sessions as another one. */
struct aff_viewed_other {
    int32_t product;
    uint32_t sessions; /* with both */
    uint32_t in_all;   /* sessions with this product */
};

struct aff_viewed_settings {
    uint32_t neighbours; /* kept, at most; at least 1 */
    struct aff_floors floors;
};

/* The best others of a product that `sessions` of `total` sessions hold, by n_ab / sqrt(n_a n_b), the cosine
 * of the two products' sessions; floors compare sessions. Moves them to the front of `others` (in ascending
 * order of products before), best first, with their scores in `ret_scores`, which like `ret_n` is for at most
 * settings->neighbours. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_viewed_row(const struct aff_viewed_settings *settings, uint32_t sessions,
                                         uint64_t total, struct aff_viewed_other *others, uint32_t n,
                                         float *ret_scores, uint32_t *ret_n);
