/* SPDX-License-Identifier: Apache-2.0 */
/* Wall and monotonic time. Times are microseconds since 1970-01-01T00:00:00Z in int64_t, names end in `_us`.
 */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

#include <stdint.h>

#define AFF_SECOND_US INT64_C(1000000)
#define AFF_DAY_US (INT64_C(86400) * AFF_SECOND_US)

/* Characters of an RFC 3339 time with microseconds and its NUL: "2026-11-21T09:00:00.000000Z". */
#define AFF_TIME_TEXT 32

int64_t aff_clock_now_us(void);       /* wall clock */
int64_t aff_clock_monotonic_us(void); /* for durations; no epoch */

/* Reads an RFC 3339 time, "T" or a blank between date and time, offset "Z" or "+hh:mm" (none means UTC), or a
 * plain date. Years 1900 to 9999. Returns AFF_INVALID for anything else; *ret_us is then untouched. */
AFF_MUST_CHECK aff_status aff_time_parse(struct aff_text text, int64_t *ret_us);

/* Writes the time as RFC 3339 in UTC, whole seconds: "2026-11-21T09:00:00Z". */
void aff_time_format(int64_t at_us, char ret_text[AFF_TIME_TEXT]);
