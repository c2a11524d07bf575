/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that write into the database, each with a connection of its own. What is queued together for
 * one store goes into one transaction; if that fails, one by one. A request is answered after its COMMIT, and
 * after its products are in this instance's index. While the database is away or read-only, requests are
 * answered 503 at once, and one attempt at a time looks whether it is back. */
#pragma once

#include "config/config.h"
#include "core/base/status.h"
#include "server/board.h"
#include "server/log.h"
#include "server/stores.h"

struct aff_write;
struct aff_writer;

/* Starts the threads. Stores, board and log are borrowed until join. */
AFF_MUST_CHECK aff_status aff_writer_start(const struct aff_config *config, struct aff_stores *stores,
                                           struct aff_board *board, struct aff_log *log,
                                           struct aff_writer **ret_writer, struct aff_error *reterr);

/* Takes database.* of a new configuration over. */
void aff_writer_configure(struct aff_writer *writer, const struct aff_config *config);

/* Takes a write, and one reference to it, over; it is answered by its deadline. Any thread. */
void aff_writer_submit(struct aff_writer *writer, struct aff_write *write);

/* Tells the threads to end: what waits is answered 503, what is being written is broken off unless its COMMIT
 * is under way. Later writes are answered 503. */
void aff_writer_stop(struct aff_writer *writer);

/* Waits for the threads and frees the writer. NULL is a no-op. */
void aff_writer_join(struct aff_writer *writer);
