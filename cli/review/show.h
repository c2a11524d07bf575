/* SPDX-License-Identifier: Apache-2.0 */
/* Prints pairs for people: one line a pair, below it the months in which both products sell. */
#pragma once

#include "sql/review/review.h"

#include <stdint.h>

struct aff_review_show {
    bool months;
    uint64_t n; /* pairs printed so far */
};

/* An aff_review_take; the context is a struct aff_review_show. */
aff_status aff_review_show_pair(void *context, const struct aff_review_pair *pair);
