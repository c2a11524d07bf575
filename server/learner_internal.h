/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the learner: its thread (learner.c) and what it does with each store (learner_stores.c). */
#pragma once

#include "core/base/random.h"
#include "server/background.h"
#include "server/failure_log.h"
#include "server/learner.h"
#include "server/learner_rebuild.h"
#include "sql/fold/learning.h"

/* One store of the database. */
struct aff_led_store {
    char name[AFF_ID_MAX + 1];
    struct aff_learning *learning; /* NULL while there is no connection */
    bool leads, sweeping;
    int64_t next_us;   /* monotonic; not before */
    int64_t trim_us;   /* monotonic */
    unsigned attempts; /* that failed one after another */
    struct aff_failure_log said;
    int64_t rebuild_from_us; /* monotonic; no rebuild before, after one failed */
    unsigned rebuild_attempts;
};

struct aff_learner {
    struct aff_background background;
    struct aff_learner_board *board;
    struct aff_log *log;
    struct aff_random random;
    struct aff_learner_rebuild *rebuild;
    char rebuilding[AFF_ID_MAX + 1]; /* the store that is counted anew; empty: none */
    struct aff_led_store stores[AFF_LEARNED_STORES];
    size_t n_stores;
    int64_t listed_us; /* monotonic; 0: the stores have to be listed */
    char name[80];     /* of this leader, for people */
    struct aff_failure_log said;
};

/* Finds new stores, and prepares those that have no learning on this connection. */
AFF_MUST_CHECK aff_status aff_learner_list(struct aff_learner *learner, struct aff_error *reterr);

/* Gives up what is kept for the stores, before the connection is closed. */
void aff_learner_drop_stores(struct aff_learner *learner);

/* One round over all stores; *ret_behind: there is more to do at once. A failure of the connection is
 * returned, one of a store dealt with. */
AFF_MUST_CHECK aff_status aff_learner_round(struct aff_learner *learner, bool *ret_behind,
                                            struct aff_error *reterr);

/* Takes note of a rebuild that has ended. */
void aff_learner_end_rebuild(struct aff_learner *learner);
