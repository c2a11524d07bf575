/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the sessions that recommendations look into as new as the tables: the loader reads them with
 * everything else, and this thread reads them again when others have been counted since. Not so often as the
 * loader follows orders, since all of them are read. */
#pragma once

#include "config/config.h"
#include "core/base/status.h"
#include "server/log.h"
#include "server/stores.h"

struct aff_viewed_thread;

/* Starts the thread. Stores and log are borrowed until join. */
AFF_MUST_CHECK aff_status aff_viewed_start(const struct aff_config *config, struct aff_stores *stores,
                                           struct aff_log *log, struct aff_viewed_thread **ret_viewed,
                                           struct aff_error *reterr);

/* Hands over a new configuration, which holds from the next turn on. NULL is a no-op. */
void aff_viewed_configure(struct aff_viewed_thread *viewed, const struct aff_config *config);

/* Tells the thread to end, and cancels what it asks of the database. NULL is a no-op. */
void aff_viewed_stop(struct aff_viewed_thread *viewed);

/* Waits for the thread and frees. Models must still be there. NULL is a no-op. */
void aff_viewed_join(struct aff_viewed_thread *viewed);
