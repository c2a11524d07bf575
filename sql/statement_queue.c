/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/statement_queue.h"

#include <libpq-fe.h>

aff_status aff_statement_queue_open(struct aff_statement_queue *ret_queue, const char *url,
                                    const char *application, int timeout_s, struct aff_error *reterr)
{
    *ret_queue = (struct aff_statement_queue){0};
    aff_status status = aff_connection_open(url, application, timeout_s, &ret_queue->connection, reterr);
    if (status == AFF_OK)
        status = aff_execute(&ret_queue->connection,
                             "SET statement_timeout = 0; SET synchronous_commit = off;"
                             " SET maintenance_work_mem = '512MB';"
                             " SET client_connection_check_interval = '5s'",
                             reterr);
    return status;
}

aff_status aff_statement_queue_wait(struct aff_statement_queue *queue, struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    if (!queue->running)
        return AFF_OK;
    queue->running = false;
    for (PGresult *result; (result = PQgetResult(queue->connection.pg)) != NULL; PQclear(result))
        if (PQresultStatus(result) != PGRES_COMMAND_OK && status == AFF_OK)
            status = aff_connection_error(&queue->connection, result, reterr);
    return status;
}

aff_status aff_statement_queue_send(struct aff_statement_queue *queue, const char *statement,
                                    struct aff_error *reterr)
{
    aff_status status = aff_statement_queue_wait(queue, reterr);

    if (status != AFF_OK)
        return status;
    if (PQsendQuery(queue->connection.pg, statement) != 1)
        return aff_connection_error(&queue->connection, NULL, reterr);
    queue->running = true;
    return AFF_OK;
}

void aff_statement_queue_close(struct aff_statement_queue *queue)
{
    char reason[256];

    if (queue->connection.pg == NULL)
        return;
    PGcancel *cancel = queue->running ? PQgetCancel(queue->connection.pg) : NULL;
    if (cancel != NULL)
        (void)PQcancel(cancel, reason, sizeof reason);
    PQfreeCancel(cancel);
    aff_status ignored = aff_statement_queue_wait(queue, NULL);
    (void)ignored;
    aff_connection_close(&queue->connection);
}
