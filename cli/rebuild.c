/* SPDX-License-Identifier: Apache-2.0 */
/* affinityctl rebuild: learns a store's affinities from all its orders. */
#include "sql/rebuild.h"

#include "cli/command.h"
#include "cli/phases.h"
#include "cli/settings.h"
#include "cli/tune/fit.h"
#include "cli/tune/show.h"
#include "config/rows.h"
#include "core/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: affinityctl rebuild [OPTION...]\n"
    "\n"
    "Learns the affinities of one store from all its orders: counts which products are bought together and "
    "one\n"
    "after the other, scores each product's neighbours, and puts the new tables in place of the old ones at "
    "once.\n"
    "The service keeps answering from the old ones until then. Interrupted or killed, it leaves everything "
    "as it\n"
    "was. Only one rebuild of a store runs at a time; a second one ends with status 4 and says who runs.\n"
    "\n"
    "Then, if the store's weights were never fitted or more than tune.hours ago, they are fitted as\n"
    "'affinityctl tune' does, unless tune.after_rebuild is false.\n"
    "\n"
    "  --method NAME     how neighbours are scored: ridge, cosine, confidence, lift, jaccard or llr\n"
    "                    (sets learn.method)\n"
    "\n" AFF_COMMON_HELP "\n"
    "What is learned is set by the keys learn.* of the configuration.\n"
    "\n"
    "Examples:\n"
    "  affinityctl rebuild\n"
    "  affinityctl rebuild --store outlet --set learn.half_life_days=90\n"
    "  affinityctl rebuild --method cosine --set learn.floors=classic --quiet\n";

enum { OPTION_METHOD = 1 };

static const struct option options[] = {
    {"method", required_argument, NULL, OPTION_METHOD},
    AFF_COMMON_OPTIONS,
    {NULL, 0, NULL, 0},
};

static void print_report(const struct aff_rebuild_report *report, double seconds)
{
    char from[AFF_TIME_TEXT], to[AFF_TIME_TEXT];

    aff_time_format(report->from_us, from);
    aff_time_format(report->to_us, to);
    (void)printf("orders           %" PRIu64 " (%" PRIu64 " lines)\n", report->orders, report->lines);
    if (report->orders > 0)
        (void)printf("from             %s\nto               %s\n", from, to);
    if (report->old_orders > 0)
        (void)printf("before window    %" PRIu64 " orders not counted\n", report->old_orders);
    (void)printf("truncated        %" PRIu64 " orders, %" PRIu64 " products\n", report->truncated_orders,
                 report->truncated_lines);
    (void)printf("products         %" PRIu64 "\ncustomers        %" PRIu64 "\n", report->counts.products,
                 report->counts.customers);
    (void)printf("pairs together   %" PRIu64 "\npairs next       %" PRIu64 " (%" PRIu64
                 " consecutive orders)\n",
                 report->counts.pairs, report->counts.next_pairs, report->next_orders);
    if (report->sessions > 0)
        (void)printf("sessions         %" PRId64 "\npairs viewed     %" PRId64 "\n", report->sessions,
                     report->viewed_pairs);
    (void)printf("neighbours       %" PRIu64 " in %" PRIu64 " rows\n", report->counts.neighbours,
                 report->counts.rows);
    (void)printf("version          %" PRIu64 "\nseconds          %.2f\n", report->version, seconds);
}

static struct aff_rebuild_settings settings_of(const struct aff_config *config)
{
    return (struct aff_rebuild_settings){.baskets = aff_config_baskets(config),
                                         .rows = aff_config_rows(config),
                                         .floors_name = config->learn_floors,
                                         .n_threads = (int)config->learn_threads,
                                         .session_window_us = config->learn_session_days * AFF_DAY_US};
}

/* The counts are in place whatever becomes of this, so that a failure is told and no more. */
static void fit_weights(const struct aff_config *config, bool quiet)
{
    struct aff_connection connection = {0};
    struct aff_tuning_report report;
    struct aff_error error;
    aff_status status = aff_connection_open(config->database_url, "affinityctl rebuild",
                                            (int)config->database_connect_timeout_s, &connection, &error);

    if (status == AFF_OK)
        status = aff_fit_store(&connection, config, (int64_t)(config->tune_hours * 3600), false, quiet,
                               &report, &error);
    aff_connection_close(&connection);
    if (status == AFF_OK && report.due)
        aff_show_tuning(&report, false);
    else if (status != AFF_OK && status != AFF_BUSY)
        (void)fprintf(stderr, "affinityctl rebuild: the weights were not fitted: %s\n", error.text);
}

static int run(const struct aff_config *config, bool quiet)
{
    struct aff_phases phases = {.quiet = quiet};
    struct aff_rebuild_settings settings = settings_of(config);
    struct aff_rebuild_progress progress = {aff_phases_show, &phases};
    struct aff_rebuild_report report;
    struct aff_error error;
    int64_t started_us = aff_clock_monotonic_us();

    aff_phases_catch();
    aff_status status =
        aff_rebuild(config->database_url, (int)config->database_connect_timeout_s, "affinityctl rebuild",
                    config->store_name, &settings, &progress, &report, &error);
    aff_phases_finish(&phases);
    if (status == AFF_CANCELLED)
        (void)aff_error_set(&error, status, "interrupted; all tables are as they were before");
    if (status != AFF_OK)
        return aff_settings_fail("rebuild", &error);
    print_report(&report, (double)(aff_clock_monotonic_us() - started_us) / (double)AFF_SECOND_US);
    (void)fflush(stdout);
    if (config->tune_after_rebuild)
        fit_weights(config, quiet);
    return AFF_EXIT_OK;
}

/* Checks the schema before anything else, so that an old one is named as such. */
static aff_status check_database(const struct aff_settings *settings, struct aff_error *reterr)
{
    struct aff_connection connection;
    aff_status status = aff_settings_connect(settings, &connection, reterr);

    if (status == AFF_OK)
        aff_connection_close(&connection);
    return status;
}

int aff_command_rebuild(int argc, char **argv)
{
    char method[AFF_CONFIG_TEXT];
    struct aff_settings settings = {0};
    struct aff_error error;

    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == OPTION_METHOD) {
            (void)snprintf(method, sizeof method, "learn.method=%s", optarg);
            (void)aff_settings_take(&settings, AFF_OPTION_SET, method);
        } else if (!aff_settings_take(&settings, option, optarg)) {
            (void)fprintf(stderr, "see 'affinityctl rebuild --help'\n");
            return AFF_EXIT_USAGE;
        }
    }
    if (settings.help) {
        (void)fputs(help, stdout);
        return AFF_EXIT_OK;
    }
    if (optind < argc) {
        (void)fprintf(stderr, "affinityctl rebuild: '%s' is not expected; see 'affinityctl rebuild --help'\n",
                      argv[optind]);
        return AFF_EXIT_USAGE;
    }
    if (aff_settings_load(&settings, &error) != AFF_OK || check_database(&settings, &error) != AFF_OK)
        return aff_settings_fail("rebuild", &error);
    return run(&settings.config, settings.quiet);
}
