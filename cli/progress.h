/* SPDX-License-Identifier: Apache-2.0 */
/* Progress of long work on standard error: a bar with rate and remaining time on a terminal, a plain line
 * every few seconds otherwise. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct aff_progress {
    const char *what; /* for example "reading orders" */
    const char *unit; /* for example "rows" */
    uint64_t total;   /* 0: not known */
    int64_t started_us, shown_us;
    bool terminal, quiet;
};

void aff_progress_start(struct aff_progress *progress, const char *what, const char *unit, uint64_t total,
                        bool quiet);

/* Shows the state if enough time has gone by (0.1 s on a terminal, 5 s otherwise); cheap to call. */
void aff_progress_show(struct aff_progress *progress, uint64_t done);

/* The same when the share of the work is known in another measure than `done`: `part` of `whole`, for example
 * bytes of a file (whole 0: not known). The rate is that of `done`, the remaining time follows from the
 * share. */
void aff_progress_show_part(struct aff_progress *progress, uint64_t done, uint64_t part, uint64_t whole);

/* Shows the last state with the whole time. */
void aff_progress_finish(struct aff_progress *progress, uint64_t done);
