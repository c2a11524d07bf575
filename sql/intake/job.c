/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/intake/parts.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { STATEMENT_SIZE = 4096 };

static AFF_PRINTF(4, 0) aff_status run(struct aff_intake *intake, PGresult **ret_result,
                                       struct aff_error *reterr, const char *format, va_list arguments)
{
    char statement[STATEMENT_SIZE];
    int size = vsnprintf(statement, sizeof statement, format, arguments);

    if (size < 0 || size >= STATEMENT_SIZE)
        return aff_error_set(reterr, AFF_LIMIT, "a statement is too long");
    return aff_query(intake->connection, statement, 0, NULL, ret_result, reterr);
}

aff_status aff_intake_run(struct aff_intake *intake, int64_t *ret_rows, struct aff_error *reterr,
                          const char *format, ...)
{
    PGresult *result = NULL;
    va_list arguments;

    va_start(arguments, format);
    aff_status status = run(intake, &result, reterr, format, arguments);
    va_end(arguments);
    if (status == AFF_OK && ret_rows != NULL)
        *ret_rows = strtoll(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return status;
}

aff_status aff_intake_numbers(struct aff_intake *intake, int64_t *ret_numbers, int n,
                              struct aff_error *reterr, const char *format, ...)
{
    PGresult *result = NULL;
    va_list arguments;

    va_start(arguments, format);
    aff_status status = run(intake, &result, reterr, format, arguments);
    va_end(arguments);
    if (status == AFF_OK && (PQntuples(result) == 0 || PQnfields(result) < n))
        status = aff_error_set(reterr, AFF_NOTFOUND, "no such row");
    for (int i = 0; status == AFF_OK && i < n; i++)
        ret_numbers[i] = strtoll(PQgetvalue(result, 0, i), NULL, 10);
    PQclear(result);
    return status;
}

/* Drops the staging tables and forgets the jobs of the store that fit `condition`. A done job has no staging
 * table any more; dropping it again does no harm. */
static aff_status drop_jobs(struct aff_intake *intake, const char *condition, struct aff_error *reterr)
{
    return aff_intake_run(
        intake, NULL, reterr,
        "DO $$ DECLARE old record; BEGIN"
        "  FOR old IN SELECT job, staging FROM affinity.import_job WHERE store = %d AND %s LOOP"
        "    EXECUTE format('DROP TABLE IF EXISTS affinity.%%I, affinity.%%I, affinity.%%I',"
        "                   old.staging, old.staging || '_orders', old.staging || '_ids');"
        "    DELETE FROM affinity.import_job WHERE store = %d AND job = old.job;"
        "  END LOOP; END $$",
        intake->store, condition, intake->store);
}

/* Finds what an earlier run has staged. *ret_usable false: there is nothing, or not what its job says. */
static aff_status find_staged(struct aff_intake *intake, bool *ret_usable, struct aff_error *reterr)
{
    int64_t found[4] = {0};
    int64_t rows[2] = {-1, -1};
    aff_status status =
        aff_intake_numbers(intake, found, 4, reterr,
                           "SELECT count(*), coalesce(max(staged), 0), coalesce(max((extract(epoch FROM "
                           "started_at) * 1000000)::bigint), 0),"
                           "       count(to_regclass('%s')) FROM affinity.import_job"
                           " WHERE store = %d AND job = '%s' AND what = 'orders' AND state = 'staging'",
                           intake->staging, intake->store, intake->job);

    *ret_usable = false;
    if (status != AFF_OK || found[0] == 0 || found[3] == 0)
        return status;
    status = aff_intake_numbers(intake, rows, 2, reterr,
                                "SELECT (SELECT count(*) FROM %s), (SELECT coalesce(sum(lines), 0) FROM %s)",
                                intake->staging, intake->staging_orders);
    if (status != AFF_OK || rows[0] != found[1] || rows[1] != found[1])
        return status; /* A crash of the server has emptied the unlogged table. */
    intake->resumed = intake->staged = rows[0];
    intake->started_us = found[2];
    *ret_usable = true;
    return AFF_OK;
}

static aff_status create_staging(struct aff_intake *intake, struct aff_error *reterr)
{
    aff_status status = aff_intake_run(
        intake, NULL, reterr,
        "CREATE UNLOGGED TABLE %s (order_key bigint NOT NULL, unit_price bigint NOT NULL, unit_cost bigint,"
        " line integer NOT NULL, product integer NOT NULL, quantity integer NOT NULL, discounted boolean NOT "
        "NULL)",
        intake->staging);

    if (status == AFF_OK)
        status =
            aff_intake_run(intake, NULL, reterr,
                           "CREATE UNLOGGED TABLE %s (order_key bigint NOT NULL, customer bigint,"
                           " ordered_at timestamptz NOT NULL, hash_high integer NOT NULL,"
                           " hash_low integer NOT NULL, lines integer NOT NULL, returns integer NOT NULL,"
                           " cancels boolean NOT NULL, id text NOT NULL)",
                           intake->staging_orders);
    if (status == AFF_OK)
        status = aff_intake_run(intake, NULL, reterr,
                                "CREATE UNLOGGED TABLE %s (kind \"char\" NOT NULL, number bigint NOT NULL,"
                                " id text NOT NULL)",
                                intake->staging_ids);
    if (status == AFF_OK)
        status = aff_intake_numbers(intake, &intake->started_us, 1, reterr,
                                    "INSERT INTO affinity.import_job (store, job, what, state, staging)"
                                    " VALUES (%d, '%s', 'orders', 'staging', '%s')"
                                    " RETURNING (extract(epoch FROM started_at) * 1000000)::bigint",
                                    intake->store, intake->job, intake->staging + sizeof "affinity." - 1);
    return status;
}

aff_status aff_intake_job_open(struct aff_intake *intake, const struct aff_intake_options *options,
                               struct aff_error *reterr)
{
    char too_old[128], same[64];
    bool usable = false;

    (void)snprintf(too_old, sizeof too_old, "state = 'staging' AND updated_at < now() - interval '%d days'",
                   AFF_INTAKE_KEEP_DAYS);
    (void)snprintf(same, sizeof same, "job = '%s'", intake->job);
    aff_status status = drop_jobs(intake, too_old, reterr);
    if (status == AFF_OK && options->resumable && !options->restart)
        status = find_staged(intake, &usable, reterr);
    if (status != AFF_OK || usable)
        return status;
    status = aff_execute(intake->connection, "BEGIN", reterr);
    if (status == AFF_OK)
        status = drop_jobs(intake, same, reterr);
    if (status == AFF_OK)
        status = create_staging(intake, reterr);
    if (status == AFF_OK)
        status = aff_execute(intake->connection, "COMMIT", reterr);
    else
        (void)!aff_execute(intake->connection, "ROLLBACK", NULL);
    return status;
}

aff_status aff_intake_job_progress(struct aff_intake *intake, struct aff_error *reterr)
{
    return aff_intake_run(intake, NULL, reterr,
                          "UPDATE affinity.import_job SET staged = %" PRId64 ", records = %" PRId64
                          ", updated_at = now() WHERE store = %d AND job = '%s'",
                          intake->seen, intake->seen, intake->store, intake->job);
}

aff_status aff_intake_job_done(struct aff_intake *intake, const struct aff_intake_report *report,
                               struct aff_error *reterr)
{
    aff_status status = aff_intake_run(intake, NULL, reterr, "DROP TABLE %s, %s, %s", intake->staging,
                                       intake->staging_orders, intake->staging_ids);

    if (status == AFF_OK)
        status = aff_intake_run(
            intake, NULL, reterr,
            "UPDATE affinity.import_job SET state = 'done', updated_at = clock_timestamp(), report ="
            " jsonb_build_object('orders_new', %" PRId64 ", 'orders_changed', %" PRId64
            ", 'orders_unchanged', %" PRId64 ", 'orders_colliding', %" PRId64 ", 'lines', %" PRId64
            ", 'products_new', %" PRId64 ", 'customers_new', %" PRId64 ", 'returns', %" PRId64
            ", 'returns_matched', %" PRId64 ", 'returns_partly', %" PRId64 ", 'returns_unmatched', %" PRId64
            ") WHERE store = %d AND job = '%s'",
            report->orders_new, report->orders_changed, report->orders_unchanged, report->orders_colliding,
            report->lines, report->products_new, report->customers_new, report->returns,
            report->returns_matched, report->returns_partly, report->returns_unmatched, intake->store,
            intake->job);
    return status;
}
