/* SPDX-License-Identifier: Apache-2.0 */
/* What the learner knows about itself, by store: written by its threads, read by /health and /metrics. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AFF_LEARNED_STORES = 256 };

struct aff_learned_store {
    char name[AFF_ID_MAX + 1];
    bool leads, rebuilding; /* this process */
    int64_t epoch, version, published;
    uint64_t folds, orders, rows; /* since the start of the process */
    uint64_t renewed;             /* neighbour rows that a sweep changed */
    uint64_t sessions;            /* counted, or taken back */
    uint64_t viewed_rows;         /* of the relation `viewed` that became different */
    uint64_t rebuilds, failures;
    uint64_t queued;   /* changes that wait; only known to the leader */
    int64_t oldest_us; /* wall clock at which the oldest of them was queued; 0: none waits */
    int64_t fold_took_us, publish_took_us; /* the last of each */
    int64_t folded_us, swept_us; /* wall clock of the last fold, and of the last sweep's end; 0: never */
    uint64_t memory_bytes;       /* of the pair counts */
    bool fitting;                /* its weights, by this process (server/tuner.h); the next five, too */
    uint64_t fits, fits_adopted, fit_failures;
    int64_t fitted_us, fit_took_us; /* wall clock of the last fit's end; 0: never */
    char error[512];                /* why the last step failed; empty: it went well */
};

struct aff_learner_board {
    pthread_mutex_t lock;
    struct aff_learned_store *stores; /* n of them */
    size_t n;
};

AFF_MUST_CHECK aff_status aff_learner_board_init(struct aff_learner_board *board);
void aff_learner_board_done(struct aff_learner_board *board);

/* A copy of store number `at`; false if there are fewer. */
bool aff_learner_board_read(struct aff_learner_board *board, size_t at, struct aff_learned_store *ret);

/* The store's entry, made if it is new, with the lock held until aff_learner_board_unlock(). NULL, and not
 * locked: there are too many. */
struct aff_learned_store *aff_learner_board_lock(struct aff_learner_board *board, const char *name);
void aff_learner_board_unlock(struct aff_learner_board *board);

/* Seconds for which the oldest change has waited; 0 if none does. */
double aff_learned_lag_s(const struct aff_learned_store *store, int64_t now_us);
