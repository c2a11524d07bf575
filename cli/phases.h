/* SPDX-License-Identifier: Apache-2.0 */
/* Progress of work that goes through phases and that Ctrl-C ends: one line on standard error a phase. */
#pragma once

#include "cli/progress.h"

/* Set `quiet`, the rest to zero. */
struct aff_phases {
    bool quiet;
    struct aff_progress progress;
    const char *phase;
    uint64_t done;
};

/* From now on SIGINT and SIGTERM do not end the program, but make aff_phases_show return false. */
void aff_phases_catch(void);

/* Shows how far a phase is. `context` is the struct aff_phases; `phase` and `unit` are constants; a new phase
 * begins when `phase` changes; `total` 0: not known. False after a signal: the work should end. */
bool aff_phases_show(void *context, const char *phase, const char *unit, uint64_t done, uint64_t total);

/* Shows the end of the last phase, if there was one. */
void aff_phases_finish(struct aff_phases *phases);
