/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/intake/intake.h"

#include "sql/intake/changes.h"
#include "sql/intake/lock.h"
#include "sql/intake/outbox.h"
#include "sql/intake/parts.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

enum { MANY_NEW = 1000 }; /* products or customers, after which a table wants new statistics at once */

/* State of an order of the job against the tables; column `state` of the temporary table import_order. */
enum { NEW = 0, CHANGED = 1, UNCHANGED = 2, COLLIDING = 3 };

/* Creates the products or customers that the job numbered. If somebody else created one under another number
 * in the meantime, the staged lines take over that number. */
static aff_status create_stubs(struct aff_intake *intake, const char *table, char kind, const char *staging,
                               int64_t *ret_new, struct aff_error *reterr)
{
    int64_t wanted = 0;
    aff_status status = aff_intake_numbers(
        intake, &wanted, 1, reterr, "SELECT count(*) FROM %s WHERE kind = '%c'", intake->staging_ids, kind);

    *ret_new = 0;
    if (status != AFF_OK || wanted == 0)
        return status;
    if (kind == 'p')
        status = aff_catalogue_lock(intake->connection, intake->store, reterr);
    if (status == AFF_OK)
        status = aff_intake_run(intake, ret_new, reterr,
                                "INSERT INTO affinity.%s (store, %s, id) SELECT %d, number, id FROM %s"
                                " WHERE kind = '%c' ON CONFLICT (store, id) DO NOTHING",
                                table, table, intake->store, intake->staging_ids, kind);
    if (status == AFF_OK && kind == 'p' && *ret_new > 0)
        status = aff_intake_run(intake, NULL, reterr,
                                "INSERT INTO import_product SELECT number FROM %s JOIN affinity.product p"
                                " ON p.store = %d AND p.product = number WHERE kind = 'p'",
                                intake->staging_ids, intake->store);
    if (status == AFF_OK && *ret_new < wanted)
        status = aff_intake_run(intake, NULL, reterr,
                                "UPDATE %s s SET %s = t.%s FROM %s i, affinity.%s t WHERE i.kind = '%c'"
                                " AND t.store = %d AND t.id = i.id AND t.%s <> i.number AND s.%s = i.number",
                                staging, table, table, intake->staging_ids, table, kind, intake->store, table,
                                table);
    return status;
}

/* One row an order of the job. The digest adds the halves of the line hashes (core/intake/line.h) and joins
 * them modulo 2^64. */
static aff_status group_orders(struct aff_intake *intake, struct aff_error *reterr)
{
    aff_status status = aff_intake_run(intake, NULL, reterr, "ANALYZE %s", intake->staging_orders);

    if (status == AFF_OK)
        status = aff_intake_run(
            intake, NULL, reterr,
            "CREATE TEMPORARY TABLE import_order ON COMMIT DROP AS"
            " SELECT g.order_key, g.id, g.customer, g.several, g.ordered_at, g.cancels, g.lines, g.returns,"
            "   g.digest, CASE WHEN g.id <> coalesce(o.id, g.other_id) THEN %d WHEN o.id IS NULL THEN %d"
            "     WHEN o.digest = g.digest THEN %d ELSE %d END AS state,"
            "   CASE WHEN g.id <> coalesce(o.id, g.other_id) THEN coalesce(o.id, g.other_id) END AS rival"
            " FROM (SELECT order_key, min(id COLLATE \"C\") AS id, max(id COLLATE \"C\") AS other_id,"
            "   min(customer) AS customer, min(customer) <> max(customer) AS several,"
            "   min(ordered_at) AS ordered_at, bool_or(cancels) AS cancels, sum(lines) AS lines,"
            "   sum(returns) AS returns,"
            "   ((sum(hash_high) + (sum(hash_low) >> 32)) << 32) | (sum(hash_low) & 4294967295) AS digest"
            "  FROM %s GROUP BY order_key) g"
            " LEFT JOIN affinity.orders o ON o.store = %d AND o.order_key = g.order_key",
            COLLIDING, NEW, UNCHANGED, CHANGED, intake->staging_orders, intake->store);
    if (status == AFF_OK)
        status = aff_execute(intake->connection, "ANALYZE import_order", reterr);
    return status;
}

static aff_status count_orders(struct aff_intake *intake, struct aff_intake_report *report,
                               struct aff_error *reterr)
{
    int64_t n[7] = {0};
    aff_status status = aff_intake_numbers(
        intake, n, 7, reterr,
        "SELECT count(*) FILTER (WHERE state = %d), count(*) FILTER (WHERE state = %d),"
        " count(*) FILTER (WHERE state = %d), count(*) FILTER (WHERE state = %d),"
        " coalesce(sum(lines) FILTER (WHERE state <= %d), 0), coalesce(sum(returns) FILTER (WHERE state <= "
        "%d), 0),"
        " count(*) FILTER (WHERE state <= %d AND several) FROM import_order",
        NEW, CHANGED, UNCHANGED, COLLIDING, CHANGED, CHANGED, CHANGED);

