/* SPDX-License-Identifier: Apache-2.0 */
#include "server/job.h"

#include "server/problem.h"
#include "server/worker.h"

#include <assert.h>
#include <stdlib.h>

/* Counts one more waiting request if the limit allows it. */
static bool reserve(struct aff_call *call)
{
    struct aff_context *context = call->context;
    _Atomic uint64_t *waiting = context->shared->waiting;

    /* New jobs could keep a worker from stopping for ever. */
    if (waiting == NULL || (call->peer != NULL && call->peer->worker->stopping))
        return false;
    if (atomic_fetch_add_explicit(waiting, 1, memory_order_relaxed) < context->live.waiting)
        return true;
    atomic_fetch_sub_explicit(waiting, 1, memory_order_relaxed);
    return false;
}

bool aff_call_wait(struct aff_call *call, struct aff_job *job)
{
    assert(job->finish != NULL && call->job == NULL);
    if (!reserve(call)) {
        aff_count(&call->context->counters->waits_refused, 1);
        aff_problem_write(call->reply, AFF_PROBLEM_UNAVAILABLE, call->request_id, NULL,
                          "too many requests wait for the database; nothing of this one was done");
        call->reply->retry_after_s = 1;
        return false;
    }
    job->peer = call->peer;
    job->worker = call->peer == NULL ? NULL : call->peer->worker;
    job->next = NULL;
    call->job = job;
    return true;
}

void aff_job_done(struct aff_job *job)
{
    if (job->worker != NULL)
        aff_worker_take_back(job->worker, job);
}

char *aff_call_take_body(struct aff_call *call, size_t *ret_size)
{
    char *body;

    if (call->body.size == 0)
        return NULL;
    if (call->peer != NULL) {
        body = aff_peer_take_body(call->peer);
    } else {
        body = malloc(call->body.size);
        if (body != NULL)
            memcpy(body, call->body.at, call->body.size);
    }
    if (body == NULL)
        return NULL;
    *ret_size = call->body.size;
    call->body = (struct aff_text){NULL, 0};
    return body;
}
