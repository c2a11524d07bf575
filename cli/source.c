/* SPDX-License-Identifier: Apache-2.0 */
/* affinityctl source: reads a shop's own tables. */
#include "sql/source/source.h"
#include "sql/store.h"

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/settings.h"
#include "config/source_mapping.h"
#include "core/base/clock.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "Usage: affinityctl source check|sql|sync [OPTION...]\n"
    "\n"
    "Reads a shop's own orders, products and customers, which the keys source.* of the configuration map, "
    "instead\n"
    "of being told of them by API or files (docs/source.md).\n"
    "\n"
    "  check            look at the mapping and say what is wrong with it; writes nothing\n"
    "  sql --trigger    print the outbox table and the triggers for the shop's database, for its "
    "administrator\n"
    "  sync             write what changed, again and again, until it is interrupted\n"
    "  sync --once      write what changed since the last time, once\n"
    "  sync --full      compare everything, once: finds orders that were deleted or missed\n"
    "\n"
    "Only one program fills a store from a source at a time; a second one ends with status 4. Orders that "
    "break a\n"
    "rule are left out, the first ten of them are named, and the exit status is 3.\n"
    "\n" AFF_COMMON_HELP "\n"
    "Examples:\n"
    "  affinityctl source check --config shop.conf\n"
    "  affinityctl source sql --trigger --config shop.conf | psql \"$SHOP_OWNER_URL\"\n"
    "  affinityctl source sync --full --config shop.conf && affinityctl rebuild --config shop.conf\n";

enum { OPTION_TRIGGER = 1, OPTION_ONCE, OPTION_FULL };
enum { NAMED_REJECTS = 10 };
#define HOUR_S 3600

static const struct option options[] = {
    {"trigger", no_argument, NULL, OPTION_TRIGGER},
    {"once", no_argument, NULL, OPTION_ONCE},
    {"full", no_argument, NULL, OPTION_FULL},
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

struct command {
    struct aff_settings settings;
    struct aff_source_settings source;
    bool trigger, once, full;
    struct aff_progress progress;
    uint64_t rejected;
};

static int fail(const struct aff_error *error)
{
    return aff_settings_fail("source", error);
}

/* ---- check and sql ---- */

static void tell(void *context, bool good, const char *text)
{
    (void)context;
    (void)printf("%s  %s\n", good ? "ok   " : "WRONG", text);
}

static int check(struct command *command)
{
    struct aff_error error;
    int wrong = 0;

    if (aff_source_check(&command->source, tell, NULL, &wrong, &error) != AFF_OK)
        return fail(&error);
    if (wrong == 0)
        return AFF_EXIT_OK;
    (void)fprintf(stderr, "affinityctl source: %d %s wrong with the mapping\n", wrong,
                  wrong == 1 ? "thing is" : "things are");
    return AFF_EXIT_CONFIG;
}

static int print_sql(struct command *command)
{
    const struct aff_config *config = &command->settings.config;
    struct aff_error error;
    char *text = NULL;

    if (!command->trigger) {
        (void)fprintf(stderr, "affinityctl source: say which statements: sql --trigger\n");
        return AFF_EXIT_USAGE;
    }
    if (aff_source_trigger_sql(config->source_outbox, config->source_triggers, &text, &error) != AFF_OK)
        return fail(&error);
    (void)fputs(text, stdout);
    free(text);
    return AFF_EXIT_OK;
}

/* ---- sync ---- */

static void reject(void *context, enum aff_source_what what, struct aff_text id, const char *reason)
{
    struct command *command = context;

    if (++command->rejected <= NAMED_REJECTS)
        (void)fprintf(stderr, "%s '%.*s': %s\n", aff_source_word(what), (int)id.size,
                      id.at == NULL ? "" : id.at, reason);
}

static bool show(void *context, uint64_t done, uint64_t total)
{
    struct command *command = context;

    (void)total;
    aff_progress_show(&command->progress, done);
    return interrupted == 0;
}

static void print_report(const struct aff_source_report *report)
{
    (void)printf("orders: %" PRIu64 " new, %" PRIu64 " changed, %" PRIu64 " unchanged, %" PRIu64
                 " deleted; products: %" PRIu64 " written; customers: %" PRIu64 " written; left out: %" PRIu64
                 "\n",
                 report->created, report->changed, report->unchanged, report->deleted, report->products,
                 report->customers, report->rejected);
    (void)fflush(stdout);
}

static aff_status sweep(struct command *command, struct aff_source *source, struct aff_source_report *report,
                        struct aff_error *error)
{
    struct aff_watch shown = {show, command};

    aff_progress_start(&command->progress, "comparing orders", "orders", 0, command->settings.quiet);
    aff_status status = aff_source_sweep(source, &shown, report, error);
    aff_progress_finish(&command->progress,
                        status == AFF_OK ? report->created + report->changed + report->unchanged : 0);
    return status;
}

static aff_status is_due(struct command *command, struct aff_source *source, bool *ret_due,
                         struct aff_error *error)
{
    int64_t hours = command->settings.config.source_sweep_hours, swept_s = 0;
    aff_status status = aff_source_swept_s(source, &swept_s, error);

    *ret_due = swept_s < 0 || (hours > 0 && swept_s >= hours * HOUR_S);
    return status;
}

static void pause_ms(int64_t ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL);
}

