/* SPDX-License-Identifier: Apache-2.0 */
/* A connection that runs long statements one after the other while the caller works on. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

#include <stdbool.h>

struct aff_statement_queue {
    struct aff_connection connection;
    bool running;
};

/* Opens the connection, with memory for building indexes. */
AFF_MUST_CHECK aff_status aff_statement_queue_open(struct aff_statement_queue *ret_queue, const char *url,
                                                   const char *application, int timeout_s,
                                                   struct aff_error *reterr);

/* Starts a statement; waits for the one before it, and fails if that failed. */
AFF_MUST_CHECK aff_status aff_statement_queue_send(struct aff_statement_queue *queue, const char *statement,
                                                   struct aff_error *reterr);

/* Waits until nothing runs. */
AFF_MUST_CHECK aff_status aff_statement_queue_wait(struct aff_statement_queue *queue,
                                                   struct aff_error *reterr);

/* Cancels what runs and closes; fine if it was never opened or is closed. */
void aff_statement_queue_close(struct aff_statement_queue *queue);
