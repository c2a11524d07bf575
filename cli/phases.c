/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/phases.h"

#include <signal.h>
#include <string.h>

/* Set by the signal handler, which cannot reach anything else. */
static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

void aff_phases_catch(void)
{
    const struct sigaction action = {.sa_handler = interrupt};

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

void aff_phases_finish(struct aff_phases *phases)
{
    const uint64_t total = phases->progress.total;

    if (phases->phase != NULL)
        aff_progress_finish(&phases->progress, phases->done < total ? total : phases->done);
    phases->phase = NULL;
}

bool aff_phases_show(void *context, const char *phase, const char *unit, uint64_t done, uint64_t total)
{
    struct aff_phases *phases = context;

    if (phases->phase == NULL || strcmp(phases->phase, phase) != 0) {
        aff_phases_finish(phases);
        aff_progress_start(&phases->progress, phase, unit, total, phases->quiet);
        phases->phase = phase;
    }
    phases->progress.total = total;
    phases->done = done;
    aff_progress_show(&phases->progress, done);
    return interrupted == 0;
}
