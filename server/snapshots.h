/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshot files of the models (core/index/snapshot.h): opened before anything is asked of the database, so
 * that the service answers within a second of its start and also while the database is away; written now and
 * then by a thread of its own, and once more at the end. Several services may share a directory: each writes,
 * and the newest files of all are kept. */
#pragma once

#include "config/config.h"
#include "core/base/status.h"
#include "server/log.h"
#include "server/stores.h"

struct aff_snapshots;

/* Publishes the newest usable file of every store in snapshot.directory, says which were refused and why, and
 * starts the thread. Nothing happens, and *ret_snapshots is NULL, when no directory is configured. A
 * directory that cannot be used is one line in the log and no failure. Stores and log are borrowed until
 * join; no other thread publishes yet. */
AFF_MUST_CHECK aff_status aff_snapshots_start(const struct aff_config *config, struct aff_stores *stores,
                                              struct aff_log *log, struct aff_snapshots **ret_snapshots,
                                              struct aff_error *reterr);

/* Tells the thread to write what is newer than its file and to end. NULL is a no-op, for both. */
void aff_snapshots_stop(struct aff_snapshots *snapshots);

/* Waits for the thread and frees. Models must still be there. */
void aff_snapshots_join(struct aff_snapshots *snapshots);
