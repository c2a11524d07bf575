/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/events/read_events.h"

#include "core/base/clock.h"
#include "sql/copy.h"

#include <inttypes.h>
#include <stdio.h>

/* How long a transaction that stores events may have been under way before it is committed, so that it is
 * still read. One that took longer is known to other instances after their restart only. */
#define OVERLAP_US (3 * AFF_SECOND_US)

#define COLUMNS                                                                                              \
    "e.kind, e.session IS NOT NULL, e.session, e.product, e.at, coalesce(e.data ->> 'action' = 'remove', "   \
    "false),"                                                                                                \
    " CASE WHEN e.kind BETWEEN 6 AND 9 THEN coalesce(e.customer_id, (SELECT c.id FROM affinity.customer c"   \
    " WHERE c.store = e.store AND c.customer = e.customer)) END, s.name"
#define SESSION_KINDS                                                                                        \
    "e.kind IN (1, 3, 5) AND e.session IS NOT NULL AND (e.product IS NOT NULL OR e.kind = 5)"
#define IMPRESSIONS                                                                                          \
    "e.kind BETWEEN 6 AND 8 AND e.product IS NOT NULL AND (e.session IS NOT NULL OR e.customer IS NOT NULL " \
    "OR"                                                                                                     \
    " e.customer_id IS NOT NULL)"
#define REJECTIONS "e.kind = 9 AND e.product IS NOT NULL"
_Static_assert(AFF_EVENT_KIND_VIEW == 1 && AFF_EVENT_KIND_CART == 3 && AFF_EVENT_KIND_PURCHASE == 5 &&
                   AFF_EVENT_KIND_IMPRESSION == 6 && AFF_EVENT_KIND_CLICK == 7 &&
                   AFF_EVENT_KIND_ACCEPTANCE == 8 && AFF_EVENT_KIND_REJECTION == 9,
               "the statements name these kinds");

static aff_status read(struct aff_connection *connection, const char *statement, aff_event_visit visit,
                       void *context, struct aff_error *reterr)
{
    struct aff_copy_reader reader = {0};
    bool more = true;
    aff_status status = aff_copy_read_begin(&reader, connection, statement, reterr);

    while (status == AFF_OK) {
        struct aff_event event = {0};
        status = aff_copy_read(&reader, &more, reterr);
        if (status != AFF_OK || !more)
            break;
        event.kind = (enum aff_event_kind)aff_copy_get_int16(&reader, 0);
        event.has_session = aff_copy_get_bool(&reader);
        event.session = (uint64_t)aff_copy_get_int64(&reader, 0);
        event.product_key = aff_copy_get_int32(&reader, 0);
        event.at_us = aff_copy_get_time(&reader, 0);
        event.removes = aff_copy_get_bool(&reader);
        event.customer = aff_copy_get_text(&reader);
        visit(context, aff_copy_get_text(&reader), &event);
    }
    aff_copy_read_close(&reader);
    return status;
}

static aff_status read_clock(struct aff_connection *connection, int64_t *ret_now_us, struct aff_error *reterr)
{
    return aff_query_number(connection, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", 0,
                            NULL, ret_now_us, reterr);
}

/* The newest events of the last hours that meet a condition. */
static aff_status read_newest(struct aff_connection *connection, const char *condition, int hours,
                              aff_event_visit visit, void *context, struct aff_error *reterr)
{
    char statement[1024];

    (void)snprintf(
        statement, sizeof statement,
        "COPY (SELECT " COLUMNS " FROM (SELECT * FROM affinity.event e WHERE %s"
        " AND received_at > now() - make_interval(hours => %d) ORDER BY received_at DESC LIMIT %d) e"
        " JOIN affinity.store s USING (store) ORDER BY e.at) TO STDOUT (FORMAT binary)",
        condition, hours, AFF_EVENTS_READ_MAX);
    return read(connection, statement, visit, context, reterr);
}

aff_status aff_events_read_all(struct aff_connection *connection, int session_hours, int impression_hours,
                               int rejection_days, aff_event_visit visit, void *context, int64_t *ret_now_us,
                               struct aff_error *reterr)
{
    char statement[1024];
    int64_t now_us;
    aff_status status = read_clock(connection, &now_us, reterr);

    if (status == AFF_OK)
        status = read_newest(connection, IMPRESSIONS, impression_hours, visit, context, reterr);
    /* After what was shown: what is viewed counts as clicked. */
    if (status == AFF_OK)
        status = read_newest(connection, SESSION_KINDS, session_hours, visit, context, reterr);
    if (status != AFF_OK)
        return status;
    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT " COLUMNS " FROM affinity.event e JOIN affinity.store s USING (store) WHERE"
                   " " REJECTIONS " AND at > now() - make_interval(days => %d)) TO STDOUT (FORMAT binary)",
                   rejection_days);
    status = read(connection, statement, visit, context, reterr);
    if (status == AFF_OK)
        *ret_now_us = now_us;
    return status;
}

aff_status aff_events_read_new(struct aff_connection *connection, int writer, aff_event_visit visit,
                               void *context, int64_t *now_us, struct aff_error *reterr)
{
    char statement[2048];
    int64_t then_us;
    aff_status status = read_clock(connection, &then_us, reterr);

    if (status != AFF_OK)
        return status;
    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT " COLUMNS " FROM affinity.event e JOIN affinity.store s USING (store) WHERE"
                   " received_at > to_timestamp(%" PRId64 " / 1e6) AND writer <> %d AND (" SESSION_KINDS
                   " OR " REJECTIONS " OR " IMPRESSIONS ") ORDER BY e.at) TO STDOUT (FORMAT binary)",
                   *now_us - OVERLAP_US, writer);
    status = read(connection, statement, visit, context, reterr);
    if (status == AFF_OK)
        *now_us = then_us;
    return status;
}
