/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/migrate.h"

#include "core/base/checksum.h"
#include "core/base/embedded.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Held by the session while it migrates. The number is "affinity" in ASCII, so that no other program takes it
 * by chance. */
#define LOCK "SELECT pg_advisory_lock(7018409672313500793)"
#define UNLOCK "SELECT pg_advisory_unlock(7018409672313500793)"

enum { NAME_MAX_BYTES = 128 };

struct migration {
    int number;
    char name[NAME_MAX_BYTES]; /* "foundation" of "001_foundation.sql" */
    char checksum[AFF_CHECKSUM_TEXT];
    const char *text;
};

static int program_newest(void)
{
    int n = 0;

    while (aff_migrations[n].name != NULL)
        n++;
    return n;
}

/* The program's migration `number`: files are numbered from 1 without holes, so it stands at number - 1. */
static struct migration program_migration(int number)
{
    const struct aff_embedded *file = &aff_migrations[number - 1];
    struct migration migration = {.number = number, .text = file->text};
    char *rest = NULL;

    assert(strtol(file->name, &rest, 10) == number && *rest == '_');
    (void)snprintf(migration.name, sizeof migration.name, "%s", rest + 1);
    char *suffix = strrchr(migration.name, '.');
    if (suffix != NULL)
        *suffix = '\0';
    aff_checksum_text((struct aff_text){file->text, file->size}, migration.checksum);
    return migration;
}

/* What the database says is applied, by number: number, checksum, time. No rows if it was never migrated;
 * *ret_result is NULL only on failure. */
static aff_status read_applied(struct aff_connection *connection, PGresult **ret_result,
                               struct aff_error *reterr)
{
    int64_t present;
    aff_status status =
        aff_query_number(connection, "SELECT (to_regclass('affinity.migration') IS NOT NULL)::integer", 0,
                         NULL, &present, reterr);

    if (status != AFF_OK)
        return status;
    if (present == 0)
        return aff_query(connection, "SELECT 0, '', '' WHERE false", 0, NULL, ret_result, reterr);
    return aff_query(connection,
                     "SELECT number, checksum, to_char(applied_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
                     " FROM affinity.migration ORDER BY number",
                     0, NULL, ret_result, reterr);
}

static int applied_number(const PGresult *applied, int row)
{
    return atoi(PQgetvalue(applied, row, 0));
}

/* The row of `applied` that holds migration `number`, -1 if it is not applied. */
static int find_applied(const PGresult *applied, int number)
{
    for (int row = 0; row < PQntuples(applied); row++)
        if (applied_number(applied, row) == number)
            return row;
    return -1;
}

static bool same_text(const PGresult *applied, int row, const struct migration *migration)
{
    return strcmp(PQgetvalue(applied, row, 1), migration->checksum) == 0;
}

static struct aff_migration_state state_of(const PGresult *applied)
{
    struct aff_migration_state state = {.newest = program_newest()};
    int rows = PQntuples(applied);

    if (rows > 0)
        state.current = applied_number(applied, rows - 1);
    state.foreign = state.current > state.newest;
    for (int number = 1; number <= state.newest && number <= state.current && state.changed == 0; number++) {
        struct migration migration = program_migration(number);
        int row = find_applied(applied, number);
        /* A hole below the newest applied migration is a schema that this program never made, as is a changed
         * text. */
        if (row < 0 || !same_text(applied, row, &migration))
            state.changed = number;
    }
    return state;
}

aff_status aff_migrate_state(struct aff_connection *connection, struct aff_migration_state *ret,
                             struct aff_error *reterr)
{
    PGresult *applied = NULL;
    aff_status status = read_applied(connection, &applied, reterr);

    if (status != AFF_OK)
        return status;
    *ret = state_of(applied);
    PQclear(applied);
    return AFF_OK;
}

/* AFF_SCHEMA if migrating on top of `state` would build on what this program does not know. */
static aff_status refuse_unknown(const struct aff_migration_state *state, struct aff_error *reterr)
{
    if (state->foreign)
        return aff_error_set(
            reterr, AFF_SCHEMA,
            "the database schema is newer than this program: it is at migration %d, the program"
            " knows %d; use a program of at least that version",
            state->current, state->newest);
    if (state->changed != 0)
        return aff_error_set(reterr, AFF_SCHEMA,
                             "migration %d in the database differs from the one in this program; "
                             "'affinityctl migrate verify' shows which, restore the database or the program"
                             " that belong together",
                             state->changed);
    return AFF_OK;
}

