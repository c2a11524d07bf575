/* SPDX-License-Identifier: Apache-2.0 */
#include "server/failure_log.h"

#include "core/base/clock.h"

#include <string.h>

#define REPEAT_US (60 * AFF_SECOND_US)

static bool is_same(const struct aff_failure_log *log, const struct aff_error *error)
{
    if (strcmp(log->error.text, error->text) == 0)
        return true;
    return log->one_outage && log->error.text[0] != '\0' && log->error.status == AFF_BACKEND &&
           error->status == AFF_BACKEND;
}

bool aff_failure_log_is_news(struct aff_failure_log *log, const struct aff_error *error)
{
    const int64_t now_us = aff_clock_monotonic_us();

    if (is_same(log, error) && now_us - log->at_us < REPEAT_US)
        return false;
    log->error = *error;
    log->at_us = now_us;
    return true;
}

void aff_failure_log_clear(struct aff_failure_log *log)
{
    log->error.text[0] = '\0';
}
