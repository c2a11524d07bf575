/* SPDX-License-Identifier: Apache-2.0 */
#include "core/intake/returns.h"

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

struct change {
    int64_t order_key;
    int32_t line, returned;
};

struct matching {
    struct aff_return_line *lines; /* of the current customer and product */
    struct change *changes;
    size_t n, capacity, n_changes, changes_capacity;
    int64_t customer;
    int32_t product;
    struct aff_intake_report *report;
};

static aff_status grow(void **array, size_t *capacity, size_t n, size_t size)
{
    if (n < *capacity)
        return AFF_OK;
    size_t wanted = *capacity == 0 ? 256 : *capacity * 2;
    void *grown = realloc(*array, wanted * size);
    if (grown == NULL)
        return AFF_NOMEM;
    *array = grown;
    *capacity = wanted;
    return AFF_OK;
}

/* Matches the group that has been read and notes what differs from the tables. */
static aff_status end_group(struct matching *matching)
{
    struct aff_intake_report *report = matching->report;

    aff_returns_match(matching->lines, matching->n);
    for (size_t i = 0; i < matching->n; i++) {
        const struct aff_return_line *line = &matching->lines[i];
        if (line->quantity < 0) {
            report->returns_matched += line->ours && line->returned == 0;
            report->returns_partly += line->ours && line->returned > 0 && line->returned < -line->quantity;
        } else if (line->returned != line->stored) {
            if (grow((void **)&matching->changes, &matching->changes_capacity, matching->n_changes,
                     sizeof matching->changes[0]) != AFF_OK)
                return AFF_NOMEM;
            matching->changes[matching->n_changes++] =
                (struct change){line->order_key, line->line, line->returned};
        }
    }
    matching->n = 0;
    return AFF_OK;
}

static aff_status take_line(struct matching *matching, struct aff_copy_reader *reader)
{
    int64_t customer = aff_copy_get_int64(reader, 0);
    int32_t product = aff_copy_get_int32(reader, 0);

    if (matching->n > 0 && (customer != matching->customer || product != matching->product) &&
        end_group(matching) != AFF_OK)
        return AFF_NOMEM;
    if (grow((void **)&matching->lines, &matching->capacity, matching->n, sizeof matching->lines[0]) !=
        AFF_OK)
        return AFF_NOMEM;
    matching->customer = customer;
    matching->product = product;
    struct aff_return_line *line = &matching->lines[matching->n++];
    *line = (struct aff_return_line){0};
    line->ordered_at_us = aff_copy_get_time(reader, 0);
    line->order_key = aff_copy_get_int64(reader, 0);
    line->line = aff_copy_get_int32(reader, 0);
    line->quantity = aff_copy_get_int32(reader, 0);
    line->stored = aff_copy_get_int32(reader, 0);
    line->ours = aff_copy_get_bool(reader);
    int64_t rest[3] = {aff_copy_get_int64(reader, 0), aff_copy_get_int64(reader, AFF_COST_UNKNOWN), 0};
    rest[2] = aff_copy_get_bool(reader);
    line->content = (int64_t)aff_text_hash((struct aff_text){(const char *)rest, sizeof rest});
    return AFF_OK;
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
static aff_status read_groups(struct aff_intake *intake, struct matching *matching, struct aff_error *reterr)
{
    char statement[1024], from[256];
    struct aff_copy_reader reader = {0};
    bool more = true;
    aff_status status = way_to_lines(intake, matching->report, from, sizeof from, reterr);

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
    if (status == AFF_OK && end_group(matching) != AFF_OK)
        status = aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    return status;
}

static aff_status write_changes(struct aff_intake *intake, const struct matching *matching,
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
    struct matching matching = {.report = report};
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
        status = read_groups(intake, &matching, reterr);
    if (status == AFF_OK && matching.n_changes > 0)
        status = write_changes(intake, &matching, reterr);
    report->returns_unmatched = report->returns - report->returns_matched - report->returns_partly;
    free(matching.lines);
    free(matching.changes);
    return status;
}
