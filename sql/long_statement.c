/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/long_statement.h"

#include <libpq-fe.h>
#include <poll.h>

enum { ASK_EVERY_MS = 200 };

static void cancel(struct aff_connection *connection)
{
    char reason[256];
    PGcancel *cancel = PQgetCancel(connection->pg);

    if (cancel != NULL)
        (void)PQcancel(cancel, reason, sizeof reason);
    PQfreeCancel(cancel);
}

aff_status aff_execute_long(struct aff_connection *connection, const char *script,
                            const struct aff_watch *watch, struct aff_error *reterr)
{
    bool cancelled = false;
    aff_status status = AFF_OK;

    if (PQsendQuery(connection->pg, script) != 1)
        return aff_connection_error(connection, NULL, reterr);
    while (PQisBusy(connection->pg)) {
        struct pollfd readable = {.fd = PQsocket(connection->pg), .events = POLLIN};
        if (poll(&readable, 1, ASK_EVERY_MS) > 0 && PQconsumeInput(connection->pg) != 1)
            break; /* the connection is lost; the result below says how */
        if (!cancelled && watch != NULL && watch->call != NULL && !watch->call(watch->context, 0, 0)) {
            cancelled = true;
            cancel(connection);
        }
    }
    for (PGresult *result; (result = PQgetResult(connection->pg)) != NULL; PQclear(result))
        if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK &&
            status == AFF_OK)
            status = aff_connection_error(connection, result, reterr);
    if (status != AFF_OK && cancelled)
        return aff_error_set(reterr, AFF_CANCELLED, "%s", aff_status_text(AFF_CANCELLED));
    return status;
}
