/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recommend/method.h"

#include "config/rows.h"
#include "core/measure/rows.h"
#include "sql/load/model.h"
#include "sql/read_pairs.h"

static aff_status score(const struct aff_config *config, enum aff_method method,
                        const struct aff_pairs *pairs, struct aff_model *model, struct aff_error *reterr)
{
    struct aff_rows_settings settings = aff_config_rows(config);
    struct aff_neighbours *rows = NULL;

    settings.method = method;
    aff_status status = aff_measured_rows(pairs, model->catalogue, &settings,
                                          aff_parallel_threads((int)config->learn_threads), NULL, &rows);

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
