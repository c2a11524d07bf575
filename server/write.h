/* SPDX-License-Identifier: Apache-2.0 */
/* One request that writes, from the handler that accepts it to the answer. Made by a worker, carried out by a
 * writer thread (server/writer.h), answered by the worker again.
 *
 * Worker and writer each hold a reference, because a request may be answered, when its time is over, while
 * its transaction still runs. */
#pragma once

#include "server/batch.h"
#include "server/call.h"
#include "server/guard.h"
#include "server/job.h"
#include "sql/review/review.h"

/* A request that has not been carried out by then is answered 503. */
#define AFF_WRITE_DEADLINE_US (10 * INT64_C(1000000))

#define AFF_WRITE_DIGEST 24

struct aff_write {
    struct aff_job job; /* must be first */
    atomic_uint references;
    struct aff_write *next; /* in the writer's queue, or in a group */

    /* The request; constant. */
    enum aff_batch_kind kind;
    bool lines; /* one entry a line */
    char store[AFF_ID_MAX + 1];
    char key[AFF_IDEMPOTENCY_KEY_MAX + 1]; /* empty: none was given */
    char digest[AFF_WRITE_DIGEST];         /* tells the request from others with the same key */
    char request_id[AFF_REQUEST_ID_MAX + 1];
    size_t most;                  /* entries */
    struct aff_review_query list; /* AFF_BATCH_REVIEW_LIST */
    char *body;
    size_t body_size;
    int64_t deadline_us; /* monotonic */

    /* The writer thread's. */
    bool is_read; /* the body is in `batch` */
    bool settled; /* nothing is left to do for it */
    struct aff_batch batch;
    struct aff_json draft; /* of the answer, until it is committed */
    unsigned draft_status;

    bool in_transaction; /* under the writer's lock: of the thread that holds it */

    /* Who sets `answered`, under the writer's lock, has the only right to touch the rest until the job is
     * done; then it is the worker's. */
    bool answered;
    struct aff_reply reply; /* whose body is `answer` */
    struct aff_json answer;
    size_t counts[AFF_ENTRY_STATUSES]; /* of entries */
};

/* Makes a write of the call, whose body it takes over, and lets the call wait for it. The caller hands it to
 * a writer. NULL: the reply says why there is none. */
struct aff_write *aff_write_new(struct aff_call *call, enum aff_batch_kind kind, struct aff_text store);

/* Gives one of the two references back. */
void aff_write_release(struct aff_write *write);
