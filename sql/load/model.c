/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/load/model.h"

#include "core/base/clock.h"
#include "sql/load/parts.h"
#include "sql/sessions/fitted.h"
#include "sql/sessions/load_traces.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

aff_status aff_store_find(struct aff_connection *connection, const char *name, int *ret_store,
                          char ret_currency[4], struct aff_error *reterr)
{
    const char *parameters[] = {name};
    PGresult *result = NULL;
    aff_status status = aff_query(connection, "SELECT store, currency FROM affinity.store WHERE name = $1", 1,
                                  parameters, &result, reterr);

    if (status != AFF_OK)
        return status;
    if (PQntuples(result) == 0) {
        status = aff_error_set(reterr, AFF_NOTFOUND, "there is no store '%s' in the database", name);
    } else {
        *ret_store = atoi(PQgetvalue(result, 0, 0));
        (void)snprintf(ret_currency, 4, "%s", PQgetvalue(result, 0, 1));
    }
    PQclear(result);
    return status;
}

aff_status aff_store_published(struct aff_connection *connection, int store, uint64_t *ret_version,
                               struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number};
    int64_t version;

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status = aff_query_number(
        connection, "SELECT coalesce((SELECT published FROM affinity.state WHERE store = $1::integer), 0)", 1,
        parameters, &version, reterr);
    if (status == AFF_OK)
        *ret_version = (uint64_t)version;
    return status;
}

aff_status aff_load_begin(struct aff_connection *connection, int store, struct aff_error *reterr)
{
    static const char *const tables[] = {"product_stat", "neighbour", "customer_history"};
    char names[3][AFF_PARTITION_NAME], script[1024];
    const char *const parameters[] = {names[0], names[1], names[2]};
    PGresult *result = NULL;

    for (int i = 0; i < 3; i++)
        aff_partition_name(tables[i], store, "", names[i]);
    aff_status status = aff_query(connection,
                                  "SELECT coalesce(string_agg(', ONLY ' || t.name, ''), '')"
                                  " FROM unnest(ARRAY[$1, $2, $3]) AS t(name)"
                                  " WHERE to_regclass(t.name) IS NOT NULL",
                                  3, parameters, &result, reterr);
    if (status != AFF_OK)
        return status;
    (void)snprintf(script, sizeof script,
                   "LOCK TABLE ONLY affinity.product_stat, ONLY affinity.neighbour,"
                   " ONLY affinity.customer_history%s IN ACCESS SHARE MODE",
                   PQgetvalue(result, 0, 0));
    PQclear(result);
    status = aff_execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", reterr);
    return status == AFF_OK ? aff_execute(connection, script, reterr) : status;
}

aff_status aff_load_state(struct aff_connection *connection, int store, struct aff_load_state *ret_state,
                          struct aff_error *reterr)
{
    enum { COLUMNS = 16 };
    char number[16];
    const char *parameters[] = {number};
    PGresult *result = NULL;
    int64_t value[COLUMNS] = {0};

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status = aff_query(connection,
                                  "SELECT t.published, t.orders, t.next_orders, t.weight, t.half_life_s,"
                                  " (extract(epoch FROM t.landmark) * 1000000)::bigint,"
                                  " (extract(epoch FROM t.window_from) * 1000000)::bigint,"
                                  " (extract(epoch FROM t.window_to) * 1000000)::bigint,"
                                  " (extract(epoch FROM t.rebuilt_at) * 1000000)::bigint,"
                                  " t.generation, t.touched_from, c.version, c.changes_from, v.sessions,"
                                  " (SELECT (extract(epoch FROM min(at)) * 1000000)::bigint"
                                  " FROM affinity.session WHERE store = s.store),"
                                  " (SELECT (extract(epoch FROM max(at)) * 1000000)::bigint"
                                  " FROM affinity.session WHERE store = s.store)"
                                  " FROM affinity.store s LEFT JOIN affinity.state t USING (store)"
                                  " LEFT JOIN affinity.catalogue_state c USING (store)"
                                  " LEFT JOIN affinity.viewed_state v USING (store)"
                                  " WHERE s.store = $1::integer",
                                  1, parameters, &result, reterr);
    if (status != AFF_OK)
        return status;
    for (int i = 0; PQntuples(result) > 0 && i < COLUMNS; i++)
        value[i] = strtoll(PQgetvalue(result, 0, i), NULL, 10); /* a null reads as 0 */
    PQclear(result);
    *ret_state = (struct aff_load_state){.published = (uint64_t)value[0],
                                         .totals = {.orders = (uint64_t)value[1],
                                                    .next_orders = (uint64_t)value[2],
                                                    .weight = value[3],
                                                    .half_life_s = value[4],
                                                    .landmark_us = value[5],
                                                    .from_us = value[6],
                                                    .to_us = value[7],
                                                    .sessions = (uint64_t)value[13],
                                                    .viewed_from_us = value[14],
                                                    .viewed_to_us = value[15]},
                                         .built_at_us = value[8],
                                         .generation = (uint64_t)value[9],
                                         .touched_from = (uint64_t)value[10],
                                         .catalogue_version = (uint64_t)value[11],
                                         .changes_from = (uint64_t)value[12]};
    return AFF_OK;
}

