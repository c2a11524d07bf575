/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/sweep.h"

#include "sql/fold/columns.h"
#include "sql/fold/rows_next.h"

#include <libpq-fe.h>
#include <stdlib.h>

struct aff_sweep {
    struct aff_connection *connection;
    struct aff_sweep_settings settings;
    struct aff_rows_write write;
    int64_t after; /* product that was renewed last */
};

aff_status aff_sweep_new(struct aff_connection *connection, const struct aff_sweep_settings *settings,
                         struct aff_sweep **ret_sweep, struct aff_error *reterr)
{
    struct aff_sweep *sweep = calloc(1, sizeof *sweep);

    if (sweep == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    sweep->connection = connection;
    sweep->settings = *settings;
    sweep->after = -1;
    aff_status status =
        aff_rows_write_init(&sweep->write, connection, settings->store, settings->rows->neighbours);
    if (status != AFF_OK) {
        free(sweep);
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
    sweep->write.epoch = settings->epoch;
    sweep->write.generation = settings->generation;
    sweep->write.only_different = true;
    *ret_sweep = sweep;
    return AFF_OK;
}

void aff_sweep_free(struct aff_sweep *sweep)
{
    if (sweep == NULL)
        return;
    aff_rows_write_done(&sweep->write);
    free(sweep);
}

/* The next products that are counted or have a row. */
static aff_status choose(struct aff_sweep *sweep, uint32_t n, PGresult **ret_result, struct aff_error *reterr)
{
    struct aff_column column = {.type = AFF_COLUMN_INT64};

    aff_column_add(&column, sweep->after);
    aff_column_add(&column, n);
    aff_status status =
        aff_query_columns(sweep->connection,
                          "SELECT product FROM ((SELECT product FROM affinity.product_stat WHERE store = $1"
                          " AND product > ($2::bigint[])[1] ORDER BY product LIMIT ($2::bigint[])[2])"
                          " UNION (SELECT product FROM affinity.neighbour WHERE store = $1 AND relation = 1"
                          " AND product > ($2::bigint[])[1] ORDER BY product LIMIT ($2::bigint[])[2])"
                          " UNION (SELECT product FROM affinity.neighbour WHERE store = $1 AND relation = 2"
                          " AND product > ($2::bigint[])[1] ORDER BY product LIMIT ($2::bigint[])[2])) p"
                          " ORDER BY product LIMIT ($2::bigint[])[2]",
                          sweep->settings.store, &column, 1, ret_result, reterr);
    aff_columns_done(&column, 1);
    return status;
}

static aff_status renew(struct aff_sweep *sweep, const int32_t *products, uint32_t n, bool *ret_mine,
                        struct aff_error *reterr)
{
    struct aff_next_row_settings next = {sweep->settings.rows->neighbours, sweep->settings.rows->floors};
    aff_status status =
        aff_together_rows(sweep->settings.together, &sweep->write, products, n, ret_mine, reterr);

    if (status == AFF_OK && *ret_mine)
        status = aff_rows_next(&sweep->write, &next, products, n, ret_mine, reterr);
    return status;
}

/* All rows up to the newest version are written: the sweep runs between folds. */
static aff_status publish(struct aff_sweep *sweep, bool *ret_mine, struct aff_error *reterr)
{
    const struct aff_sweep_settings *settings = &sweep->settings;
    PGresult *result = NULL;
    aff_status status =
        aff_query_columns(sweep->connection, "SELECT version FROM affinity.state WHERE store = $1",
                          settings->store, NULL, 0, &result, reterr);

    if (status == AFF_OK)
        status = aff_rows_published(sweep->connection, settings->store, settings->epoch, settings->generation,
                                    aff_result_whole(result, 0, 0, 0), ret_mine, reterr);
    PQclear(result);
    return status;
}

static aff_status complete(struct aff_sweep *sweep, struct aff_error *reterr)
{
    struct aff_column column = {.type = AFF_COLUMN_INT64};

    aff_column_add(&column, sweep->settings.epoch);
    aff_status status = aff_query_columns(sweep->connection,
                                          "UPDATE affinity.state SET swept_at = clock_timestamp()"
                                          " WHERE store = $1 AND epoch = ($2::bigint[])[1]",
                                          sweep->settings.store, &column, 1, NULL, reterr);
    aff_columns_done(&column, 1);
    return status;
}

aff_status aff_sweep_some(struct aff_sweep *sweep, uint32_t n, uint32_t *ret_changed, bool *ret_done,
                          struct aff_error *reterr)
{
    PGresult *result = NULL;
    uint32_t before = sweep->write.changed, chosen = 0;
    bool mine = true;
    aff_status status = choose(sweep, n, &result, reterr);
    int32_t *products = status == AFF_OK ? malloc(((size_t)PQntuples(result) + 1) * sizeof *products) : NULL;

    if (status == AFF_OK && products == NULL)
        status = aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    for (int row = 0; status == AFF_OK && row < PQntuples(result); row++)
        products[chosen++] = (int32_t)aff_result_whole(result, row, 0, -1);
    if (status == AFF_OK && chosen > 0) {
        status = renew(sweep, products, chosen, &mine, reterr);
        sweep->after = products[chosen - 1];
    }
    if (status == AFF_OK && mine && sweep->write.changed > before)
        status = publish(sweep, &mine, reterr);
    if (status == AFF_OK && mine && chosen < n)
        status = complete(sweep, reterr);
    if (status == AFF_OK) {
        *ret_changed = sweep->write.changed - before;
        *ret_done = !mine || chosen < n;
    }
    PQclear(result);
    free(products);
    return status;
}
