/* SPDX-License-Identifier: Apache-2.0 */
/* affinityctl tune: fits the weights of the sources to the newest orders and sessions of a store. */
#include "cli/command.h"
#include "cli/phases.h"
#include "cli/settings.h"
#include "cli/tune/fit.h"
#include "cli/tune/show.h"
#include "sql/load/model.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_RESET = 1, OPTION_DRY_RUN, OPTION_LIST, OPTION_USE, OPTION_JSON };

static const struct option options[] = {
    AFF_COMMON_OPTIONS,
    {"reset", no_argument, NULL, OPTION_RESET},
    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
    {"list", no_argument, NULL, OPTION_LIST},
    {"use", required_argument, NULL, OPTION_USE},
    {"json", no_argument, NULL, OPTION_JSON},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "Usage: affinityctl tune [OPTION...]\n"
    "\n"
    "Learns from all but the last tenth of the store's orders and sessions in memory (of a small store up "
    "to\n"
    "three tenths), asks what these last ones answer (hidden products of carts, next baskets, next views), "
    "and\n"
    "fits the weights of the sources to half of these questions, for each situation by itself. Weights that\n"
    "answer the other half better than those in use, beyond a one-sided interval of 95 %, are put to use; "
    "all\n"
    "running services take them over at once. Every fit is kept with its figures.\n"
    "\n"
    "Options:\n"
    "  --dry-run         only show what would be put to use\n"
    "  --list            show all fits that were made\n"
    "  --use FIT         go back to a fit, by its number in the list, for the situation that it is of\n"
    "  --reset           go back to the weights of the configuration in all situations\n"
    "  --json            write JSON\n"
    "\n" AFF_COMMON_HELP "\n"
    "The service does the same by itself every tune.hours with tune.enabled.\n"
    "\n"
    "Examples:\n"
    "  affinityctl tune\n"
    "  affinityctl tune --store outlet --dry-run\n"
    "  affinityctl tune --list\n"
    "  affinityctl tune --use 7\n"
    "  affinityctl tune --reset\n";

enum action { FIT, LIST, USE, RESET };

struct command {
    struct aff_settings settings;
    struct aff_connection connection;
    struct aff_json json;
    enum action action;
    bool dry_run, as_json, twice; /* more than one action */
    int64_t fit;                  /* for USE */
    int store;
};

/* ---- fitting ---- */

static aff_status fit(struct command *command, struct aff_error *reterr)
{
    struct aff_tuning_report report;

    aff_phases_catch();
    aff_status status = aff_fit_store(&command->connection, &command->settings.config, 0, command->dry_run,
                                      command->settings.quiet, &report, reterr);
    if (status != AFF_OK)
        return status;
    if (command->as_json)
        aff_show_tuning_json(&report, &command->json);
    else
        aff_show_tuning(&report, command->dry_run);
    return AFF_OK;
}

/* ---- what was fitted before ---- */

static void list_one(void *context, const struct aff_fitted_row *row)
{
    struct command *command = context;

    if (command->as_json)
        aff_show_fit_json(row, &command->json);
    else
        aff_show_fit(row);
}

static aff_status list(struct command *command, struct aff_error *reterr)
{
    if (command->as_json) {
        aff_json_open_object(&command->json);
        aff_json_name(&command->json, "fits");
        aff_json_open_array(&command->json);
    } else {
        aff_show_fits_head();
    }
    aff_status status = aff_fitted_list(&command->connection, command->store, list_one, command, reterr);
    if (command->as_json) {
        aff_json_close_array(&command->json);
        aff_json_close_object(&command->json);
    }
    return status;
}

static aff_status use(struct command *command, struct aff_error *reterr)
{
    enum aff_situation situation;
    aff_status status =
        aff_fitted_use(&command->connection, command->store, command->fit, &situation, reterr);

    if (status != AFF_OK)
        return status;
    if (!command->as_json) {
        (void)printf("fit %" PRId64 " is used for %s\n", command->fit, aff_situation_name(situation));
        return AFF_OK;
    }
    aff_json_open_object(&command->json);
    aff_json_name(&command->json, "fit");
    aff_json_int(&command->json, command->fit);
    aff_json_name(&command->json, "situation");
    aff_json_string(&command->json, aff_situation_name(situation));
    aff_json_close_object(&command->json);
    return AFF_OK;
}

static aff_status reset(struct command *command, struct aff_error *reterr)
{
    int64_t n = 0;
    aff_status status = aff_fitted_reset(&command->connection, command->store, &n, reterr);

    if (status != AFF_OK)
        return status;
    if (!command->as_json) {
        (void)printf("%" PRId64 " fits are no longer used\n", n);
        return AFF_OK;
    }
    aff_json_open_object(&command->json);
    aff_json_name(&command->json, "no_longer_used");
    aff_json_int(&command->json, n);
    aff_json_close_object(&command->json);
    return AFF_OK;
}

/* ---- the command ---- */

static aff_status run(struct command *command, struct aff_error *reterr)
{
    char currency[4];
    aff_status status = aff_settings_load(&command->settings, reterr);

    if (status == AFF_OK)
        status = aff_settings_connect(&command->settings, &command->connection, reterr);
    if (status == AFF_OK)
        status = aff_store_find(&command->connection, command->settings.config.store_name, &command->store,
                                currency, reterr);
    if (status != AFF_OK)
        return status;
    switch (command->action) {
    case LIST:
        status = list(command, reterr);
        break;
    case USE:
        status = use(command, reterr);
        break;
    case RESET:
        status = reset(command, reterr);
        break;
    default:
        status = fit(command, reterr);
    }
    if (status == AFF_OK && command->json.failed)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    if (status == AFF_OK && command->as_json)
        (void)printf("%.*s\n", (int)command->json.size, command->json.bytes);
    return status;
}

static void choose(struct command *command, enum action action)
{
    command->twice = command->twice || command->action != FIT;
    command->action = action;
}

static bool take_number(struct command *command, const char *value)
{
    char *end;

    errno = 0;
    command->fit = strtoll(value, &end, 10);
    if (errno == 0 && end != value && *end == '\0' && command->fit > 0)
        return true;
    (void)fprintf(
        stderr,
        "affinityctl tune: --use takes the number of a fit, not '%s'; 'affinityctl tune --list' shows"
        " those there are\n",
        value);
    return false;
}

static bool take_option(struct command *command, int option, const char *value)
{
    switch (option) {
    case OPTION_RESET:
        choose(command, RESET);
        return true;
    case OPTION_LIST:
        choose(command, LIST);
        return true;
    case OPTION_USE:
        choose(command, USE);
        return take_number(command, value);
    case OPTION_DRY_RUN:
        command->dry_run = true;
        return true;
    case OPTION_JSON:
        command->as_json = true;
        return true;
    default:
        return aff_settings_take(&command->settings, option, value);
    }
}

static int refuse(const struct command *command, const char *unexpected)
{
    if (unexpected != NULL)
        (void)fprintf(stderr, "affinityctl tune: '%s' is not expected; see 'affinityctl tune --help'\n",
                      unexpected);
    else if (command->twice)
        (void)fprintf(stderr, "affinityctl tune: give only one of --list, --use and --reset\n");
    else if (command->dry_run && command->action != FIT)
        (void)fprintf(stderr, "affinityctl tune: --dry-run goes with fitting only\n");
    else
        return AFF_EXIT_OK;
    return AFF_EXIT_USAGE;
}

int aff_command_tune(int argc, char **argv)
{
    struct command command = {.action = FIT};
    struct aff_error error;

    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (!take_option(&command, option, optarg)) {
            (void)fprintf(stderr, "see 'affinityctl tune --help'\n");
            return AFF_EXIT_USAGE;
        }
    }
    if (command.settings.help) {
        (void)fputs(help, stdout);
        return AFF_EXIT_OK;
    }
    const int refused = refuse(&command, optind < argc ? argv[optind] : NULL);
    if (refused != AFF_EXIT_OK)
        return refused;
    aff_status status = run(&command, &error);
    aff_json_done(&command.json);
    aff_connection_close(&command.connection);
    return status == AFF_OK ? AFF_EXIT_OK : aff_settings_fail("tune", &error);
}
