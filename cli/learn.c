/* SPDX-License-Identifier: Apache-2.0 */
/* affinityctl learn: folds changed orders into the learned tables without the service. */
#include "cli/command.h"
#include "cli/settings.h"
#include "config/rows.h"
#include "core/base/clock.h"
#include "sql/fold/learning.h"
#include "sql/load/model.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

static const char help[] =
    "Usage: affinityctl learn [OPTION...]\n"
    "\n"
    "Folds the orders that were added, changed or removed since into the learned tables, makes the neighbour "
    "rows\n"
    "that this changes, and publishes them: what the service does by itself (learn.enabled). For shops that "
    "run no\n"
    "service, or want to learn at times of their own. A store is counted by 'affinityctl rebuild' once "
    "before.\n"
    "\n"
    "  --once            fold what is queued, then end (default)\n"
    "  --follow          go on folding until interrupted\n"
    "  --sweep           renew all neighbour rows afterwards, twice: they are then those of a full build\n"
    "\n" AFF_COMMON_HELP "\n"
    "Ends with status 4 if a service or another command leads the store.\n"
    "\n"
    "Examples:\n"
    "  affinityctl learn --once\n"
    "  affinityctl learn --store outlet --follow\n"
    "  affinityctl learn --once --sweep\n";

enum { ONCE = 1, FOLLOW, SWEEP };

static const struct option options[] = {
    {"once", no_argument, NULL, ONCE},
    {"follow", no_argument, NULL, FOLLOW},
    {"sweep", no_argument, NULL, SWEEP},
    AFF_COMMON_OPTIONS,
    {NULL, 0, NULL, 0},
};

/* Set by the signal handler, which cannot reach anything else. */
static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

struct learn {
    struct aff_settings settings;
    bool follow, sweep;
    uint64_t orders, rows, swept;
};

static void pause_ms(int64_t ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    (void)nanosleep(&pause, NULL);
}

static bool go_on(void *context, uint64_t done, uint64_t total)
{
    (void)context;
    (void)done;
    (void)total;
    return interrupted == 0;
}

/* Folds for ever, also while another session leads. */
static aff_status follow(struct learn *learn, struct aff_learning *learning, struct aff_error *reterr)
{
    struct aff_learning_report report;

    while (interrupted == 0) {
        aff_status status = aff_learning_step(learning, &report, reterr);
        if (status != AFF_OK)
            return status;
        if (report.state == AFF_LEARNING_REBUILD)
            return aff_error_set(reterr, AFF_NOTREADY,
                                 "more orders wait than are worth folding; run 'affinityctl rebuild'");
        learn->orders += report.folded;
        learn->rows += report.rows;
        if (report.folded > 0 && !learn->settings.quiet)
            (void)fprintf(stderr, "%" PRIu32 " orders folded, %" PRIu32 " rows, version %" PRId64 "\n",
                          report.folded, report.rows, report.version);
        if (report.state != AFF_LEARNING_BUSY)
            pause_ms(learn->settings.config.learn_fold_ms);
    }
    return AFF_OK;
}

static aff_status learn_all(struct learn *learn, struct aff_learning *learning, struct aff_error *reterr)
{
    struct aff_watch watch = {go_on, NULL};
    aff_status status = aff_learning_fold_all(learning, &watch, &learn->orders, &learn->rows, reterr);

    if (status == AFF_OK && learn->sweep)
        status = aff_learning_sweep_all(learning, &watch, &learn->swept, reterr);
    if (status == AFF_OK && learn->follow)
        status = follow(learn, learning, reterr);
    return status;
}

static aff_status learn_store(struct learn *learn, struct aff_connection *connection,
                              struct aff_error *reterr)
{
    const struct aff_config *config = &learn->settings.config;
    struct aff_learning_settings settings = {.name = "affinityctl learn",
                                             .rows = aff_config_rows(config),
                                             .limit_bytes = (uint64_t)config->learn_memory_mb << 20,
                                             .viewed = {.wait_s = config->learn_session_wait_s,
                                                        .window_us = config->learn_session_days * AFF_DAY_US,
                                                        .rows = aff_config_viewed(config)}};
    struct aff_learning *learning = NULL;
    char currency[4];
    int store = 0;
    aff_status status = aff_store_find(connection, config->store_name, &store, currency, reterr);

    if (status == AFF_OK)
        status = aff_learning_session(connection, (int)config->learn_lease_s, reterr);
    if (status != AFF_OK)
        return status;
    status = aff_learning_new(connection, store, &settings, &learning);
    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    status =
        learn->follow && !learn->sweep ? follow(learn, learning, reterr) : learn_all(learn, learning, reterr);
    aff_learning_free(learning);
    return status;
}

static int run(struct learn *learn)
{
    struct aff_connection connection = {0};
    struct sigaction action = {.sa_handler = interrupt};
    struct aff_error error;

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    aff_status status = aff_settings_connect(&learn->settings, &connection, &error);
    if (status == AFF_OK)
        status = learn_store(learn, &connection, &error);
    aff_connection_close(&connection);
    if (status != AFF_OK)
        return aff_settings_fail("learn", &error);
    (void)printf("orders           %" PRIu64 "\nneighbour rows   %" PRIu64 "\n", learn->orders, learn->rows);
    if (learn->sweep)
        (void)printf("renewed          %" PRIu64 " rows were different\n", learn->swept);
    return AFF_EXIT_OK;
}

int aff_command_learn(int argc, char **argv)
{
    struct learn learn = {0};
    struct aff_error error;

    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == ONCE || option == FOLLOW)
            learn.follow = option == FOLLOW;
        else if (option == SWEEP)
            learn.sweep = true;
        else if (!aff_settings_take(&learn.settings, option, optarg)) {
            (void)fprintf(stderr, "see 'affinityctl learn --help'\n");
            return AFF_EXIT_USAGE;
        }
    }
    if (learn.settings.help) {
        (void)fputs(help, stdout);
        return AFF_EXIT_OK;
    }
    if (optind < argc) {
        (void)fprintf(stderr, "affinityctl learn: '%s' is not expected; see 'affinityctl learn --help'\n",
                      argv[optind]);
        return AFF_EXIT_USAGE;
    }
    if (aff_settings_load(&learn.settings, &error) != AFF_OK)
        return aff_settings_fail("learn", &error);
    return run(&learn);
}
