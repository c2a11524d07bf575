/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sequence/alike.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400.0
#define NONE UINT32_MAX

/* A sequence that holds a product of the query. */
struct holder {
    float likeness;
    uint32_t sequence;
    uint32_t common; /* number of the newest common product */
    uint32_t slot;
};

struct aff_alike_space {
    uint32_t *slots; /* open addressing: number in `holders`, NONE where free; all NONE between calls */
    uint32_t n_slots;
    struct holder *holders;
    uint32_t n_holders, capacity;
    float *sums; /* one a product; 0 between calls */
    struct aff_neighbour *found;
    uint32_t n_products, n_found;
    uint32_t looked[AFF_ALIKE_LOOKED_MAX], ages[AFF_ALIKE_LOOKED_MAX];
    uint32_t n_looked;
};

struct aff_alike_settings aff_alike_default(void)
{
    return (struct aff_alike_settings){
        .looked = 16,
        .holders = 200,
        .neighbours = 250,
        .near = 0.2,
        .least = 0,
        .days = 0,
        .length_power = 0.25,
        .around = 2,
        .even = 0.1,
        .own = 0.6,
        .before = 0.7,
    };
}

aff_status aff_alike_space_new(struct aff_alike_space **ret_space)
{
    struct aff_alike_space *space = calloc(1, sizeof *space);

    if (space == NULL)
        return AFF_NOMEM;
    *ret_space = space;
    return AFF_OK;
}

void aff_alike_space_free(struct aff_alike_space *space)
{
    if (space == NULL)
        return;
    free(space->slots);
    free(space->holders);
    free(space->sums);
    free(space->found);
    free(space);
}

static aff_status fit_products(struct aff_alike_space *space, uint32_t n)
{
    if (n <= space->n_products && space->sums != NULL)
        return AFF_OK;
    free(space->sums);
    free(space->found);
    space->n_products = 0;
    space->sums = calloc((size_t)n + 1, sizeof *space->sums);
    space->found = malloc(((size_t)n + 1) * sizeof *space->found);
    if (space->sums == NULL || space->found == NULL)
        return AFF_NOMEM;
    space->n_products = n;
    return AFF_OK;
}

static aff_status fit_holders(struct aff_alike_space *space, uint32_t n)
{
    if (n <= space->capacity && space->slots != NULL)
        return AFF_OK;
    uint32_t n_slots = 1024;
    while (n_slots < 2 * n)
        n_slots *= 2;
    free(space->slots);
    free(space->holders);
    space->capacity = 0;
    space->slots = malloc(n_slots * sizeof *space->slots);
    space->holders = malloc((size_t)n_slots / 2 * sizeof *space->holders);
    if (space->slots == NULL || space->holders == NULL)
        return AFF_NOMEM;
    memset(space->slots, 0xFF, n_slots * sizeof *space->slots);
    space->n_slots = n_slots;
    space->capacity = n_slots / 2;
    return AFF_OK;
}

/* The newest distinct products of the query. */
static void look(const struct aff_sequences *sequences, const struct aff_alike_settings *settings,
                 struct aff_alike_space *space, const uint32_t *query, uint32_t n)
{
    space->n_looked = 0;
    for (uint32_t age = 0; age < n && space->n_looked < settings->looked; age++) {
        const uint32_t row = query[n - 1 - age];
        bool seen = row >= sequences->n_products;
        for (uint32_t i = 0; i < space->n_looked; i++)
            seen = seen || space->looked[i] == row;
        if (seen)
            continue;
        space->looked[space->n_looked] = row;
        space->ages[space->n_looked++] = age;
    }
}

static uint32_t slot_of(const struct aff_alike_space *space, uint32_t sequence)
{
    uint32_t slot = (sequence * UINT32_C(2654435769)) & (space->n_slots - 1);

    while (space->slots[slot] != NONE && space->holders[space->slots[slot]].sequence != sequence)
        slot = (slot + 1) & (space->n_slots - 1);
    return slot;
}

static uint32_t listed(const struct aff_sequences *sequences, const struct aff_alike_settings *settings,
                       uint32_t row)
{
    const uint32_t n = sequences->product_starts[row + 1] - sequences->product_starts[row];
    return n < settings->holders ? n : settings->holders;
}

/* Sums up what each sequence has in common with the query, from the newest product on. */
static void meet(const struct aff_sequences *sequences, const struct aff_alike_settings *settings,
                 struct aff_alike_space *space)
{
    space->n_holders = 0;
    for (uint32_t i = 0; i < space->n_looked; i++) {
        const uint32_t row = space->looked[i], n = listed(sequences, settings, row);
        const uint32_t *holders = sequences->holders + sequences->product_starts[row];
        const float weight = (float)fmax(exp(-(double)space->ages[i] / settings->near), settings->least);
        for (uint32_t j = 0; j < n; j++) {
            const uint32_t slot = slot_of(space, holders[j]);
            if (space->slots[slot] == NONE) {
                space->slots[slot] = space->n_holders;
                space->holders[space->n_holders++] = (struct holder){0, holders[j], i, slot};
            }
            space->holders[space->slots[slot]].likeness += weight;
        }
    }
    for (uint32_t i = 0; i < space->n_holders; i++)
        space->slots[space->holders[i].slot] = NONE;
}

