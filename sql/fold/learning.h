/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping one store's learned tables fresh, step by step: lead, fold, make the rows that changed, publish.
 * For the service's learner and for the command line.
 *
 * Used by one thread. The connection is the leader's own: it may serve several stores, but nothing else. When
 * it is lost, nobody has to be asked what happened last: the queue and affinity.touched say it to whoever
 * leads next. */
#pragma once

#include "core/base/parallel.h"
#include "core/base/status.h"
#include "core/learn/rows.h"
#include "sql/connection.h"
#include "sql/viewed/step.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_learning_settings {
    const char *name;                       /* of the leader, for people; borrowed */
    struct aff_rows_settings rows;          /* how neighbours are scored */
    uint64_t limit_bytes;                   /* memory for pair counts */
    struct aff_viewed_step_settings viewed; /* sessions; without neighbours they are left alone */
};

/* What a step came to. */
enum aff_learning_state {
    AFF_LEARNING_FOLLOWS, /* another session leads */
    AFF_LEARNING_IDLE,    /* leads, and there is nothing to do */
    AFF_LEARNING_BUSY,    /* leads, and did something: the next step may follow at once */
    AFF_LEARNING_REBUILD, /* leads, and a full rebuild is called for: nothing was ever counted, or too much is
                             queued */
};

struct aff_learning_report {
    enum aff_learning_state state;
    bool took_lead, lost_lead, loaded; /* in this step */
    int64_t epoch, generation, version, published;
    uint64_t queued;             /* changes that waited before the step */
    int64_t oldest_us;           /* when the oldest of them was queued; 0 without any */
    int64_t rebuilt_at_us;       /* 0: never */
    int64_t swept_at_us;         /* 0: never */
    uint32_t folded;             /* orders */
    uint32_t rows;               /* neighbour rows made */
    int64_t fold_us, publish_us; /* time that the fold, and the rows with their publication, took */
    uint64_t memory_bytes;       /* of the pair counts */
    uint32_t sessions;           /* counted, or taken back */
    uint32_t viewed_rows;        /* of the relation `viewed` that became different */
    bool sessions_wait;          /* there is more to do for them at once */
};

struct aff_learning;

AFF_MUST_CHECK aff_status aff_learning_new(struct aff_connection *connection, int store,
                                           const struct aff_learning_settings *settings,
                                           struct aff_learning **ret_learning);

/* Frees the memory; the lead ends with the connection or with aff_learning_resign(). NULL is a no-op. */
void aff_learning_free(struct aff_learning *learning);

/* Prepares a new connection for leading: a session that does not answer for `lease_s` seconds, because its
 * process was stopped or cut off, is ended by the server, so that another leads. */
AFF_MUST_CHECK aff_status aff_learning_session(struct aff_connection *connection, int lease_s,
                                               struct aff_error *reterr);

/* One step; *ret_report is filled as far as it came. After AFF_BACKEND the connection may be lost; after any
 * failure the memory of the counts is dropped and made anew by a later step. AFF_DATA: the tables are not
 * what they should be; a rebuild mends them. AFF_LIMIT: the pair counts need more memory than the limit; the
 * text says how much. */
AFF_MUST_CHECK aff_status aff_learning_step(struct aff_learning *learning,
                                            struct aff_learning_report *ret_report, struct aff_error *reterr);

/* Renews the neighbour rows of the next products in the cycle over all, at most `n_products`, and writes
 * those that are different. *ret_done: the cycle has come to its end. Only while the store is led and idle.
 */
AFF_MUST_CHECK aff_status aff_learning_sweep(struct aff_learning *learning, uint32_t n_products,
                                             uint32_t *ret_changed, bool *ret_done, struct aff_error *reterr);

/* Drops what older versions touched, so that the tables do not grow: a follower that is thousands of versions
 * behind loads all. */
AFF_MUST_CHECK aff_status aff_learning_trim(struct aff_learning *learning, struct aff_error *reterr);

/* Gives the lead to whoever wants it. */
void aff_learning_resign(struct aff_learning *learning);

/* Steps until nothing is queued and all is published. AFF_BUSY: another session leads. AFF_NOTREADY: a
 * rebuild is called for. AFF_CANCELLED: the watch, told orders folded so far, said no. *ret_orders and
 * *ret_rows add up what was done. */
AFF_MUST_CHECK aff_status aff_learning_fold_all(struct aff_learning *learning, const struct aff_watch *watch,
                                                uint64_t *ret_orders, uint64_t *ret_rows,
                                                struct aff_error *reterr);

/* Goes through two whole cycles of aff_learning_sweep(), after which the rows are those of a full build. The
 * watch is told rows that were different. */
AFF_MUST_CHECK aff_status aff_learning_sweep_all(struct aff_learning *learning, const struct aff_watch *watch,
                                                 uint64_t *ret_changed, struct aff_error *reterr);
