/* SPDX-License-Identifier: Apache-2.0 */
/* A fold: everything that is queued is counted, in one transaction that either happens whole or not at all
 * (sql/migrations/002_feed.sql). The queue, the counts and the row of affinity.state commit together, so each
 * change is counted exactly once, whatever dies when. */
#pragma once

#include "core/base/status.h"
#include "core/learn/delta.h"
#include "sql/connection.h"

#include <stdbool.h>
#include <stdint.h>

enum aff_fold_outcome {
    AFF_FOLD_IDLE,      /* nothing is queued */
    AFF_FOLD_DONE,      /* committed */
    AFF_FOLD_OVERTAKEN, /* another leader has a newer epoch: this one leads no more */
    AFF_FOLD_STALE,     /* the store was rebuilt since: the leader's memory has to be made anew */
    AFF_FOLD_UNCOUNTED, /* the store was never rebuilt: nothing to add to */
    AFF_FOLD_TOO_MANY,  /* more is queued than is worth folding: a rebuild is the faster way */
};

struct aff_fold_settings {
    int store;
    int64_t epoch, generation; /* of the leader and of its memory */
    uint32_t most_orders;      /* of one fold */
};

struct aff_fold_report {
    enum aff_fold_outcome outcome;
    uint32_t orders;   /* changed orders counted */
    int64_t version;   /* of the counts now */
    int64_t oldest_us; /* when the oldest of these changes was queued */
};

/* Folds once. Tries again by itself when it lost against another transaction. *deltas is zero before and
 * holds what was added afterwards (AFF_FOLD_DONE); the caller ends it with aff_deltas_done(), after a
 * failure, too. After AFF_BACKEND with a lost connection it is not known whether it happened: the queue says
 * so to the next leader. */
AFF_MUST_CHECK aff_status aff_fold(struct aff_connection *connection,
                                   const struct aff_fold_settings *settings,
                                   struct aff_fold_report *ret_report, struct aff_delta **ret_delta,
                                   struct aff_error *reterr);

/* True for failures after which the same transaction may well succeed, while the connection is good: lost
 * against another transaction, deadlock, a lock that was not to be had, too many connections, a node that is
 * away. */
bool aff_fold_may_retry(const struct aff_connection *connection, const struct aff_error *error);
