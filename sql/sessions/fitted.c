/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/sessions/fitted.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEIGHT_MAX 1000.0
#define SPACE "1953853029" /* first key of the lock, "tune" in ASCII; the second is the store */

enum { NUMBER_BYTES = 24, WEIGHTS_BYTES = 1024 };

static int find_situation(const char *name)
{
    int s = 0;

    while (s < AFF_SITUATION_MAX && strcmp(name, aff_situation_name((enum aff_situation)s)) != 0)
        s++;
    return s;
}

static bool set_weight(struct aff_weights *weights, const char *source, const char *value)
{
    char *end;
    const double weight = strtod(value, &end);

    for (int w = 0; w < AFF_FITTED_MAX; w++) {
        if (strcmp(source, aff_weight_name(w)) != 0)
            continue;
        *aff_weights_at(weights, w) = weight;
        return *end == '\0' && end != value && weight >= 0 && weight <= WEIGHT_MAX;
    }
    return false;
}

aff_status aff_fitted_read(struct aff_connection *connection, int store, struct aff_fitted *ret,
                           uint64_t *ret_version, struct aff_error *reterr)
{
    char number[NUMBER_BYTES];
    const char *parameters[] = {number};
    PGresult *result = NULL;
    struct aff_fitted fitted = {0};
    bool unusable[AFF_SITUATION_MAX + 1] = {false};

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status = aff_query(connection,
                                  "SELECT coalesce(t.version, 0), f.situation, w.key, w.value"
                                  " FROM (VALUES ($1::integer)) s (store)"
                                  " LEFT JOIN affinity.fitting t ON t.store = s.store"
                                  " LEFT JOIN affinity.fitted_use u ON u.store = s.store"
                                  " LEFT JOIN affinity.fitted f ON f.store = s.store AND f.fit = u.fit"
                                  " LEFT JOIN LATERAL jsonb_each_text(f.weights) w ON true",
                                  1, parameters, &result, reterr);
    if (status != AFF_OK)
        return status;
    *ret_version = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    for (int i = 0; i < PQntuples(result); i++) {
        const int s = find_situation(PQgetvalue(result, i, 1));
        if (s < AFF_SITUATION_MAX)
            fitted.given[s] = true;
        if (s < AFF_SITUATION_MAX &&
            !set_weight(&fitted.of[s], PQgetvalue(result, i, 2), PQgetvalue(result, i, 3)))
            unusable[s] = true;
    }
    PQclear(result);
    for (int s = 0; s < AFF_SITUATION_MAX; s++)
        fitted.given[s] = fitted.given[s] && !unusable[s];
    *ret = fitted;
    return AFF_OK;
}

static void write_weights(const struct aff_weights *weights, char into[WEIGHTS_BYTES])
{
    struct aff_weights copy = *weights;
    size_t used = 0;

    for (int w = 0; w < AFF_FITTED_MAX; w++)
        used += (size_t)snprintf(into + used, WEIGHTS_BYTES - used, "%s\"%s\": %.6g", w == 0 ? "{" : ", ",
                                 aff_weight_name(w), *aff_weights_at(&copy, w));
    (void)snprintf(into + used, WEIGHTS_BYTES - used, "}");
}

/* ---- changing what holds, in a transaction that has the store's row of affinity.fitting ---- */

static aff_status begin(struct aff_connection *connection, const char *store, int64_t *ret_version,
                        struct aff_error *reterr)
{
    const char *parameters[] = {store};
    aff_status status = aff_execute(connection, "BEGIN", reterr);

    if (status == AFF_OK)
        status = aff_query(connection,
                           "INSERT INTO affinity.fitting (store) VALUES ($1::integer) ON CONFLICT DO NOTHING",
                           1, parameters, NULL, reterr);
    if (status == AFF_OK)
        status = aff_query_number(connection,
                                  "SELECT version FROM affinity.fitting WHERE store = $1::integer FOR UPDATE",
                                  1, parameters, ret_version, reterr);
    return status;
}

/* The notification is a hint: whoever misses it sees the version with its next poll. */
static aff_status changed(struct aff_connection *connection, const char *store, struct aff_error *reterr)
{
    const char *parameters[] = {store};
    aff_status status =
        aff_query(connection, "UPDATE affinity.fitting SET version = version + 1 WHERE store = $1::integer",
                  1, parameters, NULL, reterr);

    if (status != AFF_OK)
        return status;
    return aff_execute(connection, "NOTIFY affinity_published", reterr);
}

static aff_status finish(struct aff_connection *connection, aff_status status, struct aff_error *reterr)
{
    struct aff_error ignored;

    if (status == AFF_OK)
        status = aff_execute(connection, "COMMIT", reterr);
    if (status != AFF_OK)
        (void)!aff_execute(connection, "ROLLBACK", &ignored);
    return status;
}

