/* SPDX-License-Identifier: Apache-2.0 */
/* A full rebuild in the background: a thread of its own, one at a time, while folds and requests go on. */
#pragma once

#include "config/config.h"
#include "server/learner_board.h"
#include "server/log.h"

#include <stdbool.h>

struct aff_learner_rebuild;

/* Board and log are borrowed. NULL: memory is out. */
struct aff_learner_rebuild *aff_learner_rebuild_new(struct aff_learner_board *board, struct aff_log *log);

/* Starts a rebuild of the store; false if one runs already or no thread is to be had. */
bool aff_learner_rebuild_start(struct aff_learner_rebuild *rebuild, const struct aff_config *config,
                               const char *store_name, const char *reason);

/* Whether one has ended since the last call; *ret_good says how. Joins its thread. */
bool aff_learner_rebuild_ended(struct aff_learner_rebuild *rebuild, bool *ret_good);

/* Cancels what runs, from any thread; it ends soon, and the tables stay as they were. */
void aff_learner_rebuild_cancel(struct aff_learner_rebuild *rebuild);

/* Cancels, waits, frees. NULL is a no-op. */
void aff_learner_rebuild_free(struct aff_learner_rebuild *rebuild);