    report->orders_new = n[0];
    report->orders_changed = n[1];
    report->orders_unchanged = n[2];
    report->orders_colliding = n[3];
    report->lines = n[4];
    report->returns = n[5];
    report->orders_several_customers = n[6];
    return status;
}

static aff_status name_collision(struct aff_intake *intake, struct aff_intake_report *report,
                                 struct aff_error *reterr)
{
    PGresult *result = NULL;
    aff_status status = aff_query(intake->connection,
                                  "SELECT rival, id FROM import_order WHERE state = 3"
                                  " ORDER BY id COLLATE \"C\" LIMIT 1",
                                  0, NULL, &result, reterr);

    if (status == AFF_OK && PQntuples(result) > 0)
        (void)snprintf(report->colliding, sizeof report->colliding, "'%s' has the key of '%s'",
                       PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 0));
    PQclear(result);
    return status;
}

/* Lines of one order that name different customers: the earliest line decides, then the customer's id. */
static aff_status choose_customers(struct aff_intake *intake, struct aff_error *reterr)
{
    return aff_intake_run(
        intake, NULL, reterr,
        "UPDATE import_order i SET customer = f.customer FROM (SELECT DISTINCT ON (s.order_key)"
        "  s.order_key, s.customer FROM %s s JOIN import_order USING (order_key)"
        "  JOIN affinity.customer c ON c.store = %d AND c.customer = s.customer"
        "  WHERE import_order.several"
        "  ORDER BY s.order_key, s.ordered_at, c.id COLLATE \"C\") f"
        " WHERE i.order_key = f.order_key AND i.customer <> f.customer",
        intake->staging_orders, intake->store);
}

/* Queues them with their content before, and replaces them. */
static aff_status replace_changed(struct aff_intake *intake, struct aff_error *reterr)
{
    int64_t locked = 0;
    aff_status status = aff_intake_numbers(intake, &locked, 1, reterr,
                                           "SELECT count(*) FROM (SELECT FROM affinity.orders o"
                                           " JOIN import_order i USING (order_key)"
                                           " WHERE i.state = %d AND o.store = %d ORDER BY o.order_key"
                                           " FOR UPDATE OF o) l",
                                           CHANGED, intake->store);

    if (status == AFF_OK)
        status = aff_intake_run(intake, NULL, reterr,
                                AFF_OUTBOX_OLD("(SELECT order_key FROM import_order WHERE state = 1)", "%d"),
                                intake->store, intake->store);
    if (status == AFF_OK)
        status = aff_intake_run(intake, NULL, reterr,
                                "DELETE FROM affinity.order_line l USING import_order i"
                                " WHERE i.state = %d AND l.store = %d AND l.order_key = i.order_key",
                                CHANGED, intake->store);

    if (status == AFF_OK)
        status =
            aff_intake_run(intake, NULL, reterr,
                           "UPDATE affinity.orders o SET customer = i.customer, ordered_at = i.ordered_at,"
                           " cancels = i.cancels, digest = i.digest FROM import_order i"
                           " WHERE i.state = %d AND o.store = %d AND o.order_key = i.order_key",
                           CHANGED, intake->store);
    return status;
}

/* Rows go in by key, so that the primary keys grow at one place at a time; without indexes there is no need
 * to. New orders are queued without content. */
static aff_status insert_orders(struct aff_intake *intake, struct aff_error *reterr)
{
    aff_status status = aff_intake_run(
        intake, NULL, reterr,
        "INSERT INTO affinity.orders (store, order_key, id, customer, ordered_at, cancels, digest)"
        " SELECT %d, order_key, id, customer, ordered_at, cancels, digest FROM import_order"
        " WHERE state = %d%s",
        intake->store, NEW, intake->alone ? "" : " ORDER BY order_key");

    if (status == AFF_OK)
        status = aff_intake_run(intake, NULL, reterr,
                                "INSERT INTO affinity.order_outbox (store, order_key)"
                                " SELECT %d, order_key FROM import_order WHERE state = %d ORDER BY order_key",
                                intake->store, NEW);
    return status;
}

static aff_status insert_lines(struct aff_intake *intake, struct aff_error *reterr)
{
    return aff_intake_run(
        intake, NULL, reterr,
        "INSERT INTO affinity.order_line (store, order_key, line, product, customer, ordered_at, quantity,"
        " unit_price, unit_cost, discounted)"
        " SELECT %d, s.order_key, s.line, s.product, i.customer, i.ordered_at, s.quantity, s.unit_price,"
        " s.unit_cost, s.discounted FROM %s s JOIN import_order i USING (order_key) WHERE i.state <= %d%s",
        intake->store, intake->staging, CHANGED, intake->alone ? "" : " ORDER BY s.order_key");
}

/* Without statistics, the first import's returns would be looked for in a table that is taken for empty. */
static aff_status store_orders(struct aff_intake *intake, const struct aff_intake_report *report,
                               struct aff_error *reterr)
{
    aff_status status = aff_intake_returns_before(intake, reterr);