static aff_status hold(struct aff_connection *connection, const char *store, const char *situation,
                       int64_t fit, struct aff_error *reterr)
{
    char number[NUMBER_BYTES];
    const char *parameters[] = {store, situation, number};

    (void)snprintf(number, sizeof number, "%" PRId64, fit);
    return aff_query(connection,
                     "INSERT INTO affinity.fitted_use (store, situation, fit)"
                     " VALUES ($1::integer, $2, $3::bigint) ON CONFLICT (store, situation)"
                     " DO UPDATE SET fit = excluded.fit, used_from = now()",
                     3, parameters, NULL, reterr);
}

static aff_status insert(struct aff_connection *connection, const char *store, struct aff_fitted_new *fit,
                         struct aff_error *reterr)
{
    char weights[WEIGHTS_BYTES];
    const char *situation = aff_situation_name(fit->situation);
    const char *parameters[] = {store, situation, weights, fit->evidence, fit->adopted ? "true" : "false"};

    write_weights(&fit->weights, weights);
    aff_status status = aff_query_number(
        connection,
        "INSERT INTO affinity.fitted (store, situation, weights, evidence, adopted)"
        " VALUES ($1::integer, $2, $3::jsonb, $4::jsonb || jsonb_build_object('instead_of',"
        " (SELECT u.fit FROM affinity.fitted_use u WHERE u.store = $1::integer AND u.situation = $2)),"
        " $5::boolean) RETURNING fit",
        5, parameters, &fit->fit, reterr);
    if (status == AFF_OK && fit->adopted)
        status = hold(connection, store, situation, fit->fit, reterr);
    return status;
}

aff_status aff_fitted_add(struct aff_connection *connection, int store, uint64_t version,
                          struct aff_fitted_new *fits, int n, struct aff_error *reterr)
{
    char number[NUMBER_BYTES];
    const char *parameters[] = {number};
    int64_t held = 0;
    bool any = false;

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status = begin(connection, number, &held, reterr);
    if (status == AFF_OK && (uint64_t)held != version)
        status =
            aff_error_set(reterr, AFF_BUSY,
                          "other weights were put to use while this fit was made, so that it was compared"
                          " with the wrong ones; nothing is stored, try again");
    for (int i = 0; status == AFF_OK && i < n; i++) {
        status = insert(connection, number, &fits[i], reterr);
        any = any || fits[i].adopted;
    }
    if (status == AFF_OK && any)
        status = changed(connection, number, reterr);
    if (status == AFF_OK)
        status =
            aff_query(connection, "UPDATE affinity.fitting SET tried_at = now() WHERE store = $1::integer", 1,
                      parameters, NULL, reterr);
    return finish(connection, status, reterr);
}

/* The situation of a fit whose weights can be used. */
static aff_status check_fit(struct aff_connection *connection, const char *store, const char *fit,
                            enum aff_situation *ret_situation, struct aff_error *reterr)
{
    const char *parameters[] = {store, fit};
    struct aff_weights weights;
    PGresult *result = NULL;
    aff_status status = aff_query(connection,
                                  "SELECT f.situation, w.key, w.value FROM affinity.fitted f"
                                  " LEFT JOIN LATERAL jsonb_each_text(f.weights) w ON true"
                                  " WHERE f.store = $1::integer AND f.fit = $2::bigint",
                                  2, parameters, &result, reterr);

    if (status != AFF_OK)
        return status;
    if (PQntuples(result) == 0)
        status = aff_error_set(reterr, AFF_NOTFOUND,
                               "there is no fit %s; 'affinityctl tune --list' shows those there are", fit);
    for (int i = 0; status == AFF_OK && i < PQntuples(result); i++) {
        const int s = find_situation(PQgetvalue(result, i, 0));
        if (s < AFF_SITUATION_MAX && set_weight(&weights, PQgetvalue(result, i, 1), PQgetvalue(result, i, 2)))
            *ret_situation = (enum aff_situation)s;
        else
            status = aff_error_set(
                reterr, AFF_DATA,
                "fit %s cannot be used: weight '%.40s' of source '%.40s' in situation '%.40s'"
                " means nothing to this version",
                fit, PQgetvalue(result, i, 2), PQgetvalue(result, i, 1), PQgetvalue(result, i, 0));
    }
    PQclear(result);
    return status;
}

aff_status aff_fitted_use(struct aff_connection *connection, int store, int64_t fit,
                          enum aff_situation *ret_situation, struct aff_error *reterr)
{
    char number[NUMBER_BYTES], fit_number[NUMBER_BYTES];
    enum aff_situation situation = AFF_SITUATION_CART;
    int64_t version;

    (void)snprintf(number, sizeof number, "%d", store);
    (void)snprintf(fit_number, sizeof fit_number, "%" PRId64, fit);
    aff_status status = begin(connection, number, &version, reterr);
    if (status == AFF_OK)
        status = check_fit(connection, number, fit_number, &situation, reterr);
    if (status == AFF_OK)
        status = hold(connection, number, aff_situation_name(situation), fit, reterr);
    if (status == AFF_OK)
        status = changed(connection, number, reterr);
    status = finish(connection, status, reterr);
    if (status == AFF_OK)
        *ret_situation = situation;
    return status;
}

