/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sequence/alike.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400.0
#define NONE UINT32_MAX

enum { ROWS_AHEAD = 12 }; /* sequences whose products are asked for before they are needed */

/* A sequence that holds a product of the query. */
struct holder {
    float likeness;
    uint32_t sequence;
    uint32_t common; /* number of the newest common product */
    uint32_t slot;
};

/* What the settings say of lengths and distances, reckoned once for all questions with the same settings. */
struct tables {
    bool made;
    double length_power, around, even, before; /* that they were made of */
    float length[AFF_SEQUENCE_LENGTH_MAX + 1]; /* what a length multiplies likeness by */
    /* What a place counts: at [AFF_SEQUENCE_LENGTH_MAX] the newest common product's, and around it the
     * others. */
    float places[2 * AFF_SEQUENCE_LENGTH_MAX];
};

/* Numbers of something that is looked up by a 32-bit key: open addressing, at most half full, NONE where
 * free. Small enough for the nearest cache, which a table with a place for each product is not. */
struct slots {
    uint32_t *at;
    unsigned bits;
    size_t capacity;
};

struct aff_alike_space {
    struct tables tables;
    struct slots by_sequence; /* numbers in `holders`; all NONE between calls */
    struct holder *holders;
    uint64_t *keys; /* of the holders, while some are chosen */
    uint32_t n_holders, capacity;
    struct slots by_product; /* numbers in `found`; all NONE between calls */
    struct aff_neighbour *found;
    uint32_t n_found, found_capacity;
    uint32_t looked[AFF_ALIKE_LOOKED_MAX], ages[AFF_ALIKE_LOOKED_MAX];
    float weights[AFF_ALIKE_LOOKED_MAX];
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
    free(space->by_sequence.at);
    free(space->holders);
    free(space->keys);
    free(space->by_product.at);
    free(space->found);
    free(space);
}

/* Gives the slots twice as many places as there may be keys. All are free. */
static aff_status fit_slots(struct slots *slots, uint32_t n_keys)
{
    unsigned bits = 10;

    while (UINT64_C(1) << bits < (uint64_t)2 * n_keys)
        bits++;
    if (slots->at == NULL || slots->capacity < (size_t)1 << bits) {
        free(slots->at);
        slots->at = malloc(((size_t)1 << bits) * sizeof *slots->at);
        if (slots->at == NULL)
            return AFF_NOMEM;
        slots->capacity = (size_t)1 << bits;
        memset(slots->at, 0xFF, slots->capacity * sizeof *slots->at);
    }
    slots->bits = bits;
    return AFF_OK;
}

static inline uint32_t first_slot(const struct slots *slots, uint32_t key)
{
    return (key * UINT32_C(2654435769)) >> (32 - slots->bits);
}

static inline uint32_t next_slot(const struct slots *slots, uint32_t slot)
{
    return (slot + 1) & ((UINT32_C(1) << slots->bits) - 1);
}

static aff_status fit_holders(struct aff_alike_space *space, uint32_t n)
{
    if (n > space->capacity || space->holders == NULL || space->keys == NULL) {
        free(space->holders);
        free(space->keys);
        space->capacity = 0;
        space->holders = malloc(((size_t)n + 1) * sizeof *space->holders);
        space->keys = malloc(((size_t)n + 1) * sizeof *space->keys);
        if (space->holders == NULL || space->keys == NULL)
            return AFF_NOMEM;
        space->capacity = n;
    }
    return fit_slots(&space->by_sequence, n);
}

static aff_status fit_found(struct aff_alike_space *space, uint32_t n)
{
    if (n > space->found_capacity || space->found == NULL) {
        free(space->found);
        space->found_capacity = 0;
        space->found = malloc(((size_t)n + 1) * sizeof *space->found);
        if (space->found == NULL)
            return AFF_NOMEM;
        space->found_capacity = n;
    }
    return fit_slots(&space->by_product, n);
}

static void fit_tables(struct tables *tables, const struct aff_alike_settings *settings)
{
    const float even = (float)settings->even, before = (float)settings->before;
    float *middle = tables->places + AFF_SEQUENCE_LENGTH_MAX;

    middle[0] = (float)settings->own; /* the one setting that visitors differ in */
    if (tables->made && tables->length_power == settings->length_power &&
        tables->around == settings->around && tables->even == settings->even &&
        tables->before == settings->before)
        return;
    for (uint32_t n = 1; n <= AFF_SEQUENCE_LENGTH_MAX; n++)
        tables->length[n] = settings->length_power == 0.5 ? 1 / sqrtf((float)n)
                                                          : powf((float)n, -(float)settings->length_power);
    tables->length[0] = 0; /* no sequence is empty */
    tables->places[0] = 0; /* no two places are so far apart */
    for (int distance = 1; distance < AFF_SEQUENCE_LENGTH_MAX; distance++) {
        const float fade = expf(-(float)distance / (float)settings->around);
        middle[distance] = fade + even;
        middle[-distance] = before * fade + even;
    }
    tables->length_power = settings->length_power;
    tables->around = settings->around;
    tables->even = settings->even;
    tables->before = settings->before;
    tables->made = true;
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
    const struct slots *slots = &space->by_sequence;
    uint32_t slot = first_slot(slots, sequence);

    while (slots->at[slot] != NONE && space->holders[slots->at[slot]].sequence != sequence)
        slot = next_slot(slots, slot);
    return slot;
}

