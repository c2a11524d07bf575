/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/sessions/fitted.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEIGHT_MAX 1000.0

static aff_status set(struct aff_fitted *fitted, const char *situation, const char *source, const char *value,
                      struct aff_error *reterr)
{
    const double weight = strtod(value, NULL);

    for (int s = 0; s < AFF_SITUATION_MAX; s++) {
        if (strcmp(situation, aff_situation_name((enum aff_situation)s)) != 0)
            continue;
        for (int w = 0; w < AFF_WEIGHT_MAX; w++) {
            if (strcmp(source, aff_weight_name(w)) != 0 || !(weight >= 0 && weight <= WEIGHT_MAX))
                continue;
            fitted->given[s] = true;
            *aff_weights_at(&fitted->of[s], w) = weight;
            return AFF_OK;
        }
    }
    return aff_error_set(
        reterr, AFF_DATA,
        "affinity.fitted: weight '%.40s' of source '%.40s' in situation '%.40s' means nothing;"
        " 'affinityctl tune --reset' goes back to the configured weights",
        value, source, situation);
}

aff_status aff_fitted_read(struct aff_connection *connection, int store, struct aff_fitted *ret,
                           struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number};
    PGresult *result = NULL;
    struct aff_fitted fitted = {0};

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status = aff_query(connection,
                                  "SELECT f.situation, w.key, w.value FROM"
                                  " (SELECT DISTINCT ON (situation) situation, weights FROM affinity.fitted"
                                  "  WHERE store = $1::integer AND adopted ORDER BY situation, fit DESC) f,"
                                  " jsonb_each_text(f.weights) w",
                                  1, parameters, &result, reterr);
    if (status != AFF_OK)
        return status;
    for (int i = 0; status == AFF_OK && i < PQntuples(result); i++)
        status = set(&fitted, PQgetvalue(result, i, 0), PQgetvalue(result, i, 1), PQgetvalue(result, i, 2),
                     reterr);
    PQclear(result);
    if (status == AFF_OK)
        *ret = fitted;
    return status;
}

static void write_weights(const struct aff_weights *weights, char *into, size_t size)
{
    struct aff_weights copy = *weights;
    size_t used = 0;

    for (int w = 0; w < AFF_WEIGHT_MAX; w++)
        used += (size_t)snprintf(into + used, size - used, "%s\"%s\": %.6g", w == 0 ? "{" : ", ",
                                 aff_weight_name(w), *aff_weights_at(&copy, w));
    (void)snprintf(into + used, size - used, "}");
}

aff_status aff_fitted_add(struct aff_connection *connection, int store, enum aff_situation situation,
                          const struct aff_weights *weights, const char *evidence, bool adopted,
                          struct aff_error *reterr)
{
    char number[16], text[1024];
    const char *parameters[] = {number, aff_situation_name(situation), text, evidence,
                                adopted ? "true" : "false"};
    int64_t fit;

    (void)snprintf(number, sizeof number, "%d", store);
    write_weights(weights, text, sizeof text);
    return aff_query_number(connection,
                            "INSERT INTO affinity.fitted (store, situation, weights, evidence, adopted)"
                            " VALUES ($1::integer, $2, $3::jsonb, $4::jsonb, $5::boolean) RETURNING fit",
                            5, parameters, &fit, reterr);
}

aff_status aff_fitted_reset(struct aff_connection *connection, int store, int64_t *ret_n,
                            struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number};

    (void)snprintf(number, sizeof number, "%d", store);
    return aff_query_number(connection,
                            "WITH gone AS (UPDATE affinity.fitted SET adopted = false"
                            " WHERE store = $1::integer AND adopted RETURNING 1) SELECT count(*) FROM gone",
                            1, parameters, ret_n, reterr);
}
