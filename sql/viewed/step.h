/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping the relation `viewed` fresh: adds views to their sessions and counts these, takes back sessions
 * that have become too old, and makes the neighbour rows that follow (sql/migrations/007_viewed.sql).
 *
 * Each piece of work is one transaction of the leader, fenced by its epoch, in which the views that are
 * taken, the sessions and the counts change together: so each session is counted once as it is, whatever dies
 * when. */
#pragma once

#include "core/base/status.h"
#include "core/learn/viewed.h"
#include "sql/connection.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_viewed_step_settings {
    int64_t wait_s;    /* views wait so long, so that those of a session are counted together */
    int64_t window_us; /* sessions older than this before the newest one do not count, and are removed */
    struct aff_viewed_settings rows;
};

struct aff_viewed_work {
    int store;
    int64_t epoch; /* of the leader */
    const struct aff_viewed_step_settings *settings;
    int32_t after;    /* product whose row was made last; -1 at the beginning */
    int64_t until_us; /* views up to this time are being taken; 0: none are */
};

struct aff_viewed_report {
    uint32_t sessions; /* counted, or taken back */
    uint32_t rows;     /* that became different */
    bool more;         /* there is more to do at once */
    bool overtaken;    /* another leader has a newer epoch: nothing was done */
};

/* Works for about a fifth of a second at most, or not at all while sessions are imported or counted anew. If
 * rows became different there is a new version of affinity.state, which the caller publishes. After
 * AFF_BACKEND the connection may be lost; what happened the tables say. AFF_DATA: more would be taken back
 * than was counted; a rebuild mends it. Not inside a transaction. */
AFF_MUST_CHECK aff_status aff_viewed_step(struct aff_connection *connection, struct aff_viewed_work *work,
                                          struct aff_viewed_report *ret_report, struct aff_error *reterr);
