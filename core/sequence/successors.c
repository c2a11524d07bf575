/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sequence/successors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400.0

/* What the gathering of one product's rules needs. */
struct gathering {
    const struct aff_sequences *sequences;
    const struct aff_successors_settings *settings;
    uint32_t *place_starts, *places; /* of each product, in the order of time */
    uint32_t *sequence_of;           /* of each place */
    double *sums;                    /* of each product; 0 between products */
    struct aff_neighbour *found;
    uint32_t n_found;
};

static int by_score(const void *x, const void *y)
{
    const struct aff_neighbour *a = x, *b = y;

    if (a->score != b->score)
        return a->score < b->score ? 1 : -1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static void list_places(struct gathering *gathering)
{
    const struct aff_sequences *sequences = gathering->sequences;
    const uint32_t n_places = sequences->starts[sequences->n];
    uint32_t *starts = gathering->place_starts;

    memset(starts, 0, ((size_t)sequences->n_products + 2) * sizeof *starts);
    for (uint32_t i = 0; i < n_places; i++)
        starts[sequences->rows[i] + 2]++;
    for (uint32_t row = 0; row < sequences->n_products; row++)
        starts[row + 2] += starts[row + 1];
    for (uint32_t i = 0; i < n_places; i++)
        gathering->places[starts[sequences->rows[i] + 1]++] = i;
    for (uint32_t s = 0; s < sequences->n; s++)
        for (uint32_t i = sequences->starts[s]; i < sequences->starts[s + 1]; i++)
            gathering->sequence_of[i] = s;
}

static double age_weight(const struct gathering *gathering, uint32_t sequence)
{
    const struct aff_sequences *sequences = gathering->sequences;
    const double age_s = (double)sequences->at_s[sequences->n - 1] - (double)sequences->at_s[sequence];

    return exp2(-age_s / (gathering->settings->half_life_days * DAY_S));
}

/* Sums up what follows product `row`; returns the weight of its places. */
static double follow(struct gathering *gathering, uint32_t row)
{
    const struct aff_sequences *sequences = gathering->sequences;
    double weight = 0;

    gathering->n_found = 0;
    for (uint32_t p = gathering->place_starts[row]; p < gathering->place_starts[row + 1]; p++) {
        const uint32_t place = gathering->places[p], sequence = gathering->sequence_of[place];
        const uint32_t end = sequences->starts[sequence + 1];
        const double age = age_weight(gathering, sequence);
        weight += age;
        for (uint32_t distance = 1; distance <= gathering->settings->reach && place + distance < end;
             distance++) {
            const uint32_t other = sequences->rows[place + distance];
            if (other == row && !gathering->settings->repeats)
                continue;
            if (gathering->sums[other] == 0)
                gathering->found[gathering->n_found++].row = other;
            gathering->sums[other] += age / distance;
        }
    }
    return weight;
}

static uint32_t settle(struct gathering *gathering, double weight)
{
    const uint32_t keep = gathering->settings->keep;

    for (uint32_t i = 0; i < gathering->n_found; i++) {
        struct aff_neighbour *entry = &gathering->found[i];
        entry->score = (float)(gathering->sums[entry->row] / (weight + gathering->settings->shrink));
        gathering->sums[entry->row] = 0;
    }
    qsort(gathering->found, gathering->n_found, sizeof *gathering->found, by_score);
    return gathering->n_found < keep ? gathering->n_found : keep;
}

static aff_status gather(struct gathering *gathering, struct aff_successors *successors)
{
    size_t capacity = 0, n = 0;

    list_places(gathering);
    for (uint32_t row = 0; row < successors->n_products; row++) {
        const double weight = follow(gathering, row);
        const uint32_t kept = settle(gathering, weight);
        if (n + kept > UINT32_MAX)
            return AFF_LIMIT;
        if (n + kept > capacity || successors->entries == NULL) {
            capacity = (n + kept + 1024) * 2;
            struct aff_neighbour *entries = realloc(successors->entries, capacity * sizeof *entries);
            if (entries == NULL)
                return AFF_NOMEM;
            successors->entries = entries;
        }
        successors->starts[row] = (uint32_t)n;
        memcpy(successors->entries + n, gathering->found, kept * sizeof *gathering->found);
        n += kept;
    }
    successors->starts[successors->n_products] = (uint32_t)n;
    struct aff_neighbour *fitting = realloc(successors->entries, (n + 1) * sizeof *fitting);
    if (fitting != NULL)
        successors->entries = fitting;
    return AFF_OK;
}

aff_status aff_successors_build(const struct aff_sequences *sequences,
                                const struct aff_successors_settings *settings,
                                struct aff_successors **ret_successors)
{
    const size_t n_products = sequences->n_products, n_places = sequences->starts[sequences->n];
    struct gathering gathering = {.sequences = sequences, .settings = settings};
    struct aff_successors *successors = calloc(1, sizeof *successors);
    aff_status status = AFF_NOMEM;

    gathering.place_starts = malloc((n_products + 2) * sizeof *gathering.place_starts);
    gathering.places = malloc((n_places + 1) * sizeof *gathering.places);
    gathering.sequence_of = malloc((n_places + 1) * sizeof *gathering.sequence_of);
    gathering.sums = calloc(n_products + 1, sizeof *gathering.sums);
    gathering.found = malloc((n_products + 1) * sizeof *gathering.found);
    if (successors != NULL) {
        successors->n_products = sequences->n_products;
        successors->starts = malloc((n_products + 1) * sizeof *successors->starts);
    }
    if (successors != NULL && successors->starts != NULL && gathering.place_starts != NULL &&
        gathering.places != NULL && gathering.sequence_of != NULL && gathering.sums != NULL &&
        gathering.found != NULL)
        status = gather(&gathering, successors);
    free(gathering.place_starts);
    free(gathering.places);
    free(gathering.sequence_of);
    free(gathering.sums);
    free(gathering.found);
    if (status == AFF_OK)
        *ret_successors = successors;
    else
        aff_successors_free(successors);
    return status;
}

void aff_successors_free(struct aff_successors *successors)
{
    if (successors == NULL)
        return;
    if (!successors->borrowed) {
        free(successors->starts);
        free(successors->entries);
    }
    free(successors);
}

const struct aff_neighbour *aff_successors_of(const struct aff_successors *successors, uint32_t row,
                                              uint32_t *ret_n)
{
    if (successors == NULL || row >= successors->n_products) {
        *ret_n = 0;
        return NULL;
    }
    *ret_n = successors->starts[row + 1] - successors->starts[row];
    return successors->entries + successors->starts[row];
}

size_t aff_successors_bytes(const struct aff_successors *successors)
{
    if (successors == NULL)
        return 0;
    return sizeof *successors + ((size_t)successors->n_products + 1) * sizeof *successors->starts +
           successors->starts[successors->n_products] * sizeof *successors->entries;
}
