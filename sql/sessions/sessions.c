/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/sessions/sessions.h"

#include <stdio.h>

aff_status aff_session_intake_open(struct aff_session_intake *intake, struct aff_connection *connection,
                                   int store, struct aff_error *reterr)
{
    *intake = (struct aff_session_intake){.connection = connection, .store = store};
    aff_status status =
        aff_execute(connection,
                    "BEGIN; CREATE TEMPORARY TABLE session_view (session_key bigint, n bigint, id text,"
                    " at timestamptz) ON COMMIT DROP",
                    reterr);
    intake->open = true;
    if (status == AFF_OK)
        status = aff_copy_write_begin(&intake->copy, connection,
                                      "COPY session_view (session_key, n, id, at) FROM STDIN (FORMAT binary)",
                                      reterr);
    intake->copying = status == AFF_OK;
    return status;
}

void aff_session_intake_put(struct aff_session_intake *intake, struct aff_text session,
                            struct aff_text product, int64_t at_us)
{
    aff_copy_row(&intake->copy, 4);
    aff_copy_put_int64(&intake->copy, (int64_t)aff_text_hash(session));
    aff_copy_put_int64(&intake->copy, intake->views++);
    aff_copy_put_bytes(&intake->copy, product.at, product.size);
    aff_copy_put_time(&intake->copy, at_us);
}

/* New products get a version of the catalogue, so that services that run learn of them. */
static aff_status add_products(struct aff_session_intake *intake, int64_t *ret_new, struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number};

    (void)snprintf(number, sizeof number, "%d", intake->store);
    return aff_query_number(
        intake->connection,
        "WITH fresh AS (INSERT INTO affinity.product (store, id)"
        "  SELECT DISTINCT $1::integer, v.id FROM session_view v"
        "  WHERE NOT EXISTS (SELECT FROM affinity.product p WHERE p.store = $1::integer AND p.id = v.id)"
        "  ON CONFLICT (store, id) DO NOTHING RETURNING product),"
        " state AS (INSERT INTO affinity.catalogue_state AS s (store, version)"
        "  SELECT $1::integer, 1 WHERE EXISTS (SELECT FROM fresh)"
        "  ON CONFLICT (store) DO UPDATE SET version = s.version + 1 RETURNING version),"
        " change AS (INSERT INTO affinity.catalogue_change (store, what, key, version)"
        "  SELECT $1::integer, 1, fresh.product, state.version FROM fresh, state)"
        " SELECT count(*) FROM fresh",
        1, parameters, ret_new, reterr);
}

/* Keeps who counts sessions out until the commit; shared by imports (sql/viewed/apply.c). */
static aff_status lock_out_counts(struct aff_session_intake *intake, struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number};

    (void)snprintf(number, sizeof number, "%d", intake->store);
    return aff_query(intake->connection, "SELECT pg_advisory_xact_lock_shared(1986618743, $1::integer)", 1,
                     parameters, NULL, reterr);
}

/* They are to be counted. */
static aff_status note_sessions(struct aff_session_intake *intake, struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number};

    (void)snprintf(number, sizeof number, "%d", intake->store);
    return aff_query(intake->connection,
                     "INSERT INTO affinity.session_heard (store, session_key, at, received_at)"
                     " SELECT $1::integer, v.session_key, max(v.at), '-infinity' FROM session_view v"
                     " GROUP BY v.session_key",
                     1, parameters, NULL, reterr);
}

static aff_status write_sessions(struct aff_session_intake *intake, int64_t *ret_sessions,
                                 struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number};

    (void)snprintf(number, sizeof number, "%d", intake->store);
    return aff_query_number(
        intake->connection,
        "WITH written AS (INSERT INTO affinity.session (store, session_key, at, products)"
        "  SELECT $1::integer, v.session_key, max(v.at), array_agg(p.product ORDER BY v.at, v.n)"
        "  FROM session_view v JOIN affinity.product p ON p.store = $1::integer AND p.id = v.id"
        "  GROUP BY v.session_key"
        "  ON CONFLICT (store, session_key) DO UPDATE SET at = EXCLUDED.at, products = EXCLUDED.products,"
        "   times = '{}'"
        "  RETURNING 1)"
        " SELECT count(*) FROM written",
        1, parameters, ret_sessions, reterr);
}

aff_status aff_session_intake_apply(struct aff_session_intake *intake, struct aff_session_report *ret,
                                    struct aff_error *reterr)
{
    struct aff_session_report report = {0};

    intake->copying = false;
    aff_status status = aff_copy_write_finish(&intake->copy, false, reterr);
    if (status == AFF_OK)
        status = aff_execute(intake->connection, "ANALYZE session_view", reterr);
    if (status == AFF_OK)
        status = add_products(intake, &report.products_new, reterr);
    if (status == AFF_OK)
        status = lock_out_counts(intake, reterr);
    if (status == AFF_OK)
        status = write_sessions(intake, &report.sessions, reterr);
    if (status == AFF_OK)
        status = note_sessions(intake, reterr);
    if (status == AFF_OK)
        status = aff_execute(intake->connection, "COMMIT", reterr);
    if (status != AFF_OK)
        return status;
    intake->open = false;
    *ret = report;
    return AFF_OK;
}

void aff_session_intake_close(struct aff_session_intake *intake)
{
    struct aff_error ignored;

    if (intake->copying)
        (void)!aff_copy_write_finish(&intake->copy, true, &ignored);
    if (intake->open)
        (void)!aff_execute(intake->connection, "ROLLBACK", &ignored);
    *intake = (struct aff_session_intake){0};
}
