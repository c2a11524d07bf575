/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/lane.h"

#include <stdio.h>

aff_status aff_session_for_bulk(struct aff_connection *connection, struct aff_error *reterr)
{
    return aff_execute(connection,
                       "SET statement_timeout = 0; SET jit = off; SET maintenance_work_mem = '512MB';"
                       " SET max_parallel_maintenance_workers = 0;"
                       " SET client_connection_check_interval = '5s'",
                       reterr);
}

aff_status aff_lanes_open(const char *url, const char *application, int timeout_s, int n,
                          struct aff_lane *ret_lanes, struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    for (int i = 0; i < n; i++)
        ret_lanes[i] = (struct aff_lane){0};
    for (int i = 0; i < n && status == AFF_OK; i++) {
        status = aff_connection_open(url, application, timeout_s, &ret_lanes[i].connection, reterr);
        if (status == AFF_OK)
            status = aff_session_for_bulk(&ret_lanes[i].connection, reterr);
        if (status == AFF_OK)
            status = aff_execute(&ret_lanes[i].connection, "SET synchronous_commit = off", reterr);
    }
    if (status != AFF_OK)
        aff_lanes_close(ret_lanes, n);
    return status;
}

void aff_lanes_close(struct aff_lane *lanes, int n)
{
    for (int i = 0; lanes != NULL && i < n; i++)
        if (lanes[i].connection.pg != NULL)
            aff_connection_close(&lanes[i].connection);
}

aff_status aff_lanes_begin(struct aff_lane *lanes, int n, const char *table, int store,
                           struct aff_error *reterr)
{
    char name[AFF_PARTITION_NAME], statement[128];

    aff_partition_name(table, store, "_next", name);
    (void)snprintf(statement, sizeof statement, "COPY %s FROM STDIN (FORMAT binary)", name);
    for (int i = 0; i < n; i++) {
        aff_status status = aff_copy_write_begin(&lanes[i].writer, &lanes[i].connection, statement, reterr);
        if (status != AFF_OK)
            return status;
        lanes[i].writing = true;
    }
    return AFF_OK;
}

aff_status aff_lanes_finish(struct aff_lane *lanes, int n, bool abandon, uint64_t *ret_rows,
                            struct aff_error *reterr)
{
    aff_status first = AFF_OK;
    uint64_t rows = 0;

    for (int i = 0; lanes != NULL && i < n; i++) {
        if (!lanes[i].writing)
            continue;
        lanes[i].writing = false;
        rows += lanes[i].writer.rows;
        aff_status status = aff_copy_write_finish(&lanes[i].writer, abandon || first != AFF_OK,
                                                  first == AFF_OK && !abandon ? reterr : NULL);
        if (first == AFF_OK && !abandon)
            first = status;
    }
    if (ret_rows != NULL)
        *ret_rows = rows;
    return first;
}
