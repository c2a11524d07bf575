/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/rows.h"

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

aff_status aff_measured_rows(const struct aff_pairs *pairs, const struct aff_catalogue *catalogue,
                             const struct aff_rows_settings *settings, int n_threads,
                             const struct aff_watch *watch, struct aff_neighbours **ret_rows)
{
    struct scoring scoring = {.pairs = pairs, .catalogue = catalogue};
    aff_status status = aff_neighbours_new(aff_catalogue_size(catalogue), &scoring.rows);

    if (status == AFF_OK)
        status = aff_rows_build(pairs, settings, n_threads, watch, take_row, &scoring);
    if (status == AFF_OK)
        *ret_rows = scoring.rows;
    else
        aff_neighbours_free(scoring.rows);
    return status;
}
