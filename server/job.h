/* SPDX-License-Identifier: Apache-2.0 */
/* A request that waits for another thread: its connection is suspended, the worker goes on with others, and
 * the answer is written by the worker once the work is done. The request thread itself never waits. */
#pragma once

struct aff_call;
struct aff_peer;
struct aff_worker;

struct aff_job {
    /* Worker thread, once, after aff_job_done(): writes call->reply from what the job holds, then frees the
     * job. The request's path, query, headers and body are still there. */
    void (*finish)(struct aff_job *job, struct aff_call *call);

    /* Of the exchange and the worker; nobody else touches these. */
    struct aff_worker *worker;
    struct aff_peer *peer;
    struct aff_job *next;
};

/* In a handler, as the last thing that it does: the reply comes when the job is done. The body of the call
 * stays where it is until then. */
void aff_call_wait(struct aff_call *call, struct aff_job *job);

/* Any thread, exactly once for each job that a call waits for. The job belongs to the worker from here on. */
void aff_job_done(struct aff_job *job);
