/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/events/spool_mark.h"

#include <inttypes.h>
#include <stdio.h>

#define UUID_TEXT (2 * AFF_SPOOL_ID_BYTES + 1)

static void write_uuid(const unsigned char id[AFF_SPOOL_ID_BYTES], char ret_text[UUID_TEXT])
{
    for (int i = 0; i < AFF_SPOOL_ID_BYTES; i++)
        (void)snprintf(ret_text + 2 * (size_t)i, 3, "%02x", id[i]);
}

aff_status aff_spool_mark_read(struct aff_connection *connection, const unsigned char id[AFF_SPOOL_ID_BYTES],
                               uint64_t *ret_shipped, struct aff_error *reterr)
{
    char uuid[UUID_TEXT];
    const char *parameters[] = {uuid};
    int64_t shipped = 0;

    write_uuid(id, uuid);
    aff_status status = aff_query_number(
        connection, "SELECT coalesce((SELECT shipped FROM affinity.event_spool WHERE spool = $1), 0)", 1,
        parameters, &shipped, reterr);
    if (status == AFF_OK)
        *ret_shipped = (uint64_t)shipped;
    return status;
}

aff_status aff_spool_mark_write(struct aff_connection *connection, const unsigned char id[AFF_SPOOL_ID_BYTES],
                                uint64_t shipped, struct aff_error *reterr)
{
    char uuid[UUID_TEXT], number[24];
    const char *parameters[] = {uuid, number};

    write_uuid(id, uuid);
    (void)snprintf(number, sizeof number, "%" PRIu64, shipped);
    return aff_query(connection,
                     "INSERT INTO affinity.event_spool (spool, shipped) VALUES ($1, $2) ON CONFLICT (spool)"
                     " DO UPDATE SET shipped = EXCLUDED.shipped, shipped_at = EXCLUDED.shipped_at",
                     2, parameters, NULL, reterr);
}

aff_status aff_events_purge(struct aff_connection *connection, int64_t keep_days, int64_t *ret_n,
                            struct aff_error *reterr)
{
    char days[24];
    const char *parameters[] = {days};

    (void)snprintf(days, sizeof days, "%" PRId64, keep_days);
    return aff_query_number(
        connection,
        "WITH gone AS (DELETE FROM affinity.event WHERE (store, event_key) IN (SELECT store,"
        " event_key FROM affinity.event WHERE received_at < now() - make_interval(days =>"
        " $1::integer) LIMIT 5000 FOR UPDATE SKIP LOCKED) RETURNING 1),"
        /* Views that nobody counts, because no service learns. */
        " heard AS (DELETE FROM affinity.session_heard WHERE ctid = ANY(ARRAY(SELECT h.id"
        " FROM affinity.store s CROSS JOIN LATERAL (SELECT ctid AS id FROM affinity.session_heard"
        " WHERE store = s.store AND received_at > '-infinity' AND received_at < now()"
        " - make_interval(days => $1::integer) LIMIT 5000) h)))"
        " SELECT count(*) FROM gone",
        1, parameters, ret_n, reterr);
}