static bool not_interrupted(void *context, uint64_t done, uint64_t total)
{
    (void)context;
    (void)done;
    (void)total;
    return interrupted == 0;
}

static const struct aff_watch watch = {not_interrupted, NULL};

static aff_status go_on(struct command *command, struct aff_source *source, struct aff_error *error)
{
    aff_status status = AFF_OK;

    while (status == AFF_OK && !interrupted) {
        struct aff_source_report report = {0};
        bool due = false;
        status = is_due(command, source, &due, error);
        if (status == AFF_OK)
            status = due ? sweep(command, source, &report, error)
                         : aff_source_sync(source, &watch, &report, error);
        if (status == AFF_OK && !command->settings.quiet &&
            (due ||
             report.created + report.changed + report.deleted + report.products + report.customers > 0))
            print_report(&report);
        if (status == AFF_OK)
            pause_ms(command->settings.config.source_poll_ms);
    }
    return status == AFF_CANCELLED ? AFF_OK : status;
}

static int run_sync(struct command *command, struct aff_connection *ours)
{
    const struct aff_config *config = &command->settings.config;
    const char *currency = config->source_currency[0] == '\0' ? NULL : config->source_currency;
    struct aff_source_report report = {0};
    struct aff_source *source = NULL;
    struct aff_error error;
    int store;
    aff_status status = aff_store_ensure(ours, config->store_name, currency, &store, NULL, &error);

    if (status == AFF_NOTFOUND)
        (void)aff_error_set(
            &error, AFF_CONFIG,
            "there is no store '%s'; set source.currency to the currency of the shop's money, so that"
            " it can be made",
            config->store_name);
    if (status == AFF_OK)
        status =
            aff_source_open(&command->source, ours, config->store_name, reject, command, &source, &error);
    if (status == AFF_OK && !command->once && !command->full) {
        status = go_on(command, source, &error);
    } else if (status == AFF_OK) {
        status = command->full ? sweep(command, source, &report, &error)
                               : aff_source_sync(source, &watch, &report, &error);
        if (status == AFF_OK)
            print_report(&report);
    }
    aff_source_close(source);
    if (status == AFF_CANCELLED)
        (void)aff_error_set(&error, status, "interrupted; what was written until then stays");
    if (status != AFF_OK)
        return fail(&error);
    if (command->rejected > NAMED_REJECTS)
        (void)fprintf(stderr, "and %" PRIu64 " more were left out\n", command->rejected - NAMED_REJECTS);
    return command->rejected > 0 ? AFF_EXIT_PARTIAL : AFF_EXIT_OK;
}

static int sync_store(struct command *command)
{
    struct sigaction action = {.sa_handler = interrupt};
    struct aff_connection ours = {0};
    struct aff_error error;

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    if (aff_source_mapping_is_empty(&command->source.mapping)) {
        (void)aff_error_set(&error, AFF_CONFIG,
                            "nothing is mapped: set source.orders and source.lines (docs/source.md)");
        return fail(&error);
    }
    if (aff_settings_connect(&command->settings, &ours, &error) != AFF_OK)
        return fail(&error);
    int result = run_sync(command, &ours);
    aff_connection_close(&ours);
    return result;
}

static int run(struct command *command, const char *action)
{
    if (strcmp(action, "check") == 0)
        return check(command);
    if (strcmp(action, "sql") == 0)
        return print_sql(command);
    if (strcmp(action, "sync") == 0)
        return sync_store(command);
    (void)fprintf(stderr,
                  "affinityctl source: there is nothing called '%s'; see 'affinityctl source --help'\n",
                  action);
    return AFF_EXIT_USAGE;
}

int aff_command_source(int argc, char **argv)
{
    struct command command = {.trigger = false};
    struct aff_error error;

    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == OPTION_TRIGGER)
            command.trigger = true;
        else if (option == OPTION_ONCE)
            command.once = true;
        else if (option == OPTION_FULL)
            command.full = true;
        else if (!aff_settings_take(&command.settings, option, optarg))
            return AFF_EXIT_USAGE;
    }
    if (command.settings.help) {
        (void)fputs(help, stdout);
        return AFF_EXIT_OK;
    }
    if (argc - optind != 1) {
        (void)fprintf(
            stderr, "affinityctl source: say one of check, sql and sync; see 'affinityctl source --help'\n");
        return AFF_EXIT_USAGE;
    }
    if (aff_settings_load(&command.settings, &error) != AFF_OK)
        return fail(&error);
    const struct aff_config *config = &command.settings.config;
    command.source = (struct aff_source_settings){.url = aff_config_source_url(config),
                                                  .application = "affinityctl source",
                                                  .timeout_s = (int)config->database_connect_timeout_s,
                                                  .mapping = aff_config_source_mapping(config)};
    return run(&command, argv[optind]);
}
