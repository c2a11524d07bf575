/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/intake/changes.h"

#include <stdio.h>

enum { NUMBER = 16, STATEMENT_SIZE = 1024 };

aff_status aff_catalogue_lock(struct aff_connection *connection, int store, struct aff_error *reterr)
{
    char number[NUMBER];
    const char *parameters[] = {number};

    (void)snprintf(number, sizeof number, "%d", store);
    return aff_query(connection,
                     "SELECT FROM affinity.catalogue_state WHERE store = $1::integer FOR NO KEY UPDATE", 1,
                     parameters, NULL, reterr);
}

#define NEW_VERSION                                                                                          \
    "WITH v AS (UPDATE affinity.catalogue_state SET version = version + 1 WHERE store = $1::integer"         \
    " RETURNING store, version)"                                                                             \
    " INSERT INTO affinity.catalogue_change AS c (store, what, key, version)"                                \
    " SELECT v.store, $2::smallint, k.key, v.version FROM v CROSS JOIN "
#define REPLACE " ON CONFLICT (store, what, key) DO UPDATE SET version = excluded.version"

aff_status aff_catalogue_changed(struct aff_connection *connection, int store, enum aff_catalogue_what what,
                                 struct aff_array *keys, struct aff_error *reterr)
{
    char number[NUMBER], kind[NUMBER];
    const char *parameters[] = {number, kind, aff_array_text(keys)};

    if (parameters[2] == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    (void)snprintf(number, sizeof number, "%d", store);
    (void)snprintf(kind, sizeof kind, "%d", (int)what);
    return aff_query(connection, NEW_VERSION "(SELECT DISTINCT unnest($3::bigint[]) AS key) k" REPLACE, 3,
                     parameters, NULL, reterr);
}

/* Names nothing: whoever is behind this version loads all. */
static aff_status forget(struct aff_connection *connection, const char *store, struct aff_error *reterr)
{
    const char *parameters[] = {store};
    aff_status status =
        aff_query(connection, "DELETE FROM affinity.catalogue_change WHERE store = $1::integer", 1,
                  parameters, NULL, reterr);

    if (status == AFF_OK)
        status =
            aff_query(connection,
                      "UPDATE affinity.catalogue_state SET version = version + 1, changes_from = version + 1"
                      " WHERE store = $1::integer",
                      1, parameters, NULL, reterr);
    return status;
}

aff_status aff_catalogue_changed_table(struct aff_connection *connection, int store,
                                       enum aff_catalogue_what what, const char *table,
                                       struct aff_error *reterr)
{
    char number[NUMBER], kind[NUMBER], statement[STATEMENT_SIZE];
    const char *parameters[] = {number, kind};
    int64_t n = 0;

    (void)snprintf(number, sizeof number, "%d", store);
    (void)snprintf(kind, sizeof kind, "%d", (int)what);
    (void)snprintf(statement, sizeof statement, "SELECT count(*) FROM %s", table);
    aff_status status = aff_query_number(connection, statement, 0, NULL, &n, reterr);
    if (status != AFF_OK || n == 0)
        return status;
    if (n > AFF_CHANGES_NAMED)
        return forget(connection, number, reterr);
    (void)snprintf(statement, sizeof statement, NEW_VERSION "(SELECT DISTINCT key FROM %s) k" REPLACE, table);
    return aff_query(connection, statement, 2, parameters, NULL, reterr);
}
