/* SPDX-License-Identifier: Apache-2.0 */
/* Counting all sessions of a store anew, as part of a rebuild. */
#pragma once

#include "core/base/parallel.h"
#include "core/base/status.h"
#include "sql/connection.h"

#include <stdint.h>

struct aff_viewed_recounted {
    int64_t sessions, pairs; /* counted */
};

/* Counts what the rows of affinity.session hold by now, and corrects the tables of counts where they differ,
 * in one transaction; all neighbour rows are due afterwards. The leader counts no sessions meanwhile, and
 * events go on being stored; an import of sessions waits. Sessions older than `window_us` before the newest
 * one do not count. The watch may cancel. Not inside a transaction. */
AFF_MUST_CHECK aff_status aff_viewed_recount(struct aff_connection *connection, int store, int64_t window_us,
                                             const struct aff_watch *watch, struct aff_viewed_recounted *ret,
                                             struct aff_error *reterr);
