/* SPDX-License-Identifier: Apache-2.0 */
/* One open connection and the request on it. Belongs to one worker; libmicrohttpd runs one request of a
 * connection at a time. */
#pragma once

#include "server/buffers.h"
#include "server/call.h"
#include "server/guard.h"
#include "server/router.h"

#include <stdbool.h>
#include <stdint.h>

struct MHD_Connection;
struct sockaddr;
struct aff_job;
struct aff_worker;

/* Where the request is; each phase has its own deadline (server/reaper.h). */
enum aff_phase {
    AFF_PHASE_IDLE,   /* nothing of a request known */
    AFF_PHASE_HEAD,   /* request line read */
    AFF_PHASE_BODY,   /* head accepted, body coming */
    AFF_PHASE_REFUSE, /* body coming, to be thrown away; the answer is ready */
    AFF_PHASE_ANSWER, /* answer handed over, being sent */
    AFF_PHASE_WAIT,   /* suspended until `job` is done; its owner keeps the deadline */
    AFF_PHASE_READY,  /* `job` is done, the answer can be written */
};

struct aff_peer {
    struct aff_peer *previous, *next; /* of the worker's list */
    struct aff_worker *worker;
    int fd; /* libmicrohttpd's; only looked at and shut down */
    enum aff_phase phase;
    bool answered;       /* the request has its answer */
    bool remote;         /* the other end is not this machine */
    bool seen;           /* a request has been completed on this connection */
    int64_t since_ms;    /* loop time at which the phase began */
    int64_t started_us;  /* monotonic: the whole request was there */
    uint64_t head_bytes; /* of all heads so far */
    char *target;        /* raw request target, target_size bytes */
    size_t target_size, target_capacity;
    struct aff_inbound inbound;
    struct aff_match match;
    struct aff_text request_id; /* the client's or own_id */
    char own_id[AFF_ID_TEXT];
    char *body;
    size_t body_size, body_capacity;
    uint64_t thrown_bytes;     /* of a refused body */
    struct aff_buffer *buffer; /* of the answer that waits in AFF_PHASE_REFUSE */
    struct aff_reply reply;
    struct aff_job *job;               /* that the request waits for; set in AFF_PHASE_WAIT and _READY only */
    struct MHD_Connection *connection; /* libmicrohttpd's, while the request waits */
};

/* A new connection; NULL: no memory. */
struct aff_peer *aff_peer_new(struct aff_worker *worker, int fd, int64_t now_ms);
void aff_peer_free(struct aff_peer *peer); /* takes it out of the worker's list; NULL is a no-op */

/* Says where the other end is; NULL: not known. */
void aff_peer_set_address(struct aff_peer *peer, const struct sockaddr *address);

/* Keeps a copy of the target. A longer one than AFF_TARGET_BYTES is kept by its size alone, which the guard
 * then refuses; false: no memory. */
bool aff_peer_set_target(struct aff_peer *peer, const char *target);

/* Memory that the bodies of one worker's connections may take together. */
#define AFF_PEER_BODIES_MAX ((size_t)128 << 20)

/* Appends to the body; false: no memory, or too much of it is taken by bodies already. */
bool aff_peer_add_body(struct aff_peer *peer, const char *bytes, size_t size);

/* The body, which is the caller's from here on. */
char *aff_peer_take_body(struct aff_peer *peer);

/* Makes it ready for the next request. */
void aff_peer_reset(struct aff_peer *peer, int64_t now_ms);
