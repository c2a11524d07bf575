/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping the model of one store as new as its tables; the loader's work on one line of its poll. */
#pragma once

#include "core/base/random.h"
#include "core/sequence/traces.h"
#include "server/board.h"
#include "server/log.h"
#include "server/stores.h"
#include "sql/connection.h"
#include "sql/stores.h"

/* What the loader knows about one store of the database; zero at the beginning. */
struct aff_followed {
    bool popularity_due;   /* lists by popularity are older than the counts */
    int64_t popularity_us; /* monotonic: when they were made */
    bool failed;
    uint64_t failed_version;
    int64_t next_try_us; /* monotonic; after a failure */
    unsigned attempts;
};

/* What one round of the loader works with. */
struct aff_following {
    struct aff_connection *connection;
    struct aff_stores *stores;
    struct aff_board *board;
    struct aff_log *log;
    struct aff_random *random;
    uint64_t memory_limit_bytes;
    struct aff_traces_bounds traces;
    int64_t retry_max_s;
    bool (*must_stop)(void *context);
    void *context;
};

/* Brings the store's model up to date: with what changed since its versions if the tables go back that far,
 * else by loading all. A failure that is the store's own is told to board and log and tried again later; one
 * of the connection is returned. */
AFF_MUST_CHECK aff_status aff_loader_follow(struct aff_following *following, struct aff_store *store,
                                            struct aff_followed *followed, const struct aff_store_seen *seen,
                                            struct aff_error *reterr);
