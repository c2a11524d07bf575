/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recommend/run.h"

#include <stdlib.h>
#include <string.h>

aff_status aff_workspace_new(struct aff_workspace **ret_workspace)
{
    struct aff_workspace *space = calloc(1, sizeof *space);

    if (space == NULL)
        return AFF_NOMEM;
    *ret_workspace = space;
    return AFF_OK;
}

static void free_arrays(struct aff_workspace *space)
{
    free(space->sums);
    free(space->marks);
    free(space->cells);
    free(space->rows);
    free(space->sides);
    free(space->live);
    free(space->live_sides);
    free(space->scores);
    free(space->contenders);
    free(space->asides);
    space->sums = NULL;
    space->marks = NULL;
    space->cells = NULL;
    space->rows = NULL;
    space->sides = NULL;
    space->live = NULL;
    space->live_sides = NULL;
    space->scores = NULL;
    space->contenders = NULL;
    space->asides = NULL;
    space->capacity = 0;
}

void aff_workspace_free(struct aff_workspace *workspace)
{
    if (workspace == NULL)
        return;
    free_arrays(workspace);
    free(workspace);
}

aff_status aff_workspace_fit(struct aff_workspace *space, uint32_t n_products)
{
    size_t capacity = (size_t)n_products + 1;

    if (++space->stamp == 0) {
        memset(space->cells, 0, space->capacity * sizeof *space->cells);
        space->stamp = 1;
    }
    if (capacity <= space->capacity)
        return AFF_OK;
    free_arrays(space);
    capacity += capacity / 8;
    space->sums = malloc(capacity * sizeof *space->sums);
    space->marks = calloc(capacity, sizeof *space->marks);
    space->cells = calloc(capacity, sizeof *space->cells);
    space->rows = malloc(capacity * sizeof *space->rows);
    space->sides = aligned_alloc(_Alignof(struct aff_side), capacity * sizeof *space->sides);
    space->live = malloc(capacity * sizeof *space->live);
    space->live_sides = malloc(capacity * sizeof *space->live_sides);
    space->scores = malloc(capacity * sizeof *space->scores);
    space->contenders = malloc(capacity * sizeof *space->contenders);
    space->asides = malloc(capacity * sizeof *space->asides);
    if (space->sums == NULL || space->marks == NULL || space->cells == NULL || space->rows == NULL ||
        space->sides == NULL || space->live == NULL || space->live_sides == NULL || space->scores == NULL ||
        space->contenders == NULL || space->asides == NULL) {
        free_arrays(space);
        return AFF_NOMEM;
    }
    space->capacity = capacity;
    for (size_t i = 0; i < capacity; i++)
        space->sums[i] = AFF_UNNAMED;
    return AFF_OK;
}