static uint32_t listed(const struct aff_sequences *sequences, const struct aff_alike_settings *settings,
                       uint32_t row)
{
    const uint32_t n = sequences->product_starts[row + 1] - sequences->product_starts[row];
    return n < settings->holders ? n : settings->holders;
}

static void find_weights(struct aff_alike_space *space, const struct aff_alike_settings *settings)
{
    for (uint32_t i = 0; i < space->n_looked; i++)
        space->weights[i] = (float)fmax(exp(-(double)space->ages[i] / settings->near), settings->least);
}

/* True if enough sequences are known and none that holds only products from number i on can be among the most
 * alike: even one that holds all of them, of the luckiest length, is less alike than the least lucky of those
 * that are known. Ages of sequences would need bounds, too, so with them it is never said. */
static bool is_closed(const struct aff_alike_space *space, const struct aff_alike_settings *settings,
                      uint32_t i)
{
    const float shortest = space->tables.length[1], longest = space->tables.length[AFF_SEQUENCE_LENGTH_MAX];
    double reach = 0;

    if (i == 0 || settings->days > 0 || space->n_holders < settings->neighbours)
        return false;
    for (uint32_t j = i; j < space->n_looked; j++)
        reach += (double)space->weights[j];
    return (double)space->weights[i - 1] * (double)fminf(shortest, longest) >
           1.001 * reach * (double)fmaxf(shortest, longest);
}

/* Adds the weight of product i to the sequences that hold it and are known. */
static void meet_known(const struct aff_sequences *sequences, struct aff_alike_space *space, uint32_t i,
                       uint32_t n)
{
    const uint32_t *holders = sequences->holders + sequences->product_starts[space->looked[i]];

    for (uint32_t j = 0; j < n; j++) {
        const uint32_t known = space->by_sequence.at[slot_of(space, holders[j])];
        if (known != NONE)
            space->holders[known].likeness += space->weights[i];
    }
}

/* The same, and makes the others known. */
static void meet_all(const struct aff_sequences *sequences, struct aff_alike_space *space, uint32_t i,
                     uint32_t n)
{
    const uint32_t *listed_holders = sequences->holders + sequences->product_starts[space->looked[i]];
    struct holder *holders = space->holders;
    const float weight = space->weights[i];
    uint32_t n_holders = space->n_holders;

    for (uint32_t j = 0; j < n; j++) {
        const uint32_t sequence = listed_holders[j], slot = slot_of(space, sequence);
        const uint32_t before = space->by_sequence.at[slot];
        const uint32_t number = before == NONE ? n_holders : before;
        __builtin_prefetch(&sequences->starts[sequence]);
        holders[n_holders] = (struct holder){0, sequence, i, slot};
        space->by_sequence.at[slot] = number;
        holders[number].likeness += weight;
        n_holders += before == NONE;
    }
    space->n_holders = n_holders;
}

/* Sums up what each sequence has in common with the query, from the newest product on. */
static void meet(const struct aff_sequences *sequences, const struct aff_alike_settings *settings,
                 struct aff_alike_space *space)
{
    bool closed = false;

    space->n_holders = 0;
    for (uint32_t i = 0; i < space->n_looked; i++) {
        const uint32_t n = listed(sequences, settings, space->looked[i]);
        closed = closed || is_closed(space, settings, i);
        if (closed)
            meet_known(sequences, space, i, n);
        else
            meet_all(sequences, space, i, n);
    }
    for (uint32_t i = 0; i < space->n_holders; i++)
        space->by_sequence.at[space->holders[i].slot] = NONE;
}

static void weigh(const struct aff_sequences *sequences, const struct aff_alike_settings *settings,
                  struct aff_alike_space *space, int64_t now_s)
{
    for (uint32_t i = 0; i < space->n_holders; i++) {
        struct holder *holder = &space->holders[i];
        const uint32_t s = holder->sequence;
        holder->likeness *= space->tables.length[sequences->starts[s + 1] - sequences->starts[s]];
        if (settings->days > 0) {
            const double age_s = (double)now_s - (double)sequences->at_s[s];
            holder->likeness *= expf((float)(-(age_s > 0 ? age_s : 0) / (settings->days * DAY_S)));
        }
    }
}

/* Orders sequences by likeness, which is never negative, and equally alike ones by number. */
static uint64_t key_of(const struct holder *holder)
{
    uint32_t bits;

    memcpy(&bits, &holder->likeness, sizeof bits);
    return (uint64_t)bits << 32 | holder->sequence;
}

/* The wanted-th largest of n different keys, which are shuffled (Hoare's selection, dividing with Lomuto's
 * scheme, in which each key is moved and only a number depends on it: nobody could guess the branches). */
