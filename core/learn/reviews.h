/* SPDX-License-Identifier: Apache-2.0 */
/* What people decided about pairs: a verdict a pair, few of them. One thread changes, any number may look
 * meanwhile only if nothing changes. */
#pragma once

#include "core/base/status.h"

#include <stdint.h>

enum aff_verdict {
    AFF_VERDICT_OPEN,    /* nobody decided, or the decision was taken back */
    AFF_VERDICT_APPROVE, /* the pair goes together: it is not damped */
    AFF_VERDICT_REJECT,  /* it does not: it is in no row of neighbours */
};

/* Zero is an empty one. Sorted by pair. */
struct aff_reviews {
    struct aff_review *reviews;
    uint32_t n, capacity;
};

/* Puts a verdict of the pair of two product keys, in either order; one that is there is replaced. Cheap if
 * pairs come by ascending lower key, then higher key. */
AFF_MUST_CHECK aff_status aff_reviews_put(struct aff_reviews *reviews, int32_t x, int32_t y,
                                          enum aff_verdict verdict);
void aff_reviews_clear(struct aff_reviews *reviews); /* empties, keeps the memory */
void aff_reviews_done(struct aff_reviews *reviews);

/* The verdict of the pair; AFF_VERDICT_OPEN without one, or with `reviews` NULL. */
enum aff_verdict aff_reviews_find(const struct aff_reviews *reviews, int32_t x, int32_t y);
