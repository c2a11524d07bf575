/* SPDX-License-Identifier: Apache-2.0 */
/* Fitting the weights of a store's sources from end to end: its newest orders and sessions are read, all but
 * the last of them learned in memory, the last ones asked about (core/measure/tasks.h), and what is better
 * for a situation than what is in use is stored and put to use (sql/sessions/fitted.h). */
#pragma once

#include "core/measure/fit.h"
#include "core/measure/train.h"
#include "sql/connection.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_tuned {
    enum aff_situation situation;
    uint32_t questions; /* of both halves */
    bool fitted;        /* else they were too few, and `fit` says nothing */
    struct aff_fit fit;
    int64_t number; /* of the stored fit; 0: not stored */
};

/* Told of progress in the calling thread only. `phase` and `unit` are constants; a new phase begins when
 * `phase` changes; `total` 0: not known. Returns false to cancel. */
typedef bool (*aff_tuning_progress_fn)(void *context, const char *phase, const char *unit, uint64_t done,
                                       uint64_t total);

struct aff_tuning_settings {
    struct aff_train_settings train; /* its session_holders and watch are not read */
    struct aff_blend configured;
    uint64_t
        limit_bytes; /* for what is learned; the oldest orders that do not fit are left out. 0: no limit */
    const char *by;  /* who fits, for people; no quotes in it */
    bool dry_run;    /* nothing is stored */
    int64_t due_s;   /* only if the last fit is older than this; 0: whenever it was */
    aff_tuning_progress_fn progress; /* NULL: nobody watches */
    void *context;
};

struct aff_tuning_report {
    bool due;                               /* else nothing was done */
    uint32_t orders, asked_orders;          /* learned from, asked about */
    uint32_t sessions, asked_sessions;      /* likewise */
    struct aff_tuned of[AFF_SITUATION_MAX]; /* by situation */
    int n_adopted;
};

/* Fits all situations of a store. Needs a connection of its own, outside a transaction. AFF_BUSY: it is being
 * fitted already, or other weights were put to use meanwhile. AFF_LIMIT: not even the store's products fit
 * into limit_bytes. AFF_CANCELLED: the progress function said no; nothing is stored. AFF_NOTFOUND: no such
 * store. */
AFF_MUST_CHECK aff_status aff_tune(struct aff_connection *connection, const char *store_name,
                                   const struct aff_tuning_settings *settings,
                                   struct aff_tuning_report *ret_report, struct aff_error *reterr);
