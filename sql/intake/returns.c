/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/intake/matching.h"
#include "sql/intake/outbox.h"
#include "sql/intake/parts.h"

#include <stdio.h>
#include <stdlib.h>

/* An import is small when it writes less than this part of the stored orders. */
enum { SMALL_SHARE = 20 };

aff_status aff_intake_returns_before(struct aff_intake *intake, struct aff_error *reterr)
{
    if (intake->alone)
        return aff_execute(intake->connection,
                           "CREATE TEMPORARY TABLE import_group (customer bigint, product integer)"
                           " ON COMMIT DROP",
                           reterr);
    /* Customers whose orders change, before and after, and the groups that lose a return line. */
    aff_status status =
        aff_intake_run(intake, NULL, reterr,
                       "CREATE TEMPORARY TABLE import_customer ON COMMIT DROP AS"
                       " SELECT customer FROM import_order WHERE state <= 1 AND customer IS NOT NULL"
                       " UNION SELECT o.customer FROM affinity.orders o JOIN import_order i USING (order_key)"
                       "  WHERE o.store = %d AND i.state = 1 AND o.customer IS NOT NULL",
                       intake->store);

    if (status == AFF_OK)
        status = aff_intake_run(intake, NULL, reterr,
                                "CREATE TEMPORARY TABLE import_group ON COMMIT DROP AS"
                                " SELECT DISTINCT l.customer, l.product FROM affinity.order_line l"
                                "  JOIN import_order i USING (order_key) WHERE l.store = %d AND i.state = 1"
                                "  AND l.quantity < 0 AND l.customer IS NOT NULL",
                                intake->store);
    return status;
}

static aff_status take_line(struct aff_matching *matching, struct aff_copy_reader *reader)
{
    struct aff_return_line line = {0};
    int64_t customer = aff_copy_get_int64(reader, 0);
    int32_t product = aff_copy_get_int32(reader, 0);

    line.ordered_at_us = aff_copy_get_time(reader, 0);
    line.order_key = aff_copy_get_int64(reader, 0);
    line.line = aff_copy_get_int32(reader, 0);
    line.quantity = aff_copy_get_int32(reader, 0);
    line.stored = aff_copy_get_int32(reader, 0);
    line.ours = aff_copy_get_bool(reader);
    int64_t price = aff_copy_get_int64(reader, 0), cost = aff_copy_get_int64(reader, AFF_COST_UNKNOWN);
    line.content = aff_matching_content(price, cost, aff_copy_get_bool(reader));
    return aff_matching_add(matching, customer, product, &line);
}

/* There is no index of the lines by customer, which every import would pay for: a small import goes to the
 * lines by the customers' orders, a large one reads all lines. */
static aff_status way_to_lines(struct aff_intake *intake, const struct aff_intake_report *report, char *into,
                               size_t size, struct aff_error *reterr)
{
    int64_t stored = 0;
    aff_status status =
        aff_intake_numbers(intake, &stored, 1, reterr,
                           "SELECT reltuples::bigint FROM pg_class WHERE oid = 'affinity.orders'::regclass");

    if ((report->orders_new + report->orders_changed) * SMALL_SHARE < stored)
        (void)snprintf(into, size,
                       "JOIN affinity.orders o ON o.store = %d AND o.customer = g.customer"
                       " JOIN affinity.order_line l ON l.store = %d AND l.order_key = o.order_key"
                       " AND l.product = g.product",
                       intake->store, intake->store);
    else
        (void)snprintf(into, size,
                       "JOIN affinity.order_line l ON l.store = %d AND l.customer = g.customer"
                       " AND l.product = g.product",
                       intake->store);
    return status;
}

/* Reads the groups concerned, each with its lines together. */
static aff_status read_groups(struct aff_intake *intake, const struct aff_intake_report *report,
                              struct aff_matching *matching, struct aff_error *reterr)
{
    char statement[1024], from[256];
    struct aff_copy_reader reader = {0};
    bool more = true;
    aff_status status = way_to_lines(intake, report, from, sizeof from, reterr);

