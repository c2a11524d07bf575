/* SPDX-License-Identifier: Apache-2.0 */
/* affinityctl verify: are the kept counts what a full count gives? */
#include "cli/verify/options.h"
#include "cli/verify/report.h"

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/settings.h"
#include "config/rows.h"
#include "core/base/parallel.h"
#include "sql/fold/verify.h"
#include "sql/load_model.h"

#include <signal.h>
#include <stdio.h>

/* Set by the signal handler, which cannot reach anything else. */
static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static bool show(void *context, uint64_t done, uint64_t total)
{
    struct aff_progress *progress = context;

    if (total > progress->total)
        progress->total = total;
    aff_progress_show(progress, done);
    return interrupted == 0;
}

static int verify_store(const struct aff_verify_options *options)
{
    const struct aff_config *config = &options->settings.config;
    struct aff_rows_settings rows = aff_config_rows(config);
    struct aff_verify_settings settings = {.n_threads = aff_parallel_threads((int)config->learn_threads),
                                           .rows = options->sweep ? &rows : NULL};
    struct aff_progress progress;
    struct aff_watch watch = {show, &progress};
    struct aff_connection connection = {0};
    struct aff_verify_report report;
    struct aff_error error;
    char currency[4];
    int store = 0;
    aff_status status = aff_settings_connect(&options->settings, &connection, &error);

    if (status == AFF_OK)
        status = aff_store_find(&connection, config->store_name, &store, currency, &error);
    aff_progress_start(&progress, "counting anew", "lines", 0, options->settings.quiet);
    if (status == AFF_OK)
        status = aff_verify(&connection, store, &settings, &watch, &report, &error);
    aff_progress_finish(&progress, progress.total);
    aff_connection_close(&connection);
    if (status != AFF_OK)
        return aff_settings_fail("verify", &error);
    aff_verify_print(&report, config->store_name);
    return report.equal ? AFF_EXIT_OK : AFF_EXIT_FAILED;
}

int aff_command_verify(int argc, char **argv)
{
    struct aff_verify_options options = {0};
    struct sigaction action = {.sa_handler = interrupt};
    int exit_status = AFF_EXIT_OK;

    if (!aff_verify_options_read(argc, argv, &options, &exit_status))
        return exit_status;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    return verify_store(&options);
}
