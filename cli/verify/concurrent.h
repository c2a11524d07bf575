/* SPDX-License-Identifier: Apache-2.0 */
/* Writers that write one stream side by side: each has its own connection and orders of its own, commits late
 * or rolls back at random, and does a transaction again that lost against another. */
#pragma once

#include "cli/verify/stream.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_writers;

struct aff_writers_plan {
    const char *url;
    int timeout_s;
    int store, n_writers;
    const struct aff_stream *stream; /* borrowed */
    uint64_t seed;
};

/* Starts the threads. */
AFF_MUST_CHECK aff_status aff_writers_start(const struct aff_writers_plan *plan,
                                            struct aff_writers **ret_writers, struct aff_error *reterr);

/* Events committed so far, of all of them; *ret_running: some still write. */
uint32_t aff_writers_done(struct aff_writers *writers, bool *ret_running);

/* Waits for the threads and frees; `cancel` has them end soon. The first failure of a writer is returned.
 * *ret_transactions and *ret_rollbacks add up what they did. */
AFF_MUST_CHECK aff_status aff_writers_join(struct aff_writers *writers, bool cancel,
                                           uint32_t *ret_transactions, uint32_t *ret_rollbacks,
                                           struct aff_error *reterr);
