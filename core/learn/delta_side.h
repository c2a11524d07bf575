/* SPDX-License-Identifier: Apache-2.0 */
/* A full count of one side of a delta; for core/learn/delta.c only. */
#pragma once

#include "core/learn/delta.h"
#include "core/learn/next.h"
#include "core/learn/pairs.h"

/* An ordered pair with its gap buckets, which begin at gaps[`gaps`] of the side, `orders` of them, ascending.
 */
struct aff_delta_follow {
    uint64_t key; /* product keys: a in the upper half, b in the lower */
    int64_t weight;
    size_t gaps;
    uint32_t orders;
};

struct aff_delta_side {
    struct aff_baskets *baskets;
    struct aff_pairs *pairs;
    struct aff_next *next;
    struct aff_delta_follow *follows; /* ascending by key */
    size_t n_follows, follows_capacity;
    uint8_t *gaps;
    size_t n_gaps, gaps_capacity;
};

/* Counts the lines; `ret` is zero before, and is ended with done, also after a failure. */
AFF_MUST_CHECK aff_status aff_delta_side_count(const struct aff_delta_settings *settings,
                                               const struct aff_line *lines, size_t n,
                                               struct aff_delta_side *ret);
void aff_delta_side_done(struct aff_delta_side *side);
