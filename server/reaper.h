/* SPDX-License-Identifier: Apache-2.0 */
/* Ends connections that take too long. libmicrohttpd's own timeout starts anew with each byte, so a client
 * that sends one byte a second would hold a connection for ever; these deadlines are absolute. */
#pragma once

#include "server/live.h"
#include "server/peer.h"

/* True if the connection must be cut at `now_ms`. A phase other than idle may last request_timeout_ms. So may
 * the first idle phase, since nobody connects to say nothing; later ones may last idle_timeout_ms and one
 * request_timeout_ms for the request line. While the worker drains, an idle connection is let go after
 * `drain_idle_ms` (negative: it does not drain). A request that waits for a job is left to whoever does the
 * job: cutting its socket would not end the wait, only lose the answer. */
bool aff_reaper_is_due(const struct aff_peer *peer, const struct aff_live *live, int64_t now_ms,
                       int64_t drain_idle_ms);

/* Shuts the due sockets of a worker down; libmicrohttpd then closes them. */
void aff_reaper_run(struct aff_worker *worker, int64_t now_ms);
