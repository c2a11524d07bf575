/* SPDX-License-Identifier: Apache-2.0 */
/* affinityctl migrate: brings the database schema to the program's version, or says how far it is. */
#include "sql/migrate.h"
#include "cli/command.h"
#include "cli/settings.h"

#include <stdio.h>
#include <string.h>

static const char help_text[] =
    "Usage: affinityctl migrate up|status|verify [OPTION...]\n"
    "\n"
    "Creates or updates the schema 'affinity' in the database.\n"
    "\n"
    "  up       apply the migrations that are missing; does nothing if there are none. Several\n"
    "           programs may do it at once: one works, the others wait for it\n"
    "  status   list the program's migrations and when each was applied\n"
    "  verify   check that the database holds exactly the program's migrations, unchanged; exit\n"
    "           status 1 and what is wrong if it does not\n"
    "\n"
    "Examples:\n"
    "  affinityctl migrate up --database postgresql://shop@db.example/shop\n"
    "  affinityctl migrate verify && affinityd\n"
    "\n" AFF_COMMON_HELP;

static void tell_applied(void *context, int number, const char *name)
{
    bool quiet = *(bool *)context;

    if (!quiet)
        (void)printf("applied %03d %s\n", number, name);
}

static int up(const struct aff_settings *settings, struct aff_connection *connection)
{
    bool quiet = settings->quiet;
    struct aff_migration_state state;
    struct aff_error error;

    if (aff_migrate_up(connection, tell_applied, &quiet, &error) != AFF_OK ||
        aff_migrate_state(connection, &state, &error) != AFF_OK)
        return aff_settings_fail("migrate", &error);
    if (!quiet)
        (void)printf("the schema is at migration %d, the newest\n", state.current);
    return AFF_EXIT_OK;
}

static void print_migration(void *context, int number, const char *name, const char *applied_at, bool same)
{
    bool applied = applied_at[0] != '\0';

    (void)context;
    (void)printf("%03d  %-24s %-22s %s\n", number, name, applied ? applied_at : "-",
                 !applied ? "missing"
                 : same   ? "applied"
                          : "CHANGED");
}

static int status_of(struct aff_connection *connection)
{
    struct aff_migration_state state;
    struct aff_error error;

    if (aff_migrate_state(connection, &state, &error) != AFF_OK)
        return aff_settings_fail("migrate", &error);
    (void)printf("%-4s %-24s %-22s %s\n", "no.", "name", "applied at", "state");
    if (aff_migrate_list(connection, print_migration, NULL, &error) != AFF_OK)
        return aff_settings_fail("migrate", &error);
    if (state.foreign)
        (void)printf("The database is newer than this program: it is at migration %d.\n", state.current);
    return AFF_EXIT_OK;
}

static void tell_changed(void *context, int number, const char *name, const char *applied_at, bool same)
{
    (void)context;
    if (applied_at[0] != '\0' && !same)
        (void)fprintf(stderr, "migration %03d %s, applied %s: its checksum differs from the program's file\n",
                      number, name, applied_at);
}

static int verify(const struct aff_settings *settings, struct aff_connection *connection)
{
    struct aff_error error, ignored;

    if (aff_migrate_check(connection, &error) == AFF_OK) {
        if (!settings->quiet)
            (void)printf("the schema is exactly this program's\n");
        return AFF_EXIT_OK;
    }
    if (error.status == AFF_SCHEMA)
        (void)!aff_migrate_list(connection, tell_changed, NULL, &ignored);
    return aff_settings_fail("migrate", &error);
}

static int run(const char *action, const struct aff_settings *settings)
{
    struct aff_connection connection;
    struct aff_error error;
    int result;

    /* aff_settings_connect() would refuse the very schemas that this command is for. */
    if (aff_connection_open(settings->config.database_url, "affinityctl migrate",
                            (int)settings->config.database_connect_timeout_s, &connection, &error) != AFF_OK)
        return aff_settings_fail("migrate", &error);
    if (strcmp(action, "up") == 0)
        result = up(settings, &connection);
    else if (strcmp(action, "status") == 0)
        result = status_of(&connection);
    else
        result = verify(settings, &connection);
    aff_connection_close(&connection);
    return result;
}

static int usage(const char *text, const char *argument)
{
    (void)fprintf(stderr, "affinityctl migrate: %s%s; see 'affinityctl migrate --help'\n", text, argument);
    return AFF_EXIT_USAGE;
}

int aff_command_migrate(int argc, char **argv)
{
    static const struct option options[] = {AFF_COMMON_OPTIONS, {NULL, 0, NULL, 0}};
    struct aff_settings settings = {0};
    struct aff_error error;

    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        if (!aff_settings_take(&settings, option, optarg))
            return AFF_EXIT_USAGE;
    if (settings.help) {
        (void)fputs(help_text, stdout);
        return AFF_EXIT_OK;
    }
    if (argc - optind != 1)
        return usage("say one of up, status and verify", "");
    const char *action = argv[optind];
    if (strcmp(action, "up") != 0 && strcmp(action, "status") != 0 && strcmp(action, "verify") != 0)
        return usage("there is nothing called ", action);
    if (aff_settings_load(&settings, &error) != AFF_OK)
        return aff_settings_fail("migrate", &error);
    return run(action, &settings);
}
