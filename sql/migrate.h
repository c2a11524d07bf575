/* SPDX-License-Identifier: Apache-2.0 */
/* The schema's migrations: numbered SQL files inside the program, applied forward only, each in its own
 * transaction, under an advisory lock so that two programs never migrate at once. Each applied file's
 * checksum is kept. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_migration_state {
    int current;  /* highest applied number; 0: none, also when the schema is not there */
    int newest;   /* highest number inside the program */
    int changed;  /* first applied migration whose checksum differs from the program's; 0: none */
    bool foreign; /* the database has migrations that the program does not know: it is newer */
};

AFF_MUST_CHECK aff_status aff_migrate_state(struct aff_connection *connection,
                                            struct aff_migration_state *ret, struct aff_error *reterr);

/* Applies what is missing; `applied` (may be NULL) is called after each. Waits for another migrating program.
 * Refuses a database that is newer than the program or whose applied files differ. */
AFF_MUST_CHECK aff_status aff_migrate_up(struct aff_connection *connection,
                                         void (*applied)(void *context, int number, const char *name),
                                         void *context, struct aff_error *reterr);

/* AFF_OK if the schema is exactly the program's; else AFF_SCHEMA and a text that says too old, too new or
 * missing, and which command to run. */
AFF_MUST_CHECK aff_status aff_migrate_check(struct aff_connection *connection, struct aff_error *reterr);

/* Number and name of each migration in the program and the time it was applied ("" if it was not). */
AFF_MUST_CHECK aff_status aff_migrate_list(struct aff_connection *connection,
                                           void (*visit)(void *context, int number, const char *name,
                                                         const char *applied_at, bool same),
                                           void *context, struct aff_error *reterr);
