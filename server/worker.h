/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: a thread of its own with a libuv loop, a libmicrohttpd daemon on the shared listening socket, and
 * everything that answering a request needs. Workers share nothing but what struct aff_shared names.
 *
 * Life: start (in the main thread) -> quiesce (no new connections, answers close theirs) -> stop -> join. */
#pragma once

#include "server/call.h"
#include "server/mhd_uv.h"
#include "server/peer.h"

#include <pthread.h>
#include <stdatomic.h>

struct aff_worker {
    struct aff_context context;
    struct aff_buffers buffers;
    struct aff_head head; /* of the request whose head is being looked at */
    struct aff_peer *peers;
    size_t body_bytes;      /* memory of the bodies of all peers */
    _Atomic uint64_t *open; /* connections of all workers, shared */
    struct aff_mhd_uv driver;
    struct MHD_Daemon *daemon;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t tick;
    pthread_t thread;
    bool quiesced; /* as the worker itself knows it */
    bool stopping, stopped;
    unsigned jobs; /* that requests of this worker wait for */
    atomic_bool is_quiesced;
    unsigned number;
    pthread_mutex_t lock; /* of what the main thread has to say: */
    struct aff_live next_live;
    bool has_live, must_quiesce, must_stop;
    struct aff_job *done_jobs; /* newest first */
};

struct aff_worker_plan {
    const struct aff_shared *shared;
    struct aff_counters *counters;
    const struct aff_live *live;
    _Atomic uint64_t *open;
    int listener; /* borrowed; the worker works on a duplicate */
    unsigned number;
    unsigned connections; /* at most, of this worker */
    unsigned idle_timeout_s;
};

/* Sets the worker up and starts its thread. On a failure nothing is left of it. */
AFF_MUST_CHECK aff_status aff_worker_start(struct aff_worker *worker, const struct aff_worker_plan *plan,
                                           struct aff_error *reterr);

/* Each from any thread; takes effect between two requests. */
void aff_worker_set_live(struct aff_worker *worker, const struct aff_live *live);
void aff_worker_quiesce(struct aff_worker *worker);
void aff_worker_stop(struct aff_worker *worker); /* which it does once no request waits for a job */

/* From any thread, for aff_job_done(): takes a job back. */
void aff_worker_take_back(struct aff_worker *worker, struct aff_job *job);

/* Waits for the thread, which must have been told to stop, and frees what the worker had. */
void aff_worker_join(struct aff_worker *worker);

static inline bool aff_worker_is_quiesced(const struct aff_worker *worker)
{
    return atomic_load_explicit(&worker->is_quiesced, memory_order_acquire);
}
