/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/viewed/recount.h"

#include "sql/long_statement.h"

#include <inttypes.h>
#include <stdio.h>

/* As in sql/viewed/apply.c. */
#define SPACE "1986618743"

enum { STATEMENT = 2048 };

/* Statements that may run for minutes go without parameters; these are set for the transaction. */
#define STORE "current_setting('affinity.store')::integer"
#define WINDOW "current_setting('affinity.window')::interval"
#define COUNTS "CASE WHEN s.at >= w.from_at THEN affinity.session_counts(s.products) ELSE '{}' END"

static const char *const statements[] = {
    /* Whole tables are compared, of which the planner may believe that they are empty still. */
    "SET LOCAL enable_nestloop = off; SET LOCAL jit = off",

    /* Sessions that were imported and wait for nothing else. */
    "DELETE FROM affinity.session_heard WHERE store = " STORE " AND product IS NULL AND product_id IS NULL",
    "UPDATE affinity.session s SET counted = " COUNTS " FROM (SELECT max(at) - " WINDOW
    " AS from_at FROM affinity.session WHERE store = " STORE ") w"
    " WHERE s.store = " STORE " AND s.counted <> " COUNTS,

    "CREATE TEMPORARY TABLE recounted_stat ON COMMIT DROP AS SELECT p.product, count(*)::integer AS sessions"
    " FROM affinity.session s, unnest(s.counted) AS p(product) WHERE s.store = " STORE " GROUP BY 1;"
    " ANALYZE recounted_stat",
    "CREATE TEMPORARY TABLE recounted_pair ON COMMIT DROP AS SELECT x.product AS a, y.product AS b,"
    " count(*)::integer AS sessions FROM affinity.session s, unnest(s.counted) WITH ORDINALITY AS x(product, "
    "place),"
    " unnest(s.counted[x.place + 1:]) AS y(product) WHERE s.store = " STORE " GROUP BY 1, 2;"
    " ANALYZE recounted_pair",

    /* All rows are renewed, and those whose counts differ are told to who serves them. */
    "INSERT INTO affinity.viewed_due AS d (store, product, counted) SELECT " STORE
    ", product, bool_or(differs)"
    " FROM (SELECT coalesce(r.product, t.product) AS product, r.sessions IS DISTINCT FROM t.sessions AS "
    "differs"
    "  FROM recounted_stat r FULL JOIN (SELECT * FROM affinity.viewed_stat WHERE store = " STORE ") t USING "
    "(product) UNION ALL SELECT product, false FROM affinity.neighbour_viewed WHERE store = " STORE ") p"
    " GROUP BY product ON CONFLICT (store, product) DO UPDATE SET counted = d.counted OR excluded.counted",

    "DELETE FROM affinity.viewed_stat t WHERE t.store = " STORE
    " AND NOT EXISTS (SELECT FROM recounted_stat r"
    " WHERE r.product = t.product AND r.sessions = t.sessions)",
    "INSERT INTO affinity.viewed_stat SELECT " STORE ", r.product, r.sessions FROM recounted_stat r"
    " WHERE NOT EXISTS (SELECT FROM affinity.viewed_stat t WHERE t.store = " STORE
    " AND t.product = r.product)",
    "DELETE FROM affinity.pair_viewed t WHERE t.store = " STORE
    " AND NOT EXISTS (SELECT FROM recounted_pair r"
    " WHERE r.a = t.a AND r.b = t.b AND r.sessions = t.sessions)",
    "INSERT INTO affinity.pair_viewed SELECT " STORE ", r.a, r.b, r.sessions FROM recounted_pair r WHERE NOT "
    "EXISTS"
    " (SELECT FROM affinity.pair_viewed t WHERE t.store = " STORE " AND t.a = r.a AND t.b = r.b)",
    "UPDATE affinity.viewed_state SET changes = changes + 1, counted_at = now(), sessions = (SELECT count(*)"
    " FROM affinity.session WHERE store = " STORE " AND counted <> '{}') WHERE store = " STORE,
};

static aff_status set_parameters(struct aff_connection *connection, int store, int64_t window_us,
                                 struct aff_error *reterr)
{
    char numbers[2][32];
    const char *parameters[] = {numbers[0], numbers[1]};

    (void)snprintf(numbers[0], sizeof numbers[0], "%d", store);
    (void)snprintf(numbers[1], sizeof numbers[1], "%" PRId64 " us", window_us);
    return aff_query(connection,
                     "SELECT set_config('affinity.store', $1, true), set_config('affinity.window', $2, true)",
                     2, parameters, NULL, reterr);
}

static aff_status count_all(struct aff_connection *connection, int store, int64_t window_us,
                            const struct aff_watch *watch, struct aff_viewed_recounted *ret,
                            struct aff_error *reterr)
{
    aff_status status = set_parameters(connection, store, window_us, reterr);

    for (size_t i = 0; status == AFF_OK && i < sizeof statements / sizeof statements[0]; i++)
        status = aff_execute_long(connection, statements[i], watch, reterr);
    if (status == AFF_OK)
        status =
            aff_query_number(connection, "SELECT count(*) FROM recounted_pair", 0, NULL, &ret->pairs, reterr);
    if (status == AFF_OK)
        status =
            aff_query_number(connection, "SELECT sessions FROM affinity.viewed_state WHERE store = " STORE, 0,
                             NULL, &ret->sessions, reterr);
    return status;
}

static aff_status recount(struct aff_connection *connection, int store, int64_t window_us,
                          const struct aff_watch *watch, struct aff_viewed_recounted *ret,
                          struct aff_error *reterr)
{
    aff_status status = aff_execute(connection, "BEGIN", reterr);

    if (status == AFF_OK)
        status = count_all(connection, store, window_us, watch, ret, reterr);
    if (status == AFF_OK)
        return aff_execute(connection, "COMMIT", reterr);
    (void)!aff_execute(connection, "ROLLBACK", NULL); /* what failed before is what counts */
    return status;
}

aff_status aff_viewed_recount(struct aff_connection *connection, int store, int64_t window_us,
                              const struct aff_watch *watch, struct aff_viewed_recounted *ret,
                              struct aff_error *reterr)
{
    struct aff_viewed_recounted counted = {0};
    char lock[STATEMENT];

    (void)snprintf(lock, sizeof lock, "SELECT pg_advisory_lock(" SPACE ", %d)", store);
    aff_status status = aff_execute_long(connection, lock, watch, reterr);
    if (status != AFF_OK)
        return status;
    status = recount(connection, store, window_us, watch, &counted, reterr);
    (void)snprintf(lock, sizeof lock, "SELECT pg_advisory_unlock(" SPACE ", %d)", store);
    (void)!aff_execute(connection, lock, NULL); /* it ends with the session at the latest */
    if (status == AFF_OK)
        *ret = counted;
    return status;
}
