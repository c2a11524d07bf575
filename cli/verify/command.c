/* SPDX-License-Identifier: Apache-2.0 */
/* affinityctl verify: are the kept counts what a full count gives? */
#include "cli/verify/drive.h"
#include "cli/verify/options.h"
#include "cli/verify/report.h"

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/settings.h"
#include "config/rows.h"
#include "core/base/parallel.h"
#include "sql/fold/learning.h"
#include "sql/fold/verify.h"
#include "sql/load/model.h"

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

/* Folds what is queued and renews all rows, as the store's leader for that time. */
static aff_status renew_rows(struct aff_connection *connection, const struct aff_config *config, int store,
                             struct aff_progress *progress, struct aff_error *reterr)
{
    struct aff_watch watch = {show, progress};
    struct aff_learning_settings settings = {.name = "affinityctl verify",
                                             .rows = aff_config_rows(config),
                                             .limit_bytes = (uint64_t)config->learn_memory_mb << 20,
                                             .viewed = {.wait_s = config->learn_session_wait_s,
                                                        .window_us = config->learn_session_days * AFF_DAY_US,
                                                        .rows = aff_config_viewed(config)}};
    struct aff_learning *learning = NULL;
    uint64_t orders, rows, changed;
    aff_status status = aff_learning_new(connection, store, &settings, &learning);

    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    status = aff_learning_fold_all(learning, &watch, &orders, &rows, reterr);
    if (status == AFF_OK)
        status = aff_learning_sweep_all(learning, &watch, &changed, reterr);
    if (status == AFF_BUSY)
        (void)aff_error_prefix(reterr, status,
                               "rows are renewed by who leads; stop it, or leave --sweep out");
    aff_learning_free(learning);
    return status;
}

/* Compares one store's tables with a full count; *ret_equal. */
static aff_status verify_store(struct aff_connection *connection, const struct aff_verify_options *options,
                               const char *name, bool *ret_equal, struct aff_error *reterr)
{
    const struct aff_config *config = &options->settings.config;
    struct aff_rows_settings rows = aff_config_rows(config);
    struct aff_verify_settings settings = {.n_threads = aff_parallel_threads((int)config->learn_threads),
                                           .rows = options->sweep ? &rows : NULL};
    struct aff_progress progress;
    struct aff_watch watch = {show, &progress};
    struct aff_verify_report report;
    char currency[4];
    int store = 0;
    aff_status status = aff_store_find(connection, name, &store, currency, reterr);

    if (status != AFF_OK)
        return status;
    if (options->sweep) {
        aff_progress_start(&progress, "renewing rows", "changes", 0, options->settings.quiet);
        status = renew_rows(connection, config, store, &progress, reterr);
        aff_progress_finish(&progress, progress.total);
        if (status != AFF_OK)
            return status;
    }
    aff_progress_start(&progress, "counting anew", "lines", 0, options->settings.quiet);
    status = aff_verify(connection, store, &settings, &watch, &report, reterr);
    aff_progress_finish(&progress, progress.total);
    if (status != AFF_OK)
        return status;
    aff_verify_print(&report, name);
    *ret_equal = report.equal;
    return AFF_OK;
}

/* Removes the stores that were made; what failed before is what is reported. */
static void remove_stores(struct aff_connection *connection, const struct aff_drive_report *driven)
{
    for (int i = 0; i < 2; i++)
        if (driven->names[i][0] != '\0')
            (void)!aff_scratch_remove(connection, driven->names[i], NULL);
}

static aff_status verify_stream(struct aff_connection *connection, const struct aff_verify_options *options,
                                bool *ret_equal, struct aff_error *reterr)
{
    struct aff_progress progress;
    struct aff_watch watch = {show, &progress};
    struct aff_drive_report driven;
    bool same = false;

    aff_progress_start(&progress, "writing and folding", "orders", 0, options->settings.quiet);
    aff_status status = aff_drive(connection, options, &watch, &driven, reterr);
    aff_progress_finish(&progress, driven.events);
    if (status == AFF_OK)
        status = verify_store(connection, options, driven.names[0], ret_equal, reterr);
    if (status == AFF_OK)
        same = aff_verify_print_driven(&driven);
    if (!options->keep)
        remove_stores(connection, &driven);
    *ret_equal = *ret_equal && same;
    return status;
}

static int run(const struct aff_verify_options *options)
{
    struct aff_connection connection = {0};
    struct aff_error error;
    bool equal = false;
    aff_status status = aff_settings_connect(&options->settings, &connection, &error);

    if (status == AFF_OK && options->n_orders > 0)
        status = verify_stream(&connection, options, &equal, &error);
    else if (status == AFF_OK)
        status = verify_store(&connection, options, options->settings.config.store_name, &equal, &error);
    aff_connection_close(&connection);
    if (status != AFF_OK)
        return aff_settings_fail("verify", &error);
    return equal ? AFF_EXIT_OK : AFF_EXIT_FAILED;
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
    return run(&options);
}
