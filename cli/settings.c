/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/settings.h"
#include "cli/command.h"
#include "sql/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool aff_settings_take(struct aff_settings *settings, int option, const char *value)
{
    switch (option) {
    case AFF_OPTION_CONFIG:
        settings->config_file = value;
        return true;
    case AFF_OPTION_DATABASE:
        settings->database = value;
        return true;
    case AFF_OPTION_STORE:
        settings->store = value;
        return true;
    case AFF_OPTION_SET:
        if (settings->n_sets == AFF_SETTINGS_MAX)
            settings->too_many = true;
        else
            settings->sets[settings->n_sets++] = value;
        return true;
    case AFF_OPTION_QUIET:
        settings->quiet = true;
        return true;
    case AFF_OPTION_HELP:
        settings->help = true;
        return true;
    default:
        return false;
    }
}

/* Applies one "key=value" of --set. */
static aff_status apply_set(struct aff_config *config, const char *set, struct aff_error *reterr)
{
    char key[128];
    size_t size = strcspn(set, "=");

    if (set[size] == '\0' || size == 0)
        return aff_error_set(reterr, AFF_INVALID, "--set wants KEY=VALUE, not '%.80s'", set);
    (void)snprintf(key, sizeof key, "%.*s", (int)size, set);
    return aff_config_set(config, key, set + size + 1, "command line", reterr);
}

static aff_status apply_flags(const struct aff_settings *settings, struct aff_config *config,
                              struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    if (settings->too_many)
        return aff_error_set(reterr, AFF_INVALID, "more than %d times --set", AFF_SETTINGS_MAX);
    for (int i = 0; i < settings->n_sets && status == AFF_OK; i++)
        status = apply_set(config, settings->sets[i], reterr);
    if (status == AFF_OK && settings->database != NULL)
        status = aff_config_set(config, "database.url", settings->database, "--database", reterr);
    if (status == AFF_OK && settings->store != NULL)
        status = aff_config_set(config, "store.name", settings->store, "--store", reterr);
    return status;
}

aff_status aff_settings_load(struct aff_settings *settings, struct aff_error *reterr)
{
    struct aff_config config;
    const char *file = settings->config_file;
    aff_status status = AFF_OK;

    if (file == NULL)
        file = getenv("AFFINITY_CONFIG");
    aff_config_init(&config);
    if (file != NULL && file[0] != '\0')
        status = aff_config_read_file(&config, file, reterr);
    if (status == AFF_OK)
        status = aff_config_read_environment(&config, reterr);
    if (status == AFF_OK)
        status = apply_flags(settings, &config, reterr);
    if (status == AFF_OK)
        status = aff_config_check(&config, reterr);
    if (status == AFF_OK)
        settings->config = config;
    return status;
}

aff_status aff_settings_connect(const struct aff_settings *settings, struct aff_connection *ret,
                                struct aff_error *reterr)
{
    struct aff_connection connection = {0};
    aff_status status =
        aff_connection_open(settings->config.database_url, "affinityctl",
                            (int)settings->config.database_connect_timeout_s, &connection, reterr);

    if (status == AFF_OK)
        status = aff_migrate_check(&connection, reterr);
    if (status != AFF_OK) {
        aff_connection_close(&connection);
        return status;
    }
    *ret = connection;
    return AFF_OK;
}

int aff_settings_fail(const char *command, const struct aff_error *error)
{
    (void)fprintf(stderr, "affinityctl %s: %s\n", command, error->text);
    switch (error->status) {
    case AFF_INVALID:
        return AFF_EXIT_USAGE;
    case AFF_CONFIG:
        return AFF_EXIT_CONFIG;
    case AFF_BUSY:
        return AFF_EXIT_BUSY;
    default:
        return AFF_EXIT_FAILED;
    }
}
