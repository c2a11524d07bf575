/* SPDX-License-Identifier: Apache-2.0 */
/* Loads the store 'main' within bounds and tells its sizes, for tests/integration/test_load_bounds.py.
 *
 * load_bounds_driver URL LIMIT_BYTES SESSIONS HOLDERS LINES prints one line of NAME=NUMBER: what was
 * estimated and what catalogue, customers and neighbours take, then the traces by source and what was left
 * out; or "failed TEXT". */
#include "sql/load/model.h"
#include "sql/load/parts.h"

#include <stdio.h>
#include <stdlib.h>

static void tell(const struct aff_model *model, uint64_t estimate)
{
    const struct aff_traces *traces = model->traces;
    const struct aff_traces_sizes sizes = aff_traces_sizes(traces);
    const size_t all = aff_model_bytes(model), of_traces = aff_traces_bytes(traces);

    (void)printf("estimate=%llu base=%zu all=%zu alike=%zu viewed=%zu added=%zu recent=%zu kept=%u"
                 " left_out=%u baskets_left_out=%d\n",
                 (unsigned long long)estimate, all - of_traces, all, sizes.alike, sizes.viewed, sizes.added,
                 sizes.recent, (unsigned)traces->n_sessions, (unsigned)traces->sessions_left_out,
                 traces->baskets_left_out);
}

int main(int argc, char **argv)
{
    struct aff_connection connection = {0};
    struct aff_model *model = NULL;
    struct aff_error error = {0};
    char currency[4];
    uint64_t estimate = 0;
    int store = 0;

    if (argc != 6)
        return 2;
    const struct aff_load_bounds bounds = {.limit_bytes = strtoull(argv[2], NULL, 10),
                                           .traces = {.sessions = (uint32_t)strtoul(argv[3], NULL, 10),
                                                      .holders = (uint32_t)strtoul(argv[4], NULL, 10),
                                                      .lines = (uint32_t)strtoul(argv[5], NULL, 10)}};
    aff_status status = aff_connection_open(argv[1], "load_bounds_driver", 10, &connection, &error);
    if (status == AFF_OK)
        status = aff_store_find(&connection, "main", &store, currency, &error);
    if (status == AFF_OK)
        status = aff_load_estimate(&connection, store, &estimate, &error);
    if (status == AFF_OK)
        status = aff_model_load(&connection, "main", &bounds, &model, &error);
    if (status == AFF_OK)
        tell(model, estimate);
    else
        (void)printf("failed %s\n", error.text);
    aff_model_free(model);
    aff_connection_close(&connection);
    return 0;
}
