/* SPDX-License-Identifier: Apache-2.0 */
/* The use case: a request and a model in, ranked items out. */
#pragma once

#include "core/base/status.h"
#include "core/index/model.h"
#include "core/recommend/answer.h"
#include "core/recommend/request.h"

/* Weights of the sources. Each source is normalised by its own maximum in the request before it is weighted.
 */
struct aff_blend {
    double affinity;   /* neighbour rows of cart and page product */
    double sequence;   /* `next` rows of the newest cart product, or of the last purchases without a cart */
    double personal;   /* the customer's own decayed frequency */
    double popularity; /* of each candidate in the store; breaks ties */
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
 * Candidates are all products that a neighbour row of the cart or page product, the customer's purchases, the
 * category lists (substitute) or, unless strict, the popularity lists (only when the others leave fewer than
 * `limit` items) name; each is counted once. The filters run last, on every path.
 * AFF_INVALID: a limit of request.h is broken. AFF_NOMEM: the workspace could not grow. */
AFF_MUST_CHECK aff_status aff_recommend(const struct aff_model *model, const struct aff_blend *blend,
                                        struct aff_workspace *workspace, const struct aff_request *request,
                                        struct aff_answer *ret_answer);
