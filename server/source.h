/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that reads the shop's own tables (sql/source/source.h), when source.* maps some. One instance of
 * the service does it for a store, the others ask again and again whether they may. It may block; nothing
 * waits for it. */
#pragma once

#include "config/config.h"
#include "core/base/status.h"
#include "server/board.h"
#include "server/log.h"

struct aff_source_thread;

/* Starts the thread; nothing is started, and *ret_thread is NULL, when nothing is mapped. Board and log are
 * borrowed until join. */
AFF_MUST_CHECK aff_status aff_source_start(const struct aff_config *config, struct aff_board *board,
                                           struct aff_log *log, struct aff_source_thread **ret_thread,
                                           struct aff_error *reterr);

/* Takes source.*, database.* and store.name of a new configuration over. */
void aff_source_configure(struct aff_source_thread *thread, const struct aff_config *config);

/* Tells the thread to end, cancelling what it is doing in the databases. NULL is a no-op, for each of these.
 */
void aff_source_stop(struct aff_source_thread *thread);

/* Waits for the thread and frees it. */
void aff_source_join(struct aff_source_thread *thread);
