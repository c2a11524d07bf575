/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sequence/gathering.h"

#include <stdlib.h>

aff_status aff_gathering_begin(struct aff_gathering *gathering, uint32_t n_products, uint32_t keep)
{
    *gathering = (struct aff_gathering){.keep = keep < n_products ? keep : n_products};
    gathering->sums = calloc((size_t)n_products + 1, sizeof *gathering->sums);
    gathering->found = malloc(((size_t)n_products + 1) * sizeof *gathering->found);
    gathering->best = malloc(((size_t)gathering->keep + 1) * sizeof *gathering->best);
    gathering->made = calloc(1, sizeof *gathering->made);
    if (gathering->made == NULL)
        return AFF_NOMEM;
    gathering->made->n_products = n_products;
    gathering->made->starts = calloc((size_t)n_products + 1, sizeof *gathering->made->starts);
    gathering->made->entries = malloc(sizeof *gathering->made->entries);
    return gathering->sums == NULL || gathering->found == NULL || gathering->best == NULL ||
                   gathering->made->starts == NULL || gathering->made->entries == NULL
               ? AFF_NOMEM
               : AFF_OK;
}

static aff_status fit(struct aff_gathering *gathering, size_t n)
{
    if (n > UINT32_MAX)
        return AFF_LIMIT;
    if (n <= gathering->capacity)
        return AFF_OK;
    const size_t capacity = (n + 1024) * 2;
    struct aff_neighbour *entries =
        realloc(gathering->made->entries, capacity * sizeof *gathering->made->entries);
    if (entries == NULL)
        return AFF_NOMEM;
    gathering->made->entries = entries;
    gathering->capacity = capacity;
    return AFF_OK;
}

aff_status aff_gathering_settle(struct aff_gathering *gathering, double divisor)
{
    struct aff_successors *made = gathering->made;
    struct aff_top top = {.entries = gathering->best, .capacity = gathering->keep};
    const uint32_t start = made->starts[gathering->n_made];

    for (uint32_t i = 0; i < gathering->n_found; i++) {
        const uint32_t row = gathering->found[i];
        const struct aff_scored entry = {.score = (float)(gathering->sums[row] / divisor), .row = row};
        gathering->sums[row] = 0;
        if (aff_top_takes(&top, entry))
            aff_top_offer(&top, entry);
    }
    gathering->n_found = 0;
    aff_status status = fit(gathering, (size_t)start + top.n);
    if (status != AFF_OK)
        return status;
    aff_top_sort(&top);
    for (uint32_t i = 0; i < top.n; i++)
        made->entries[start + i] = (struct aff_neighbour){top.entries[i].row, top.entries[i].score};
    made->starts[++gathering->n_made] = start + top.n;
    return AFF_OK;
}

aff_status aff_gathering_end(struct aff_gathering *gathering, aff_status status,
                             struct aff_successors **ret_made)
{
    struct aff_successors *made = gathering->made;

    free(gathering->sums);
    free(gathering->found);
    free(gathering->best);
    if (status != AFF_OK) {
        aff_successors_free(made);
        return status;
    }
    const size_t n = made->starts[made->n_products];
    struct aff_neighbour *fitting = realloc(made->entries, (n + 1) * sizeof *fitting);
    if (fitting != NULL)
        made->entries = fitting;
    *ret_made = made;
    return AFF_OK;
}
