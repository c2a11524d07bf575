/* SPDX-License-Identifier: Apache-2.0 */
/* What a store's counts have to be at one moment: all its orders counted anew, those whose change is queued
 * with the content that they had before. */
#pragma once

#include "core/base/parallel.h"
#include "core/base/status.h"
#include "core/learn/baskets.h"
#include "sql/connection.h"

#include <stdbool.h>
#include <stdint.h>

/* The row of affinity.state that counting rests on and adds up to. Times are microseconds, INT64_MIN where
 * there is none. */
struct aff_count_state {
    int64_t version, published, generation, epoch;
    bool rebuilding;
    int64_t landmark_us, half_life_s, counted_from_us, from_us, to_us;
    int64_t orders, lines, weight, next_orders, truncated_orders, truncated_lines;
    uint32_t cap; /* of the baskets, at the last rebuild */
};

/* Reads it; with `lock` for update. AFF_NOTFOUND: no such store. */
AFF_MUST_CHECK aff_status aff_count_state_read(struct aff_connection *connection, int store, bool lock,
                                               struct aff_count_state *ret, struct aff_error *reterr);

/* Reads orders, queue and product costs in the caller's transaction, which is REPEATABLE READ, and makes
 * baskets with the store's landmark. The watch is told lines read and lines there are. */
AFF_MUST_CHECK aff_status aff_recount(struct aff_connection *connection, int store,
                                      const struct aff_count_state *state, const struct aff_watch *watch,
                                      struct aff_baskets **ret_baskets, struct aff_error *reterr);
