/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recommend/method.h"

#include "config/rows.h"
#include "sql/load/model.h"
#include "sql/read_pairs.h"

#include <string.h>

struct scoring {
    const struct aff_pairs *pairs;
    const struct aff_catalogue *catalogue;
    struct aff_neighbours *rows;
};

/* Puts one row into the table. Threads never share a row, so none waits for another. */
static aff_status take_row(void *context, int thread, uint32_t a, float residual,
                           const struct aff_neighbour *neighbours, const struct aff_pair_counts *counts,
                           uint32_t n)
{
    const struct scoring *scoring = context;
    struct aff_row *row;
    struct aff_neighbour *entries;
    struct aff_pair_counts *entry_counts;
    uint32_t at = aff_catalogue_find_key(scoring->catalogue, scoring->pairs->stats[a].product);

    (void)thread;
    (void)residual;
    if (n == 0)
        return AFF_OK;
    if (at == AFF_NO_ROW)
        return AFF_DATA;
    aff_status status = aff_row_new(n, &row, &entries, &entry_counts);
    if (status != AFF_OK)
        return status;
    memcpy(entry_counts, counts, n * sizeof *counts);
    for (uint32_t i = 0; i < n; i++) {
        int32_t key = scoring->pairs->stats[neighbours[i].row].product;
        entries[i] =
            (struct aff_neighbour){aff_catalogue_find_key(scoring->catalogue, key), neighbours[i].score};
        if (entries[i].row == AFF_NO_ROW)
            status = AFF_DATA;
    }
    aff_neighbours_set(scoring->rows, at, row);
    return status;
}

aff_status aff_method_rows(const struct aff_config *config, enum aff_method method,
                           const struct aff_pairs *pairs, const struct aff_catalogue *catalogue,
                           struct aff_neighbours **ret_rows)
{
    struct aff_rows_settings settings = aff_config_rows(config);
    struct scoring scoring = {.pairs = pairs, .catalogue = catalogue};
    int n_threads = aff_parallel_threads((int)config->learn_threads);

    settings.method = method;
    aff_status status = aff_neighbours_new(aff_catalogue_size(catalogue), &scoring.rows);
    if (status == AFF_OK)
        status = aff_rows_build(pairs, &settings, n_threads, NULL, take_row, &scoring);
    if (status == AFF_OK)
        *ret_rows = scoring.rows;
    else
        aff_neighbours_free(scoring.rows);
    return status;
}

static aff_status score(const struct aff_config *config, enum aff_method method,
                        const struct aff_pairs *pairs, struct aff_model *model, struct aff_error *reterr)
{
    struct aff_neighbours *rows = NULL;
    aff_status status = aff_method_rows(config, method, pairs, model->catalogue, &rows);

    if (status == AFF_DATA)
        return aff_error_set(reterr, status,
                             "the store was learned anew meanwhile or counts pairs of unknown products;"
                             " try again");
    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    aff_neighbours_free(model->together);
    model->together = rows;
    return AFF_OK;
}

aff_status aff_model_score_by(struct aff_connection *connection, const struct aff_config *config,
                              enum aff_method method, struct aff_model *model, struct aff_error *reterr)
{
    struct aff_pairs *pairs = NULL;
    char currency[4];
    int store;

    aff_status status = aff_store_find(connection, model->store, &store, currency, reterr);
    if (status == AFF_OK)
        status = aff_read_pairs(connection, store, &pairs, reterr);
    if (status == AFF_OK)
        status = score(config, method, pairs, model, reterr);
    aff_pairs_free(pairs);
    return status;
}
