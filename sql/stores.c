/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/stores.h"

#include <libpq-fe.h>
#include <stdlib.h>

aff_status aff_stores_list(struct aff_connection *connection,
                           void (*visit)(void *context, const char *name, uint64_t published), void *context,
                           struct aff_error *reterr)
{
    PGresult *result = NULL;
    aff_status status = aff_query(connection,
                                  "SELECT name, coalesce(published, 0) FROM affinity.store"
                                  " LEFT JOIN affinity.state USING (store) ORDER BY store",
                                  0, NULL, &result, reterr);

    if (status != AFF_OK)
        return status;
    for (int i = 0; i < PQntuples(result); i++)
        visit(context, PQgetvalue(result, i, 0), strtoull(PQgetvalue(result, i, 1), NULL, 10));
    PQclear(result);
    return AFF_OK;
}
