/* SPDX-License-Identifier: Apache-2.0 */
/* A request that waits for another thread: its connection is suspended, the worker goes on with others, and
 * the answer is written by the worker once the work is done. The request thread itself never waits.
 *
 *     if (!aff_call_wait(call, &mine->job))
 *         free what is mine;                   (the reply says 503 already)
 *     else
 *         hand `mine` to another thread, or call aff_job_done(&mine->job) if that cannot be done
 *
 * Every job must be done in bounded time: nothing else ends the wait, and a worker does not stop before. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct aff_call;
struct aff_peer;
struct aff_worker;

struct aff_job {
    /* Worker thread, exactly once, after aff_job_done(): writes call->reply from what the job holds, then
     * frees the job. The request's path, query, headers and body are still there, unless the body was taken.
     * The reply goes nowhere if the client has left meanwhile. */
    void (*finish)(struct aff_job *job, struct aff_call *call);

    /* Of the exchange and the worker; nobody else touches these. */
    struct aff_worker *worker;
    struct aff_peer *peer;
    struct aff_job *next;
};

/* In a handler, before the job is handed to another thread, with `finish` set: the reply comes when the job
 * is done. The body of the call stays where it is until then. False: as many requests as may wait already
 * (http.waiting), or as many as may end in time; the reply is the refusal and the job stays the caller's. */
AFF_MUST_CHECK bool aff_call_wait(struct aff_call *call, struct aff_job *job);

/* Any thread, exactly once for each job that a call waits for. The job belongs to the worker from here on. */
void aff_job_done(struct aff_job *job);

/* The body becomes the caller's, to be freed with free(); call->body is empty from here on. For jobs that
 * read it in another thread, since the request may be answered before they are through. NULL: there is
 * none, or no memory. */
char *aff_call_take_body(struct aff_call *call, size_t *ret_size);
