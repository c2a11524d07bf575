/* SPDX-License-Identifier: Apache-2.0 */
/* What people decided about pairs, for those who make neighbour rows. */
#pragma once

#include "core/base/status.h"
#include "core/learn/reviews.h"
#include "sql/connection.h"

#include <stdbool.h>
#include <stdint.h>

/* Reads all verdicts of the store but the open ones, in place of those that *reviews holds. */
AFF_MUST_CHECK aff_status aff_verdicts_read(struct aff_connection *connection, int store,
                                            struct aff_reviews *reviews, struct aff_error *reterr);

/* Takes the decisions that wait out of their queue, and has the rows of their products made anew: they are
 * touched with a new version of the counts, in one transaction of the leader. *ret_mine false: the leader was
 * overtaken or the store rebuilt, and nothing was done. *ret_version is left alone if nothing waited. */
AFF_MUST_CHECK aff_status aff_verdicts_claim(struct aff_connection *connection, int store, int64_t epoch,
                                             int64_t generation, bool *ret_mine, int64_t *ret_version,
                                             struct aff_error *reterr);
