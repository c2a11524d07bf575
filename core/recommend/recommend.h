/* SPDX-License-Identifier: Apache-2.0 */
/* The use case: a request and a model in, ranked items out. */
#pragma once

#include "core/base/status.h"
#include "core/index/model.h"
#include "core/recommend/answer.h"
#include "core/recommend/request.h"
#include "core/recommend/weights.h"

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
