/* SPDX-License-Identifier: Apache-2.0 */
/* The options that every command has, and what follows from them: configuration, database, store. A command
 * puts AFF_COMMON_OPTIONS into its getopt_long() table and AFF_COMMON_HELP into its help text. */
#pragma once

#include "config/config.h"
#include "core/base/status.h"
#include "sql/connection.h"

#include <getopt.h>
#include <stdbool.h>

enum {
    AFF_OPTION_CONFIG = 1000,
    AFF_OPTION_DATABASE,
    AFF_OPTION_STORE,
    AFF_OPTION_SET,
    AFF_OPTION_QUIET,
    AFF_OPTION_HELP,
};

/* clang-format off */
#define AFF_COMMON_OPTIONS                                            \
    {"config", required_argument, NULL, AFF_OPTION_CONFIG},           \
    {"database", required_argument, NULL, AFF_OPTION_DATABASE},       \
    {"store", required_argument, NULL, AFF_OPTION_STORE},             \
    {"set", required_argument, NULL, AFF_OPTION_SET},                 \
    {"quiet", no_argument, NULL, AFF_OPTION_QUIET},                   \
    {"help", no_argument, NULL, AFF_OPTION_HELP}
/* clang-format on */

#define AFF_COMMON_HELP                                                                                      \
    "Options of all commands:\n"                                                                             \
    "  --config FILE     configuration file (default: $AFFINITY_CONFIG, else none)\n"                        \
    "  --database URL    PostgreSQL to use (default: database.url of the configuration)\n"                   \
    "  --store NAME      store to work on (default: store.name of the configuration)\n"                      \
    "  --set KEY=VALUE   set a configuration key, may be repeated\n"                                         \
    "  --quiet           no progress\n"                                                                      \
    "  --help            show this help\n"

#define AFF_SETTINGS_MAX 64

struct aff_settings {
    struct aff_config config; /* valid after aff_settings_load() */
    bool quiet, help;
    const char *config_file;            /* borrowed from argv */
    const char *sets[AFF_SETTINGS_MAX]; /* "key=value", borrowed or made of --database and --store */
    const char *database, *store;
    int n_sets;
    bool too_many;
};

/* Remembers one common option; false if `option` is not one of them (then it is the command's own, or '?').
 * Set `settings` to zero before the first call. */
bool aff_settings_take(struct aff_settings *settings, int option, const char *value);

/* Reads file, environment and flags into settings->config and checks it. */
AFF_MUST_CHECK aff_status aff_settings_load(struct aff_settings *settings, struct aff_error *reterr);

/* Opens the configured database and checks that its schema is the one of this program (sql/migrate.h). */
AFF_MUST_CHECK aff_status aff_settings_connect(const struct aff_settings *settings,
                                               struct aff_connection *ret, struct aff_error *reterr);

/* Prints "affinityctl COMMAND: text" to standard error and returns the exit status that fits the error. */
int aff_settings_fail(const char *command, const struct aff_error *error);
