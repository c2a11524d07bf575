/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include "core/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 30, TERMINAL_EVERY_US = 100000, PLAIN_EVERY_US = 5000000 };

void aff_progress_start(struct aff_progress *progress, const char *what, const char *unit, uint64_t total,
                        bool quiet)
{
    int64_t now_us = aff_clock_monotonic_us();

    *progress = (struct aff_progress){.what = what,
                                      .unit = unit,
                                      .total = total,
                                      .started_us = now_us,
                                      .shown_us = now_us,
                                      .terminal = isatty(STDERR_FILENO) == 1,
                                      .quiet = quiet};
}

static void print_share(const struct aff_progress *progress, uint64_t done, double rate)
{
    double share = done >= progress->total ? 1.0 : (double)done / (double)progress->total;

    if (progress->terminal) {
        char bar[BAR_WIDTH + 1];
        int filled = (int)(share * BAR_WIDTH);
        memset(bar, '#', (size_t)filled);
        memset(bar + filled, '.', (size_t)(BAR_WIDTH - filled));
        bar[BAR_WIDTH] = '\0';
        (void)fprintf(stderr, " [%s]", bar);
    }
    (void)fprintf(stderr, " %3.0f %%", share * 100);
    if (rate > 0 && done < progress->total) {
        uint64_t left_s = (uint64_t)((double)(progress->total - done) / rate);
        (void)fprintf(stderr, ", %" PRIu64 ":%02" PRIu64 " left", left_s / 60, left_s % 60);
    }
}

static void print(const struct aff_progress *progress, uint64_t done, int64_t now_us)
{
    double elapsed_s = (double)(now_us - progress->started_us) / (double)AFF_SECOND_US;
    double rate = elapsed_s > 0 ? (double)done / elapsed_s : 0;

    (void)fprintf(stderr, "%s%s: %" PRIu64 " %s", progress->terminal ? "\r\033[K" : "", progress->what, done,
                  progress->unit);
    if (progress->total > 0)
        print_share(progress, done, rate);
    (void)fprintf(stderr, ", %.0f %s/s, %.1f s", rate, progress->unit, elapsed_s);
}

void aff_progress_show(struct aff_progress *progress, uint64_t done)
{
    int64_t now_us = aff_clock_monotonic_us();
    int64_t every_us = progress->terminal ? TERMINAL_EVERY_US : PLAIN_EVERY_US;

    if (progress->quiet || now_us - progress->shown_us < every_us)
        return;
    progress->shown_us = now_us;
    print(progress, done, now_us);
    (void)fputs(progress->terminal ? "" : "\n", stderr);
    (void)fflush(stderr);
}

void aff_progress_finish(struct aff_progress *progress, uint64_t done)
{
    if (progress->quiet)
        return;
    print(progress, done, aff_clock_monotonic_us());
    (void)fputs("\n", stderr);
}
