/* SPDX-License-Identifier: Apache-2.0 */
/* The events of one request on their way into the database or the spool, and what became of them. */
#pragma once

#include "core/event/pack.h"
#include "server/call.h"
#include "server/job.h"

enum aff_event_outcome {
    AFF_EVENTS_STORED,  /* in the database: 200 */
    AFF_EVENTS_SPOOLED, /* in the spool: 202 */
    AFF_EVENTS_FULL,    /* no room: 503 */
    AFF_EVENTS_AWAY,    /* the database is away and there is no spool, or it failed: 503 */
};

struct aff_event_job {
    struct aff_job job;         /* first, so that a job is an event job */
    struct aff_event_job *next; /* in the queue */
    struct aff_event_pack pack; /* the events that were not refused */
    int64_t queued_us;          /* monotonic */
    struct aff_json refused;    /* members of a JSON array */
    uint32_t n_refused, n_without_id;
    uint32_t by_kind[AFF_EVENT_KIND_MAX]; /* events in the pack */
    enum aff_event_outcome outcome;
    uint32_t duplicates;
};

/* A list of jobs in the order in which they came. Set to zero before first use. */
struct aff_event_jobs {
    struct aff_event_job *first, *last;
    size_t bytes;
};

void aff_event_jobs_add(struct aff_event_jobs *jobs, struct aff_event_job *job);

/* Puts all of `jobs` before what is in `behind`. */
void aff_event_jobs_put_before(struct aff_event_jobs *behind, struct aff_event_jobs *jobs);

/* Takes the first job; NULL: there is none. */
struct aff_event_job *aff_event_jobs_take(struct aff_event_jobs *jobs);

/* Ends the wait of the request with this outcome. The job is gone. */
void aff_event_job_end(struct aff_event_job *job, enum aff_event_outcome outcome);

/* A job with an empty pack, its `finish` set; NULL: no memory. */
struct aff_event_job *aff_event_job_new(void);
void aff_event_job_free(struct aff_event_job *job); /* NULL is a no-op */

/* Answers the request at once: nothing of it has to be stored. */
void aff_event_job_answer(struct aff_event_job *job, struct aff_call *call);
