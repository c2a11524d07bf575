/* SPDX-License-Identifier: Apache-2.0 */
/* Learning a store anew from all its orders: read, count, write new tables beside the old ones, swap.
 *
 * Tables are as before or as after, never between: whatever fails, or whenever the process dies, the
 * partitions that are served stay as they are until one transaction replaces them all together with the row
 * of affinity.state. Serving is not blocked apart from the moment of the swap. */
#pragma once

#include "core/base/status.h"
#include "core/learn/baskets.h"
#include "core/learn/rows.h"
#include "sql/write_learned.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_rebuild_settings {
    struct aff_baskets_settings baskets;
    struct aff_rows_settings rows;
    const char *floors_name;   /* as configured; kept in affinity.state.settings */
    int n_threads;             /* 0: one a processor */
    int64_t session_window_us; /* age at which sessions do not count any more; 0: sessions are left alone */
};

/* Told of progress in the calling thread only. `phase` and `unit` are constants; a new phase begins when
 * `phase` changes; `total` 0: not known. Returns false to cancel. */
typedef bool (*aff_rebuild_progress_fn)(void *context, const char *phase, const char *unit, uint64_t done,
                                        uint64_t total);

struct aff_rebuild_progress {
    aff_rebuild_progress_fn call; /* NULL: nobody watches */
    void *context;
};

struct aff_rebuild_report {
    uint64_t lines; /* read */
    uint64_t orders, next_orders, old_orders, truncated_orders, truncated_lines;
    struct aff_learned_counts counts;
    int64_t sessions, viewed_pairs; /* counted */
    int64_t from_us, to_us;         /* oldest and newest order counted; 0 without orders */
    uint64_t version;               /* that was published */
};

/* Rebuilds the store `store_name`. Opens its own connections to `url`: one a thread and five more. AFF_BUSY:
 * another rebuild of this store runs; the text names it. AFF_CANCELLED: the progress function said no.
 * AFF_NOTFOUND: no such store. */
AFF_MUST_CHECK aff_status aff_rebuild(const char *url, int timeout_s, const char *application,
                                      const char *store_name, const struct aff_rebuild_settings *settings,
                                      const struct aff_rebuild_progress *progress,
                                      struct aff_rebuild_report *ret_report, struct aff_error *reterr);
