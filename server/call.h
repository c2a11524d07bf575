/* SPDX-License-Identifier: Apache-2.0 */
/* One request on its way through the service, free of sockets and of libmicrohttpd: what handlers get. */
#pragma once

#include "core/base/random.h"
#include "core/recommend/recommend.h"
#include "server/board.h"
#include "server/counters.h"
#include "server/live.h"
#include "server/log.h"
#include "server/method.h"
#include "server/notes.h"
#include "server/parameters.h"
#include "server/reply.h"
#include "server/stores.h"
#include "json/event.h"

struct aff_events;
struct aff_job;
struct aff_memory;
struct aff_peer;
struct aff_writer;

struct aff_learner_board;

/* What the threads share. Owned by the app, which outlives all workers. */
struct aff_shared {
    struct aff_stores *stores;
    struct aff_board *board;
    struct aff_log *log;
    struct aff_counters *counters; /* n_counters blocks, one a worker */
    size_t n_counters;
    struct aff_memory *memory; /* of the newest events; NULL: there is none */
    struct aff_events *events; /* NULL: there are none */
    struct aff_writer *writer; /* NULL: there is no database */
    _Atomic uint64_t *waiting; /* requests of all workers that wait for another thread; NULL: none may */
    struct aff_learner_board *learner_board; /* NULL: nothing is learned here */
};

/* What one worker has to itself. */
struct aff_context {
    const struct aff_shared *shared;
    struct aff_live live;
    struct aff_counters *counters;
    struct aff_workspace *workspace;
    struct aff_random random; /* ids of requests */
    struct aff_parameters parameters;
    struct aff_answer answer;
    struct aff_notes notes;
    struct aff_event_parser events;
};

#define AFF_ID_TEXT 32 /* characters of an id that we make */

/* Prepares a worker's context; `live` is copied. *ret is freed with done. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_context_init(struct aff_context *ret, const struct aff_shared *shared,
                                           struct aff_counters *counters, const struct aff_live *live);
void aff_context_done(struct aff_context *context);

/* Writes 128 random bits as hexadecimal digits. */
void aff_context_make_id(struct aff_context *context, char ret_id[AFF_ID_TEXT]);

struct aff_call {
    struct aff_context *context;
    enum aff_method method;
    struct aff_text path; /* raw */
    char *query;          /* raw; decoded in place by whoever reads it */
    size_t query_size;
    struct aff_text body;
    struct aff_text content_type, content_encoding;
    struct aff_text request_id;
    struct aff_text idempotency_key; /* empty: not given */
    bool remote;                     /* the caller is not on this machine, or a proxy stands in between */
    char id[AFF_ID_MAX + 1];         /* the path's {id}, decoded */
    size_t id_size;
    int64_t started_us; /* monotonic */
    struct aff_reply *reply;
    struct aff_peer *peer; /* the connection; NULL: there is none, as in tests of handlers */
    struct aff_job *job;   /* that the reply waits for (server/job.h); NULL: the reply is written */
};