static aff_status load_totals(struct aff_connection *connection, int store, struct aff_model *model,
                              struct aff_error *reterr)
{
    struct aff_load_state state;
    aff_status status = aff_load_state(connection, store, &state, reterr);

    if (status != AFF_OK)
        return status;
    model->version = state.published;
    model->generation = state.generation;
    model->catalogue_version = state.catalogue_version;
    model->totals = state.totals;
    model->built_at_us = state.built_at_us;
    return AFF_OK;
}

/* *ret_left: bytes that nothing but sessions and baskets may take. */
static aff_status check_limit(struct aff_connection *connection, int store, uint64_t limit_bytes,
                              uint64_t *ret_left, struct aff_error *reterr)
{
    enum { MEGABYTE = 1 << 20 };
    uint64_t bytes;

    *ret_left = UINT64_MAX;
    if (limit_bytes == 0)
        return AFF_OK;
    aff_status status = aff_load_estimate(connection, store, &bytes, reterr);
    if (status != AFF_OK)
        return status;
    *ret_left = limit_bytes - bytes;
    if (bytes <= limit_bytes)
        return AFF_OK;
    return aff_error_set(reterr, AFF_LIMIT,
                         "its index would take about %" PRIu64 " MB of memory, the limit is %" PRIu64
                         " MB; raise memory.limit_mb or keep fewer neighbours (learn.neighbours)",
                         (bytes + MEGABYTE - 1) / MEGABYTE, limit_bytes / MEGABYTE);
}

static aff_status load(struct aff_connection *connection, int store, const struct aff_load_bounds *bounds,
                       struct aff_model *model, struct aff_error *reterr)
{
    uint64_t left;
    aff_status status = check_limit(connection, store, bounds->limit_bytes, &left, reterr);

    if (status == AFF_OK)
        status = load_totals(connection, store, model, reterr);
    if (status == AFF_OK)
        status = aff_load_products(connection, store, &model->catalogue, reterr);
    if (status == AFF_OK)
        status = aff_load_neighbours(connection, store, model, reterr);
    if (status == AFF_OK)
        status = aff_load_customers(connection, store, model->catalogue, &model->customers, reterr);
    if (status == AFF_OK)
        status = aff_load_traces(connection, store, &bounds->traces, left, model, reterr);
    if (status == AFF_OK)
        status = aff_fitted_read(connection, store, &model->fitted, &model->fitted_version, reterr);
    return status;
}

aff_status aff_model_load(struct aff_connection *connection, const char *name,
                          const struct aff_load_bounds *bounds, struct aff_model **ret_model,
                          struct aff_error *reterr)
{
    struct aff_error ignored;
    int store = 0;

    struct aff_model *model = calloc(1, sizeof *model);
    if (model == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    aff_status status = aff_store_find(connection, name, &store, model->currency, reterr);
    if (status != AFF_OK) {
        aff_model_free(model);
        return status;
    }
    (void)snprintf(model->store, sizeof model->store, "%s", name);
    status = aff_load_begin(connection, store, reterr);
    if (status == AFF_OK)
        status = load(connection, store, bounds, model, reterr);
    (void)!aff_execute(connection, "ROLLBACK", &ignored); /* nothing was written */
    if (status != AFF_OK) {
        aff_model_free(model);
        return aff_error_prefix(reterr, status, "store '%s' was not loaded", name);
    }
    model->loaded_at_us = aff_clock_now_us();
    *ret_model = model;
    return AFF_OK;
}
