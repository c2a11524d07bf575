/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/stores.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t number(const PGresult *result, int row, int column)
{
    return strtoull(PQgetvalue(result, row, column), NULL, 10); /* a null reads as 0 */
}

aff_status aff_stores_list(struct aff_connection *connection,
                           void (*visit)(void *context, const struct aff_store_seen *seen), void *context,
                           struct aff_error *reterr)
{
    PGresult *result = NULL;
    aff_status status =
        aff_query(connection,
                  "SELECT s.store, s.name, t.published, t.generation, c.version,"
                  " coalesce(extract(epoch FROM clock_timestamp() - q.oldest), 0), q.n, t.leader,"
                  " f.version"
                  " FROM affinity.store s LEFT JOIN affinity.state t USING (store)"
                  " LEFT JOIN affinity.catalogue_state c USING (store)"
                  " LEFT JOIN affinity.fitting f USING (store)"
                  " LEFT JOIN LATERAL (SELECT min(queued_at) AS oldest, count(*) AS n FROM"
                  "  (SELECT queued_at FROM affinity.order_outbox WHERE store = s.store AND NOT folded"
                  "   LIMIT 10000) o) q ON true ORDER BY s.store",
                  0, NULL, &result, reterr);

    if (status != AFF_OK)
        return status;
    for (int i = 0; i < PQntuples(result); i++) {
        struct aff_store_seen seen = {.store = (int)number(result, i, 0),
                                      .published = number(result, i, 2),
                                      .generation = number(result, i, 3),
                                      .catalogue_version = number(result, i, 4),
                                      .lag_s = strtod(PQgetvalue(result, i, 5), NULL),
                                      .queued = number(result, i, 6),
                                      .fitted_version = number(result, i, 8)};
        (void)snprintf(seen.name, sizeof seen.name, "%s", PQgetvalue(result, i, 1));
        (void)snprintf(seen.leader, sizeof seen.leader, "%s", PQgetvalue(result, i, 7));
        visit(context, &seen);
    }
    PQclear(result);
    return AFF_OK;
}