    if (status != AFF_OK)
        return status;
    (void)snprintf(
        statement, sizeof statement,
        "COPY (SELECT l.customer, l.product, l.ordered_at, l.order_key, l.line, l.quantity, l.returned,"
        "  l.quantity < 0%s,"
        "  l.unit_price, l.unit_cost, l.discounted"
        " FROM (SELECT DISTINCT customer, product FROM import_group) g %s"
        " ORDER BY l.customer, l.product) TO STDOUT (FORMAT binary)",
        intake->alone ? "" : " AND l.order_key IN (SELECT order_key FROM import_order WHERE state <= 1)",
        from);
    status = aff_copy_read_begin(&reader, intake->connection, statement, reterr);
    while (status == AFF_OK) {
        status = aff_copy_read(&reader, &more, reterr);
        if (status != AFF_OK || !more)
            break;
        if (take_line(matching, &reader) != AFF_OK)
            status = aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    }
    aff_copy_read_close(&reader);
    if (status == AFF_OK && aff_matching_end(matching) != AFF_OK)
        status = aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    return status;
}

/* Orders beside those of the job, which are queued already. */
static aff_status queue_returned(struct aff_intake *intake, struct aff_error *reterr)
{
    return aff_intake_run(intake, NULL, reterr,
                          AFF_OUTBOX_OLD("(SELECT DISTINCT order_key FROM import_returned EXCEPT"
                                         " SELECT order_key FROM import_order WHERE state <= 1)",
                                         "%d"),
                          intake->store, intake->store);
}

static aff_status write_changes(struct aff_intake *intake, const struct aff_matching *matching,
                                struct aff_error *reterr)
{
    struct aff_copy_writer copy;
    aff_status status = aff_execute(intake->connection,
                                    "CREATE TEMPORARY TABLE import_returned (order_key bigint NOT NULL,"
                                    " line integer NOT NULL, returned integer NOT NULL) ON COMMIT DROP",
                                    reterr);

    if (status == AFF_OK)
        status = aff_copy_write_begin(&copy, intake->connection,
                                      "COPY import_returned FROM STDIN (FORMAT binary)", reterr);
    if (status != AFF_OK)
        return status;
    for (size_t i = 0; i < matching->n_changes; i++) {
        aff_copy_row(&copy, 3);
        aff_copy_put_int64(&copy, matching->changes[i].order_key);
        aff_copy_put_int32(&copy, matching->changes[i].line);
        aff_copy_put_int32(&copy, matching->changes[i].returned);
    }
    status = aff_copy_write_finish(&copy, false, reterr);
    if (status == AFF_OK)
        status = aff_execute(intake->connection, "ANALYZE import_returned", reterr);
    if (status == AFF_OK && !intake->alone)
        status = queue_returned(intake, reterr);
    if (status == AFF_OK)
        status =
            aff_intake_run(intake, NULL, reterr,
                           "UPDATE affinity.order_line l SET returned = r.returned FROM import_returned r"
                           " WHERE l.store = %d AND l.order_key = r.order_key AND l.line = r.line",
                           intake->store);
    return status;
}

aff_status aff_intake_returns_after(struct aff_intake *intake, struct aff_intake_report *report,
                                    struct aff_error *reterr)
{
    struct aff_matching matching = {0};
    int64_t groups = 0;
    aff_status status = aff_intake_run(
        intake, NULL, reterr,
        "INSERT INTO import_group SELECT DISTINCT customer, product"
        " FROM affinity.order_line WHERE store = %d AND quantity < 0"
        "  AND customer IS NOT NULL%s",
        intake->store, intake->alone ? "" : " AND customer IN (SELECT customer FROM import_customer)");

    if (status == AFF_OK)
        status = aff_intake_numbers(intake, &groups, 1, reterr, "SELECT count(*) FROM import_group");
    if (status == AFF_OK && groups > 0)
        status = aff_execute(intake->connection, "ANALYZE import_group", reterr);
    if (status == AFF_OK && groups > 0)
        status = read_groups(intake, report, &matching, reterr);
    if (status == AFF_OK && matching.n_changes > 0)
        status = write_changes(intake, &matching, reterr);
    report->returns_matched = matching.matched;
    report->returns_partly = matching.partly;
    report->returns_unmatched = report->returns - matching.matched - matching.partly;
    aff_matching_done(&matching);
    return status;
}
