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
    free(space->cells);
    free(space->marks);
    free(space->candidates);
    free(space->sides);
    free(space->live);
    free(space->sums);
    space->cells = NULL;
    space->marks = NULL;
    space->candidates = NULL;
    space->sides = NULL;
    space->live = NULL;
    space->sums = NULL;
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
    /* The branch-free loops write one element ahead of what they keep. */
    size_t capacity = (size_t)n_products + 1;

    if (++space->stamp == 0) {
        memset(space->cells, 0, space->capacity * sizeof *space->cells);
        space->stamp = 1;
    }
    if (capacity <= space->capacity)
        return AFF_OK;
    free_arrays(space);
    capacity += capacity / 8;
    space->cells = calloc(capacity, sizeof *space->cells);
    space->marks = calloc(capacity, sizeof *space->marks);
    space->candidates = calloc(capacity, sizeof *space->candidates);
    space->sides = malloc(capacity * sizeof *space->sides);
    space->live = malloc(capacity * sizeof *space->live);
    space->sums = malloc(capacity * sizeof *space->sums);
    if (space->cells == NULL || space->marks == NULL || space->candidates == NULL || space->sides == NULL ||
        space->live == NULL || space->sums == NULL) {
        free_arrays(space);
        return AFF_NOMEM;
    }
    space->capacity = capacity;
    return AFF_OK;
}