    if (status == AFF_OK && report->orders_changed > 0)
        status = replace_changed(intake, reterr);
    if (status == AFF_OK)
        status = insert_orders(intake, reterr);
    if (status == AFF_OK)
        status = insert_lines(intake, reterr);
    if (status == AFF_OK && intake->alone)
        status = aff_execute(intake->connection, "ANALYZE affinity.orders, affinity.order_line", reterr);
    return status;
}

/* Compares the job with the tables, and creates the products and customers that it names. */
static aff_status compare(struct aff_intake *intake, void (*step)(void *context, const char *what),
                          void *context, struct aff_intake_report *report, struct aff_error *reterr)
{
    step(context, "comparing orders");
    aff_status status = aff_intake_lock_orders(intake->connection, intake->store, true, reterr);
    if (status ==
        AFF_OK) /* products that the job creates or prices: the services are told of them at the end */
        status =
            aff_execute(intake->connection,
                        "CREATE TEMPORARY TABLE import_product (key bigint NOT NULL) ON COMMIT DROP", reterr);
    if (status == AFF_OK)
        status = create_stubs(intake, "product", 'p', intake->staging, &report->products_new, reterr);
    if (status == AFF_OK)
        status =
            create_stubs(intake, "customer", 'c', intake->staging_orders, &report->customers_new, reterr);
    if (status == AFF_OK)
        status = group_orders(intake, reterr);
    if (status == AFF_OK)
        status = count_orders(intake, report, reterr);
    if (status == AFF_OK && report->orders_colliding > 0)
        status = name_collision(intake, report, reterr);
    if (status == AFF_OK && report->orders_several_customers > 0)
        status = choose_customers(intake, reterr);
    return status;
}

/* Replaces and creates orders, and what follows from it. */
static aff_status write_orders(struct aff_intake *intake, void (*step)(void *context, const char *what),
                               void *context, struct aff_intake_report *report, struct aff_error *reterr)
{
    step(context, "storing orders");
    aff_status status = aff_intake_bulk_begin(intake, reterr);
    if (status == AFF_OK)
        status = store_orders(intake, report, reterr);
    if (status != AFF_OK)
        return status;
    step(context, "matching returns");
    status = aff_intake_returns_after(intake, report, reterr);
    if (status == AFF_OK)
        status = aff_intake_price_products(intake, &report->products_priced, reterr);
    if (status == AFF_OK && intake->bulk) {
        step(context, "making indexes");
        status = aff_intake_bulk_end(intake, reterr);
    }
    return status;
}

static aff_status apply(struct aff_intake *intake, void (*step)(void *context, const char *what),
                        void *context, struct aff_intake_report *report, struct aff_error *reterr)
{
    aff_status status = compare(intake, step, context, report, reterr);

    if (status == AFF_OK && report->orders_new + report->orders_changed > 0)
        status = write_orders(intake, step, context, report, reterr);
    if (status == AFF_OK && report->products_new > MANY_NEW)
        status = aff_execute(intake->connection, "ANALYZE affinity.product", reterr);
    if (status == AFF_OK && report->customers_new > MANY_NEW)
        status = aff_execute(intake->connection, "ANALYZE affinity.customer", reterr);
    if (status == AFF_OK)
        status = aff_catalogue_changed_table(intake->connection, intake->store, AFF_CHANGED_PRODUCT,
                                             "import_product", reterr);
    return status;
}

static void no_step(void *context, const char *what)
{
    (void)context;
    (void)what;
}

aff_status aff_intake_apply(struct aff_intake *intake, void (*step)(void *context, const char *what),
                            void *context, struct aff_intake_report *ret, struct aff_error *reterr)
{
    struct aff_intake_report report = {0};
    aff_status status = aff_intake_checkpoint(intake, reterr);

    if (status == AFF_OK && intake->seen < intake->resumed)
        status = aff_error_set(
            reterr, AFF_DATA,
            "the input has fewer lines than an earlier run of this job has staged; use --restart");
    if (status == AFF_OK)
        status = aff_execute(intake->connection,
                             "BEGIN; SET LOCAL work_mem = '256MB'; SET LOCAL maintenance_work_mem = '256MB';"
                             " SET LOCAL jit = off;"
                             " SET LOCAL client_min_messages = warning",
                             reterr);
    if (status != AFF_OK)
        return status;
    intake->in_transaction = true;
    if (step == NULL)
        step = no_step;
    status = apply(intake, step, context, &report, reterr);
    if (status == AFF_OK)
        step(context, "committing");
    if (status == AFF_OK)
        status = aff_intake_job_done(intake, &report, reterr);
    if (status == AFF_OK)
        status = aff_execute(intake->connection, "COMMIT", reterr);
    if (status != AFF_OK)
        return status;
    intake->in_transaction = false;
    *ret = report;
    return AFF_OK;
}
