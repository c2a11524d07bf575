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

static void print_share(const struct aff_progress *progress, uint64_t part, uint64_t whole, double elapsed_s)
{
    double share = part >= whole ? 1.0 : (double)part / (double)whole;

    if (progress->terminal) {
        char bar[BAR_WIDTH + 1];
        int filled = (int)(share * BAR_WIDTH);
        memset(bar, '#', (size_t)filled);
        memset(bar + filled, '.', (size_t)(BAR_WIDTH - filled));
        bar[BAR_WIDTH] = '\0';
        (void)fprintf(stderr, " [%s]", bar);
    }
    (void)fprintf(stderr, " %3.0f %%", share * 100);
    if (part > 0 && part < whole) {
        uint64_t left_s = (uint64_t)(elapsed_s * (1 - share) / share);
        (void)fprintf(stderr, ", %" PRIu64 ":%02" PRIu64 " left", left_s / 60, left_s % 60);
    }
}

static void print(const struct aff_progress *progress, uint64_t done, uint64_t part, uint64_t whole,
                  int64_t now_us)
{
    double elapsed_s = (double)(now_us - progress->started_us) / (double)AFF_SECOND_US;
    double rate = elapsed_s > 0 ? (double)done / elapsed_s : 0;

    (void)fprintf(stderr, "%s%s: %" PRIu64 " %s", progress->terminal ? "\r\033[K" : "", progress->what, done,
                  progress->unit);
    if (whole > 0)
        print_share(progress, part, whole, elapsed_s);
    (void)fprintf(stderr, ", %.0f %s/s, %.1f s", rate, progress->unit, elapsed_s);
}

void aff_progress_show_part(struct aff_progress *progress, uint64_t done, uint64_t part, uint64_t whole)
{
    int64_t now_us = aff_clock_monotonic_us();
    int64_t every_us = progress->terminal ? TERMINAL_EVERY_US : PLAIN_EVERY_US;

    if (progress->quiet || now_us - progress->shown_us < every_us)
        return;
    progress->shown_us = now_us;
    print(progress, done, part, whole, now_us);
    (void)fputs(progress->terminal ? "" : "\n", stderr);
    (void)fflush(stderr);
}

void aff_progress_show(struct aff_progress *progress, uint64_t done)
{
    aff_progress_show_part(progress, done, done, progress->total);
}

void aff_progress_finish(struct aff_progress *progress, uint64_t done)
{
    if (progress->quiet)
        return;
    print(progress, done, done, progress->total, aff_clock_monotonic_us());
    (void)fputs("\n", stderr);
}
