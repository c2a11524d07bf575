/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sequence/gathering.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400.0

/* What is looked through for each product. */
struct places {
    const struct aff_sequences *sequences;
    const struct aff_successors_settings *settings;
    uint32_t *starts, *places; /* of each product, in the order of time */
    uint32_t *sequence_of;     /* of each place */
};

static void list_places(struct places *places)
{
    const struct aff_sequences *sequences = places->sequences;
    const uint32_t n_places = sequences->starts[sequences->n];
    uint32_t *starts = places->starts;

    memset(starts, 0, ((size_t)sequences->n_products + 2) * sizeof *starts);
    for (uint32_t i = 0; i < n_places; i++)
        starts[sequences->rows[i] + 2]++;
    for (uint32_t row = 0; row < sequences->n_products; row++)
        starts[row + 2] += starts[row + 1];
    for (uint32_t i = 0; i < n_places; i++)
        places->places[starts[sequences->rows[i] + 1]++] = i;
    for (uint32_t s = 0; s < sequences->n; s++)
        for (uint32_t i = sequences->starts[s]; i < sequences->starts[s + 1]; i++)
            places->sequence_of[i] = s;
}

static double age_weight(const struct places *places, uint32_t sequence)
{
    const struct aff_sequences *sequences = places->sequences;
    const double age_s = (double)sequences->at_s[sequences->n - 1] - (double)sequences->at_s[sequence];

    return exp2(-age_s / (places->settings->half_life_days * DAY_S));
}

/* Sums up what follows product `row`; returns the weight of its places. */
static double follow(const struct places *places, uint32_t row, struct aff_gathering *gathering)
{
    const struct aff_sequences *sequences = places->sequences;
    double weight = 0;

    for (uint32_t p = places->starts[row]; p < places->starts[row + 1]; p++) {
        const uint32_t place = places->places[p], sequence = places->sequence_of[place];
        const uint32_t end = sequences->starts[sequence + 1];
        const double age = age_weight(places, sequence);
        weight += age;
        for (uint32_t distance = 1; distance <= places->settings->reach && place + distance < end;
             distance++) {
            const uint32_t other = sequences->rows[place + distance];
            if (other != row || places->settings->repeats)
                aff_gathering_add(gathering, other, age / distance);
        }
    }
    return weight;
}

aff_status aff_successors_build(const struct aff_sequences *sequences,
                                const struct aff_successors_settings *settings,
                                struct aff_successors **ret_successors)
{
    const size_t n_products = sequences->n_products, n_places = sequences->starts[sequences->n];
    struct places places = {.sequences = sequences, .settings = settings};
    struct aff_gathering gathering;
    aff_status status = aff_gathering_begin(&gathering, sequences->n_products, settings->keep);

    places.starts = malloc((n_products + 2) * sizeof *places.starts);
    places.places = malloc((n_places + 1) * sizeof *places.places);
    places.sequence_of = malloc((n_places + 1) * sizeof *places.sequence_of);
    if (places.starts == NULL || places.places == NULL || places.sequence_of == NULL)
        status = AFF_NOMEM;
    if (status == AFF_OK)
        list_places(&places);
    for (uint32_t row = 0; status == AFF_OK && row < sequences->n_products; row++) {
        const double weight = follow(&places, row, &gathering);
        status = aff_gathering_settle(&gathering, weight + settings->shrink);
    }
    free(places.starts);
    free(places.places);
    free(places.sequence_of);
    return aff_gathering_end(&gathering, status, ret_successors);
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
