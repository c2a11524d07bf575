/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sequence/traces.h"

#include <stdlib.h>

void aff_traces_free(struct aff_traces *traces)
{
    if (traces == NULL)
        return;
    aff_sequences_free(traces->sessions);
    aff_successors_free(traces->viewed);
    aff_successors_free(traces->added);
    free(traces->recent);
    free(traces->recent_of);
    free(traces);
}

size_t aff_traces_bytes(const struct aff_traces *traces)
{
    if (traces == NULL)
        return 0;
    return sizeof *traces + aff_sequences_bytes(traces->sessions) + aff_successors_bytes(traces->viewed) +
           aff_successors_bytes(traces->added) + traces->n_recent * sizeof *traces->recent +
           traces->n_products * sizeof *traces->recent_of;
}

static int by_score(const void *x, const void *y)
{
    const struct aff_neighbour *a = x, *b = y;

    if (a->score != b->score)
        return a->score < b->score ? 1 : -1;
    return a->row < b->row ? -1 : a->row > b->row;
}

aff_status aff_traces_set_recent(struct aff_traces *traces, float *weights, uint32_t n, uint32_t keep)
{
    struct aff_neighbour *recent = malloc(((size_t)n + 1) * sizeof *recent);
    uint32_t n_recent = 0;

    free(traces->recent_of);
    traces->recent_of = weights;
    traces->n_products = n;
    if (recent == NULL)
        return AFF_NOMEM;
    for (uint32_t row = 0; row < n; row++)
        if (weights[row] > 0)
            recent[n_recent++] = (struct aff_neighbour){row, weights[row]};
    qsort(recent, n_recent, sizeof *recent, by_score);
    const float most = n_recent > 0 ? recent[0].score : 1;
    for (uint32_t i = 0; i < n_recent; i++) {
        recent[i].score /= most;
        weights[recent[i].row] = recent[i].score;
    }
    traces->n_recent = n_recent < keep ? n_recent : keep;
    free(traces->recent);
    traces->recent = recent;
    return AFF_OK;
}