static void weigh(const struct aff_sequences *sequences, const struct aff_alike_settings *settings,
                  struct aff_alike_space *space, int64_t now_s)
{
    for (uint32_t i = 0; i < space->n_holders; i++) {
        struct holder *holder = &space->holders[i];
        const uint32_t s = holder->sequence;
        const float length = (float)(sequences->starts[s + 1] - sequences->starts[s]);
        holder->likeness *=
            settings->length_power == 0.5 ? 1 / sqrtf(length) : powf(length, -(float)settings->length_power);
        if (settings->days > 0) {
            const double age_s = (double)now_s - (double)sequences->at_s[s];
            holder->likeness *= expf((float)(-(age_s > 0 ? age_s : 0) / (settings->days * DAY_S)));
        }
    }
}

static bool is_before(const struct holder *a, const struct holder *b)
{
    return a->likeness > b->likeness || (a->likeness == b->likeness && a->sequence > b->sequence);
}

/* Moves the `wanted` most alike ones to the front (Hoare's selection; no two are equal). */
static uint32_t choose(struct holder *holders, uint32_t n, uint32_t wanted)
{
    int64_t from = 0, to = (int64_t)n - 1;

    if (wanted >= n)
        return n;
    while (from < to) {
        const struct holder pivot = holders[wanted];
        int64_t i = from, j = to;
        do {
            while (is_before(&holders[i], &pivot))
                i++;
            while (is_before(&pivot, &holders[j]))
                j--;
            if (i <= j) {
                const struct holder swapped = holders[i];
                holders[i++] = holders[j];
                holders[j--] = swapped;
            }
        } while (i <= j);
        if (j < (int64_t)wanted)
            from = i;
        if ((int64_t)wanted < i)
            to = j;
    }
    return wanted;
}

/* Adds what one sequence says; `fade` is the table of exp(-distance / around). */
static void speak(const struct aff_sequences *sequences, const struct aff_alike_settings *settings,
                  struct aff_alike_space *space, const struct holder *holder, const float *fade)
{
    const uint32_t *rows = sequences->rows + sequences->starts[holder->sequence];
    const uint32_t n = sequences->starts[holder->sequence + 1] - sequences->starts[holder->sequence];
    const uint32_t common = space->looked[holder->common], age = space->ages[holder->common];
    const float even = (float)settings->even, own = (float)settings->own, before = (float)settings->before;
    float share = holder->likeness;
    uint32_t at = n - 1;

    if (age >= AFF_ALIKE_STEPS)
        return;
    share *= 1 - (float)age / AFF_ALIKE_STEPS;
    while (rows[at] != common)
        at--;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t row = rows[i];
        const float fading = i > at ? fade[i - at] : before * fade[at - i];
        const float value = share * (i == at ? own : fading + even);
        if (!(value > 0))
            continue; /* a sum that stays 0 would be listed again and again */
        if (space->sums[row] == 0)
            space->found[space->n_found++].row = row;
        space->sums[row] += value;
    }
}

aff_status aff_alike_score(const struct aff_sequences *sequences, const struct aff_alike_settings *settings,
                           struct aff_alike_space *space, const uint32_t *query, uint32_t n, int64_t now_s,
                           const struct aff_neighbour **ret_found, uint32_t *ret_n)
{
    float fade[AFF_SEQUENCE_LENGTH_MAX];
    uint32_t n_listed = 0;
    aff_status status = fit_products(space, sequences->n_products);

    look(sequences, settings, space, query, n);
    for (uint32_t i = 0; i < space->n_looked; i++)
        n_listed += listed(sequences, settings, space->looked[i]);
    if (status == AFF_OK)
        status = fit_holders(space, n_listed);
    if (status != AFF_OK)
        return status;
    for (uint32_t i = 0; i < AFF_SEQUENCE_LENGTH_MAX; i++)
        fade[i] = expf(-(float)i / (float)settings->around);
    meet(sequences, settings, space);
    weigh(sequences, settings, space, now_s);
    const uint32_t chosen = choose(space->holders, space->n_holders, settings->neighbours);
    space->n_found = 0;
    for (uint32_t i = 0; i < chosen; i++)
        speak(sequences, settings, space, &space->holders[i], fade);
    for (uint32_t i = 0; i < space->n_found; i++) {
        space->found[i].score = space->sums[space->found[i].row];
        space->sums[space->found[i].row] = 0;
    }
    *ret_found = space->found;
    *ret_n = space->n_found;
    return AFF_OK;
}
