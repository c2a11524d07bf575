/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a failure that lasts from filling the log: the same one is said once, and once a minute. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* The failure that was said last; zero at the beginning. Of one thread, or under the owner's lock. */
struct aff_failure_log {
    struct aff_error error; /* an empty text: all went well since */
    int64_t at_us;          /* monotonic: when it was said */
    bool one_outage;        /* set by the owner: a database that is away is one failure in whatever words, as
                               it closes the connection, then refuses the next, then is starting up */
};

/* True, and remembered, if the failure is to be said now. */
bool aff_failure_log_is_news(struct aff_failure_log *log, const struct aff_error *error);

/* All went well: the next failure is news, even if it is the same. */
void aff_failure_log_clear(struct aff_failure_log *log);
