/* SPDX-License-Identifier: Apache-2.0 */
/* The last step of a rebuild: new tables, the row of affinity.state and the queue of changed orders change
 * places with the old ones in one transaction, and whoever listens is told. */
#pragma once

#include "core/base/parallel.h"
#include "core/base/status.h"
#include "core/learn/baskets.h"
#include "sql/connection.h"

#include <stdint.h>

struct aff_rebuild_settings;

struct aff_publication {
    int store;
    const struct aff_baskets *baskets;
    const struct aff_rebuild_settings *settings;
    int64_t counted_from_us; /* INT64_MIN without orders */
    uint64_t lines, next_orders;
};

/* Swaps the partitions and moves affinity.state on, after aff_rebuild_feed_see(); what was touched before is
 * forgotten: followers reload all. While readers hold the tables it tries again for two
 * minutes, then gives AFF_BUSY; the watch can cancel between two attempts (AFF_CANCELLED). Sends NOTIFY
 * affinity_published with the store's number: a hint to look at affinity.state, which alone is the truth. */
AFF_MUST_CHECK aff_status aff_publish(struct aff_connection *connection,
                                      const struct aff_publication *publication,
                                      const struct aff_watch *watch, uint64_t *ret_version,
                                      struct aff_error *reterr);