static uint64_t select_key(uint64_t *keys, uint32_t n, uint32_t wanted)
{
    uint32_t from = 0, to = n;

    while (to - from > 1) {
        const uint32_t middle = from + (to - from) / 2;
        const uint64_t pivot = keys[middle];
        uint32_t larger = from;
        keys[middle] = keys[to - 1];
        for (uint32_t i = from; i + 1 < to; i++) {
            const uint64_t key = keys[i];
            keys[i] = keys[larger];
            keys[larger] = key;
            larger += key > pivot;
        }
        keys[to - 1] = keys[larger];
        keys[larger] = pivot;
        if (larger == wanted - 1)
            return pivot;
        if (larger < wanted)
            from = larger + 1;
        else
            to = larger;
    }
    return keys[from];
}

/* Moves the `wanted` most alike ones to the front, in the order in which they were met. */
static uint32_t choose(struct aff_alike_space *space, uint32_t wanted)
{
    struct holder *holders = space->holders;
    uint32_t n = 0;

    if (wanted >= space->n_holders)
        return space->n_holders;
    if (wanted == 0)
        return 0;
    for (uint32_t i = 0; i < space->n_holders; i++)
        space->keys[i] = key_of(&holders[i]);
    const uint64_t least = select_key(space->keys, space->n_holders, wanted);
    for (uint32_t i = 0; i < space->n_holders; i++) {
        const struct holder holder = holders[i];
        holders[n] = holder;
        n += key_of(&holder) >= least;
    }
    return n;
}

/* Adds a share to a product. The product is put on the list each time and stays there if it was not yet: no
 * branch depends on that, which nobody could guess. */
static inline void add(struct aff_alike_space *space, uint32_t row, float share)
{
    const struct slots *slots = &space->by_product;
    struct aff_neighbour *found = space->found;
    const uint32_t n = space->n_found;
    uint32_t slot = first_slot(slots, row), number;

    found[n] = (struct aff_neighbour){row, 0};
    for (;;) {
        number = slots->at[slot] == NONE ? n : slots->at[slot];
        if (__builtin_expect(found[number].row == row, 1))
            break;
        slot = next_slot(slots, slot);
    }
    slots->at[slot] = number;
    found[number].score += share;
    space->n_found = n + (number == n);
}

/* Adds what one sequence says. */
static void speak(const struct aff_sequences *sequences, struct aff_alike_space *space,
                  const struct holder *holder)
{
    const uint32_t *rows = sequences->rows + sequences->starts[holder->sequence];
    const uint32_t n = sequences->starts[holder->sequence + 1] - sequences->starts[holder->sequence];
    const uint32_t common = space->looked[holder->common], age = space->ages[holder->common];
    float share = holder->likeness;
    uint32_t at = 0;

    if (age >= AFF_ALIKE_STEPS)
        return;
    share *= 1 - (float)age / AFF_ALIKE_STEPS;
    for (uint32_t i = 0; i < n; i++)
        at = rows[i] == common ? i : at;
    const float *places = space->tables.places + AFF_SEQUENCE_LENGTH_MAX - at;
    for (uint32_t i = 0; i < n; i++) {
        const float value = share * places[i];
        if (__builtin_expect(value > 0, 1)) /* what counts nothing is not named */
            add(space, rows[i], value);
    }
}

/* Lets the chosen sequences speak. AFF_NOMEM. */
static aff_status hear(const struct aff_sequences *sequences, struct aff_alike_space *space, uint32_t chosen)
{
    uint32_t n_places = 0;

    space->n_found = 0;
    for (uint32_t i = 0; i < chosen; i++) {
        const uint32_t s = space->holders[i].sequence;
        n_places += sequences->starts[s + 1] - sequences->starts[s];
    }
    aff_status status = fit_found(space, n_places);
    if (status != AFF_OK)
        return status;
    for (uint32_t i = 0; i < chosen; i++) {
        const uint32_t later = i + ROWS_AHEAD < chosen ? i + ROWS_AHEAD : i;
        __builtin_prefetch(&sequences->rows[sequences->starts[space->holders[later].sequence]]);
        speak(sequences, space, &space->holders[i]);
    }
    memset(space->by_product.at, 0xFF, sizeof *space->by_product.at << space->by_product.bits);
    return AFF_OK;
}

aff_status aff_alike_score(const struct aff_sequences *sequences, const struct aff_alike_settings *settings,
                           struct aff_alike_space *space, const uint32_t *query, uint32_t n, int64_t now_s,
                           const struct aff_neighbour **ret_found, uint32_t *ret_n)
{
    uint32_t n_listed = 0;

    look(sequences, settings, space, query, n);
    for (uint32_t i = 0; i < space->n_looked; i++)
        n_listed += listed(sequences, settings, space->looked[i]);
    aff_status status = fit_holders(space, n_listed);
    if (status != AFF_OK)
        return status;
    fit_tables(&space->tables, settings);
    find_weights(space, settings);
    meet(sequences, settings, space);
    weigh(sequences, settings, space, now_s);
    status = hear(sequences, space, choose(space, settings->neighbours));
    if (status != AFF_OK)
        return status;
    *ret_found = space->found;
    *ret_n = space->n_found;
    return AFF_OK;
}
