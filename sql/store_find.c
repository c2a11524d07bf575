/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/store_find.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

aff_status aff_store_find(struct aff_connection *connection, const char *name, int *ret_store,
                          char ret_currency[4], struct aff_error *reterr)
{
    const char *parameters[] = {name};
    PGresult *result = NULL;
    aff_status status = aff_query(connection, "SELECT store, currency FROM affinity.store WHERE name = $1", 1,
                                  parameters, &result, reterr);

    if (status != AFF_OK)
        return status;
    if (PQntuples(result) == 0) {
        status = aff_error_set(reterr, AFF_NOTFOUND, "there is no store '%s'", name);
    } else {
        *ret_store = atoi(PQgetvalue(result, 0, 0));
        (void)snprintf(ret_currency, 4, "%s", PQgetvalue(result, 0, 1));
    }
    PQclear(result);
    return status;
}

aff_status aff_store_catalogue_version(struct aff_connection *connection, int store, int64_t *ret_version,
                                       struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number};

    (void)snprintf(number, sizeof number, "%d", store);
    return aff_query_number(connection,
                            "SELECT coalesce((SELECT version FROM affinity.catalogue_state"
                            " WHERE store = $1::integer), 0)",
                            1, parameters, ret_version, reterr);
}
