/* SPDX-License-Identifier: Apache-2.0 */
/* Answers kept under the key that a client gave its request (Idempotency-Key), so that a repetition gets the
 * same answer and changes nothing. All inside the transaction that does the work: either both are there or
 * none. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"
#include "sql/connection.h"

#include <stdbool.h>

/* Age from which answers are thrown away. */
#define AFF_IDEMPOTENCY_HOURS 24

struct aff_idempotent {
    bool known;      /* the key is there already; else it is ours now, until the transaction ends */
    bool same;       /* known: it was given to the same request */
    unsigned status; /* known: of HTTP */
    char *answer;    /* known and same: answer_size bytes, to be freed with free() */
    size_t answer_size;
};

/* Takes the key for this request, or tells what is kept under it. Waits for another transaction that has just
 * taken it (SQLSTATE 55P03 when lock_timeout is over). `request` identifies the request. */
AFF_MUST_CHECK aff_status aff_idempotency_claim(struct aff_connection *connection, int store,
                                                struct aff_text key, struct aff_text request,
                                                struct aff_idempotent *ret, struct aff_error *reterr);

/* Keeps the answer of a request whose key was taken in this transaction. */
AFF_MUST_CHECK aff_status aff_idempotency_keep(struct aff_connection *connection, int store,
                                               struct aff_text key, unsigned status, struct aff_text answer,
                                               struct aff_error *reterr);

/* Throws old answers of all stores away, some at a time. */
AFF_MUST_CHECK aff_status aff_idempotency_trim(struct aff_connection *connection, struct aff_error *reterr);
