/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that fits the weights of the sources to stores that this process leads, every tune.hours if
 * tune.enabled allows it. It works alone, at a low priority, and may block; nothing waits for it.
 * Weights that are put to use come back to this process through the loader, as to every other. */
#pragma once

#include "config/config.h"
#include "core/base/status.h"
#include "server/learner_board.h"
#include "server/log.h"

struct aff_tuner;

/* Starts the thread. Board and log are borrowed until join. */
AFF_MUST_CHECK aff_status aff_tuner_start(const struct aff_config *config, struct aff_learner_board *board,
                                          struct aff_log *log, struct aff_tuner **ret_tuner,
                                          struct aff_error *reterr);

/* Takes database.*, learn.*, recommend.* and tune.* of a new configuration over; a fit that is under way ends
 * with the old ones. */
void aff_tuner_configure(struct aff_tuner *tuner, const struct aff_config *config);

/* Tells the thread to end; a fit that is under way is given up. NULL is a no-op. */
void aff_tuner_stop(struct aff_tuner *tuner);

/* Waits for the thread and frees the tuner. NULL is a no-op. */
void aff_tuner_join(struct aff_tuner *tuner);
