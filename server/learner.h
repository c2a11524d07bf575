/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that keeps the learned tables of all stores fresh, for those stores that this process leads: it
 * folds what is queued, makes the neighbour rows that this changes, publishes, renews rows in a slow cycle,
 * and has stores counted anew when that is called for. It may block; nothing waits for it. What it writes
 * comes back to this process through the loader, as to every other. */
#pragma once

#include "config/config.h"
#include "core/base/status.h"
#include "server/learner_board.h"
#include "server/log.h"

struct aff_learner;

/* Starts the thread. Board and log are borrowed until join. */
AFF_MUST_CHECK aff_status aff_learner_start(const struct aff_config *config, struct aff_learner_board *board,
                                            struct aff_log *log, struct aff_learner **ret_learner,
                                            struct aff_error *reterr);

/* Takes database.* and learn.* of a new configuration over. */
void aff_learner_configure(struct aff_learner *learner, const struct aff_config *config);

/* Tells the thread to end, cancelling what it is doing in the database. */
void aff_learner_stop(struct aff_learner *learner);

/* Waits for the thread and frees the learner. NULL is a no-op. */
void aff_learner_join(struct aff_learner *learner);