aff_status aff_fitted_reset(struct aff_connection *connection, int store, int64_t *ret_n,
                            struct aff_error *reterr)
{
    char number[NUMBER_BYTES];
    const char *parameters[] = {number};
    int64_t version;

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status = begin(connection, number, &version, reterr);
    if (status == AFF_OK)
        status = aff_query_number(connection,
                                  "WITH gone AS (DELETE FROM affinity.fitted_use"
                                  " WHERE store = $1::integer RETURNING 1) SELECT count(*) FROM gone",
                                  1, parameters, ret_n, reterr);
    if (status == AFF_OK && *ret_n > 0)
        status = changed(connection, number, reterr);
    return finish(connection, status, reterr);
}

/* ---- reading ---- */

static double real(const PGresult *result, int row, int column)
{
    return strtod(PQgetvalue(result, row, column), NULL); /* a null reads as 0 */
}

static struct aff_task_score score_of(const PGresult *result, int row, int column)
{
    return (struct aff_task_score){
        .hit = (float)real(result, row, column),
        .ndcg = (float)real(result, row, column + 1),
        .mrr = (float)real(result, row, column + 2),
        .recall = (float)real(result, row, column + 3),
    };
}

aff_status aff_fitted_list(struct aff_connection *connection, int store,
                           void (*visit)(void *context, const struct aff_fitted_row *row), void *context,
                           struct aff_error *reterr)
{
    char number[NUMBER_BYTES];
    const char *parameters[] = {number};
    PGresult *result = NULL;

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status = aff_query(
        connection,
        "SELECT f.fit, f.situation, to_char(f.fitted_at AT TIME ZONE 'UTC', "
        "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
        " f.weights, f.evidence, f.adopted, u.fit IS NOT NULL, f.evidence->>'questions', f.evidence->>'gain',"
        " f.evidence->>'standard_error', f.evidence->'before'->>'hit', f.evidence->'before'->>'ndcg',"
        " f.evidence->'before'->>'mrr', f.evidence->'before'->>'recall', f.evidence->'after'->>'hit',"
        " f.evidence->'after'->>'ndcg', f.evidence->'after'->>'mrr', f.evidence->'after'->>'recall'"
        " FROM affinity.fitted f"
        " LEFT JOIN affinity.fitted_use u ON u.store = f.store AND u.fit = f.fit"
        " WHERE f.store = $1::integer ORDER BY f.fit",
        1, parameters, &result, reterr);
    if (status != AFF_OK)
        return status;
    for (int i = 0; i < PQntuples(result); i++) {
        enum { QUESTIONS = 7, GAIN, STANDARD_ERROR, BEFORE, AFTER = BEFORE + 4 };
        const struct aff_fitted_row row = {.fit = strtoll(PQgetvalue(result, i, 0), NULL, 10),
                                           .situation = PQgetvalue(result, i, 1),
                                           .at = PQgetvalue(result, i, 2),
                                           .weights = PQgetvalue(result, i, 3),
                                           .evidence = PQgetvalue(result, i, 4),
                                           .adopted = *PQgetvalue(result, i, 5) == 't',
                                           .in_use = *PQgetvalue(result, i, 6) == 't',
                                           .questions = (uint32_t)real(result, i, QUESTIONS),
                                           .gain = real(result, i, GAIN),
                                           .standard_error = real(result, i, STANDARD_ERROR),
                                           .before = score_of(result, i, BEFORE),
                                           .after = score_of(result, i, AFTER)};
        visit(context, &row);
    }
    PQclear(result);
    return AFF_OK;
}

aff_status aff_fitted_is_due(struct aff_connection *connection, int store, int64_t seconds, bool *ret_due,
                             struct aff_error *reterr)
{
    char number[NUMBER_BYTES], interval[NUMBER_BYTES];
    const char *parameters[] = {number, interval};
    int64_t due = 0;

    (void)snprintf(number, sizeof number, "%d", store);
    (void)snprintf(interval, sizeof interval, "%" PRId64, seconds);
    aff_status status =
        aff_query_number(connection,
                         "SELECT coalesce((SELECT tried_at + $2::bigint * interval '1 second' <= now()"
                         " FROM affinity.fitting WHERE store = $1::integer), true)::integer",
                         2, parameters, &due, reterr);
    *ret_due = status == AFF_OK && due == 1;
    return status;
}

aff_status aff_fitted_lock(struct aff_connection *connection, int store, struct aff_error *reterr)
{
    char number[NUMBER_BYTES];
    const char *parameters[] = {number};
    int64_t taken = 0;

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status =
        aff_query_number(connection, "SELECT pg_try_advisory_lock(" SPACE ", $1::integer)::integer", 1,
                         parameters, &taken, reterr);
    if (status != AFF_OK || taken == 1)
        return status;
    return aff_error_set(reterr, AFF_BUSY, "the weights of this store are being fitted already; wait for it");
}

void aff_fitted_unlock(struct aff_connection *connection, int store)
{
    char number[NUMBER_BYTES];
    const char *parameters[] = {number};

    (void)snprintf(number, sizeof number, "%d", store);
    /* The lock ends with the session at the latest. */
    (void)!aff_query(connection, "SELECT pg_advisory_unlock(" SPACE ", $1::integer)", 1, parameters, NULL,
                     NULL);
}