aff_status aff_migrate_check(struct aff_connection *connection, struct aff_error *reterr)
{
    struct aff_migration_state state;
    aff_status status = aff_migrate_state(connection, &state, reterr);

    if (status != AFF_OK)
        return status;
    status = refuse_unknown(&state, reterr);
    if (status != AFF_OK)
        return status;
    if (state.current == 0)
        return aff_error_set(reterr, AFF_SCHEMA,
                             "the database has no affinity schema; run 'affinityctl migrate up'");
    if (state.current < state.newest)
        return aff_error_set(
            reterr, AFF_SCHEMA,
            "the database schema is older than this program: it is at migration %d, the program"
            " needs %d; run 'affinityctl migrate up'",
            state.current, state.newest);
    return AFF_OK;
}

/* Makes the schema and the table of applied migrations. An existing schema is left alone, because CREATE
 * SCHEMA IF NOT EXISTS asks for a right on the database that an owner of the schema need not have. */
static aff_status make_table(struct aff_connection *connection, struct aff_error *reterr)
{
    int64_t present;
    aff_status status = aff_query_number(
        connection, "SELECT (to_regnamespace('affinity') IS NOT NULL)::integer", 0, NULL, &present, reterr);

    if (status == AFF_OK && present == 0)
        status = aff_execute(connection, "CREATE SCHEMA affinity", reterr);
    if (status == AFF_OK)
        status = aff_execute(connection,
                             "CREATE TABLE IF NOT EXISTS affinity.migration ("
                             " number integer PRIMARY KEY,"
                             " name text NOT NULL,"
                             " checksum text NOT NULL,"
                             " applied_at timestamptz NOT NULL DEFAULT now())",
                             reterr);
    return status;
}

/* Applies one migration and its row in one transaction. */
static aff_status apply(struct aff_connection *connection, const struct migration *migration,
                        struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number, migration->name, migration->checksum};
    struct aff_error ignored;

    (void)snprintf(number, sizeof number, "%d", migration->number);
    aff_status status = aff_execute(connection, "BEGIN", reterr);
    if (status == AFF_OK)
        status = aff_execute(connection, migration->text, reterr);
    if (status == AFF_OK)
        status = aff_query(connection,
                           "INSERT INTO affinity.migration (number, name, checksum) VALUES ($1, $2, $3)", 3,
                           parameters, NULL, reterr);
    if (status == AFF_OK)
        status = aff_execute(connection, "COMMIT", reterr);
    if (status == AFF_OK)
        return AFF_OK;
    (void)!aff_execute(connection, "ROLLBACK", &ignored); /* a lost connection rolls back by itself */
    return aff_error_prefix(reterr, status, "migration %d (%s)", migration->number, migration->name);
}

static aff_status apply_missing(struct aff_connection *connection,
                                void (*applied)(void *context, int number, const char *name), void *context,
                                struct aff_error *reterr)
{
    struct aff_migration_state state = {0};
    aff_status status = aff_migrate_state(connection, &state, reterr);

    if (status == AFF_OK)
        status = refuse_unknown(&state, reterr);
    if (status == AFF_OK && state.current == 0)
        status = make_table(connection, reterr);
    for (int number = state.current + 1; status == AFF_OK && number <= state.newest; number++) {
        struct migration migration = program_migration(number);
        status = apply(connection, &migration, reterr);
        if (status == AFF_OK && applied != NULL)
            applied(context, number, migration.name);
    }
    return status;
}

aff_status aff_migrate_up(struct aff_connection *connection,
                          void (*applied)(void *context, int number, const char *name), void *context,
                          struct aff_error *reterr)
{
    struct aff_error unlock_error;
    aff_status status = aff_execute(connection, LOCK, reterr);

    if (status != AFF_OK)
        return status;
    status = apply_missing(connection, applied, context, reterr);
    aff_status unlocked = aff_execute(connection, UNLOCK, &unlock_error);
    if (status == AFF_OK && unlocked != AFF_OK)
        return aff_error_set(reterr, unlocked, "%s", unlock_error.text);
    return status;
}

aff_status aff_migrate_list(struct aff_connection *connection,
                            void (*visit)(void *context, int number, const char *name, const char *applied_at,
                                          bool same),
                            void *context, struct aff_error *reterr)
{
    PGresult *applied = NULL;
    aff_status status = read_applied(connection, &applied, reterr);

    if (status != AFF_OK)
        return status;
    for (int number = 1; number <= program_newest(); number++) {
        struct migration migration = program_migration(number);
        int row = find_applied(applied, number);
        visit(context, number, migration.name, row < 0 ? "" : PQgetvalue(applied, row, 2),
              row >= 0 && same_text(applied, row, &migration));
    }
    PQclear(applied);
    return AFF_OK;
}
