/* SPDX-License-Identifier: Apache-2.0 */
/* Where events go: into the database, many requests with one commit, or while that is away, read-only, full
 * or slow, into the spool (core/spool/), from which they go into the database in their order.
 *
 * Three threads. The one for the database takes what waits and commits it; when the database is back it first
 * ships the spool. The keeper answers whatever the other could not within events.commit_ms: it writes it down
 * in the spool, or refuses it when there is none. Events have keys, so what may have been committed and is
 * written down as well is still stored once. The follower reads what memory has to know after a start, and
 * what other instances store. */
#pragma once

#include "config/config.h"
#include "core/base/status.h"
#include "server/event_job.h"
#include "server/log.h"
#include "server/memory.h"

struct aff_events;

/* Opens the spool and starts the threads. `memory` and `log` are borrowed until join; memory knows of an
 * event before its request is answered. AFF_BUSY: another process has the spool. */
AFF_MUST_CHECK aff_status aff_events_start(const struct aff_config *config, struct aff_memory *memory,
                                           struct aff_log *log, struct aff_events **ret_events,
                                           struct aff_error *reterr);

/* Takes database.* and events.* of a new configuration over; the spool stays where it is. */
void aff_events_configure(struct aff_events *events, const struct aff_config *config);

/* Takes a job, for which a call waits; it is answered within events.commit_ms and the time that the spool
 * takes. Any thread. */
void aff_events_submit(struct aff_events *events, struct aff_event_job *job);

/* Tells the threads to end. What waits is written into the spool or refused; so is what comes later. */
void aff_events_stop(struct aff_events *events);

/* Waits for the threads and frees everything. No call may wait any more. NULL is a no-op. */
void aff_events_join(struct aff_events *events);

/* How it is: for /health and /metrics. */
enum aff_events_mode {
    AFF_EVENTS_MODE_DIRECT,   /* events go into the database */
    AFF_EVENTS_MODE_SPOOLING, /* they go into the spool, which is shipped as far as the database allows */
    AFF_EVENTS_MODE_REFUSING, /* the database is away and there is no spool */
    AFF_EVENTS_MODE_MAX
};

/* Upper bounds of the buckets of commit times, in milliseconds; one more bucket takes the rest. */
#define AFF_EVENTS_COMMIT_LIST(X) X(1) X(2) X(5) X(10) X(25) X(50) X(100) X(250) X(1000) X(10000)
enum {
#define X(bound) AFF_EVENTS_COMMIT_AT_##bound,
    AFF_EVENTS_COMMIT_LIST(X)
#undef X
        AFF_EVENTS_COMMIT_BOUNDS
};

struct aff_events_view {
    enum aff_events_mode mode;
    char error[512]; /* of the database or the spool; empty: none lasts */
    uint64_t commits, failures;
    uint64_t commit_us; /* sum */
    uint64_t commit_buckets[AFF_EVENTS_COMMIT_BOUNDS + 1];
    bool has_spool;
    uint64_t spool_bytes, spool_limit_bytes;
    uint64_t spool_records;    /* requests in it that are not shipped */
    uint64_t spooled, shipped; /* requests, since the start */
    uint64_t lost_records;     /* that damage took from the spool */
    uint64_t cut_bytes;        /* of torn ends */
};

void aff_events_read(struct aff_events *events, struct aff_events_view *ret_view);
