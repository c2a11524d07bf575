/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that follows the database: connects, checks the schema, loads each store's model and publishes
 * it, and loads again what was published anew. It may block; nothing waits for it. While the database is away
 * the models that are there go on being served. */
#pragma once

#include "config/config.h"
#include "core/base/status.h"
#include "server/board.h"
#include "server/log.h"
#include "server/stores.h"

struct aff_loader;

/* Starts the thread. Board, log and stores are borrowed until join. */
AFF_MUST_CHECK aff_status aff_loader_start(const struct aff_config *config, struct aff_stores *stores,
                                           struct aff_board *board, struct aff_log *log,
                                           struct aff_loader **ret_loader, struct aff_error *reterr);

/* Takes database.*, memory.limit_mb and store.name of a new configuration over. */
void aff_loader_configure(struct aff_loader *loader, const struct aff_config *config);

/* Tells the thread to end, cancelling what it is doing in the database. */
void aff_loader_stop(struct aff_loader *loader);

/* Waits for the thread and frees the loader. NULL is a no-op. */
void aff_loader_join(struct aff_loader *loader);

/* The pause before attempt number `attempt` (0: the first repetition): 0.5 s, doubled each time, at most
 * `most_s`, shortened by up to a half by `chance` in [0, 1), so that many services do not come at once. */
int64_t aff_loader_pause_us(unsigned attempt, int64_t most_s, double chance);
