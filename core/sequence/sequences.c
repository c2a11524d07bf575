/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sequence/sequences.h"

#include "core/base/sort.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROWS (UINT32_MAX - 1)

struct aff_sequences_builder {
    struct aff_keyed *order; /* key: time; value: number of the sequence as added */
    uint32_t *starts;        /* of each sequence as added, and the end of the last */
    uint32_t n, capacity;
    uint32_t *rows;
    uint32_t n_rows, rows_capacity;
};

aff_status aff_sequences_builder_new(struct aff_sequences_builder **ret_builder)
{
    struct aff_sequences_builder *builder = calloc(1, sizeof *builder);

    if (builder == NULL)
        return AFF_NOMEM;
    *ret_builder = builder;
    return AFF_OK;
}

void aff_sequences_builder_free(struct aff_sequences_builder *builder)
{
    if (builder == NULL)
        return;
    free(builder->order);
    free(builder->starts);
    free(builder->rows);
    free(builder);
}

static uint32_t grown(uint32_t capacity, uint32_t wanted)
{
    uint64_t larger = capacity < 1024 ? 1024 : (uint64_t)capacity * 2;

    if (larger < wanted)
        larger = wanted;
    return larger > MOST_ROWS ? MOST_ROWS : (uint32_t)larger;
}

static aff_status reserve(struct aff_sequences_builder *builder, uint32_t n)
{
    if (builder->n_rows > MOST_ROWS - n || builder->n >= MOST_ROWS - 1)
        return AFF_LIMIT;
    if (builder->n == builder->capacity) {
        uint32_t capacity = grown(builder->capacity, builder->n + 1);
        struct aff_keyed *order = realloc(builder->order, capacity * sizeof *order);
        if (order == NULL)
            return AFF_NOMEM;
        builder->order = order;
        uint32_t *starts = realloc(builder->starts, ((size_t)capacity + 1) * sizeof *starts);
        if (starts == NULL)
            return AFF_NOMEM;
        builder->starts = starts;
        builder->capacity = capacity;
    }
    if (builder->n_rows + n > builder->rows_capacity) {
        uint32_t capacity = grown(builder->rows_capacity, builder->n_rows + n);
        uint32_t *rows = realloc(builder->rows, capacity * sizeof *rows);
        if (rows == NULL)
            return AFF_NOMEM;
        builder->rows = rows;
        builder->rows_capacity = capacity;
    }
    return AFF_OK;
}

aff_status aff_sequences_builder_add(struct aff_sequences_builder *builder, const uint32_t *rows, uint32_t n,
                                     uint32_t at_s)
{
    if (n == 0)
        return AFF_OK;
    if (n > AFF_SEQUENCE_LENGTH_MAX) {
        rows += n - AFF_SEQUENCE_LENGTH_MAX;
        n = AFF_SEQUENCE_LENGTH_MAX;
    }
    aff_status status = reserve(builder, n);
    if (status != AFF_OK)
        return status;
    memcpy(builder->rows + builder->n_rows, rows, n * sizeof *rows);
    builder->order[builder->n] = (struct aff_keyed){.key = at_s, .value = builder->n};
    builder->starts[builder->n++] = builder->n_rows;
    builder->n_rows += n;
    builder->starts[builder->n] = builder->n_rows;
    return AFF_OK;
}

void aff_sequences_free(struct aff_sequences *sequences)
{
    if (sequences == NULL)
        return;
    if (!sequences->borrowed) {
        free(sequences->starts);
        free(sequences->rows);
        free(sequences->at_s);
        free(sequences->product_starts);
        free(sequences->holders);
    }
    free(sequences);
}

/* Puts the sequences into the order of time. */
static void arrange(const struct aff_sequences_builder *builder, struct aff_sequences *sequences)
{
    uint32_t at = 0;

    for (uint32_t s = 0; s < builder->n; s++) {
        const uint32_t from = builder->order[s].value;
        const uint32_t n = builder->starts[from + 1] - builder->starts[from];
        sequences->starts[s] = at;
        sequences->at_s[s] = (uint32_t)builder->order[s].key;
        memcpy(sequences->rows + at, builder->rows + builder->starts[from], n * sizeof *sequences->rows);
        at += n;
    }
    sequences->starts[builder->n] = at;
}

/* Walks the sequences from the newest to the oldest. `last` holds for each product 1 + the sequence that
 * listed it last, so that a sequence is listed once; without `fill` the listings are only counted. */
static void list_holders(struct aff_sequences *sequences, uint32_t most, uint32_t *counts, uint32_t *last,
                         bool fill)
{
    memset(counts, 0, sequences->n_products * sizeof *counts);
    memset(last, 0, sequences->n_products * sizeof *last);
    for (uint32_t s = sequences->n; s-- > 0;) {
        for (uint32_t i = sequences->starts[s]; i < sequences->starts[s + 1]; i++) {
            const uint32_t row = sequences->rows[i];
            if (last[row] == s + 1 || counts[row] == most)
                continue;
            last[row] = s + 1;
            if (fill)
                sequences->holders[sequences->product_starts[row] + counts[row]] = s;
            counts[row]++;
        }
    }
}

static aff_status make_holders(struct aff_sequences *sequences, uint32_t most)
{
    const size_t n_products = sequences->n_products;
    uint32_t *counts = malloc((n_products + 1) * sizeof *counts);
    uint32_t *last = malloc((n_products + 1) * sizeof *last);
    aff_status status = AFF_NOMEM;

    if (counts == NULL || last == NULL)
        goto out;
    list_holders(sequences, most, counts, last, false);
    sequences->product_starts[0] = 0;
    for (size_t row = 0; row < n_products; row++)
        sequences->product_starts[row + 1] = sequences->product_starts[row] + counts[row];
    sequences->holders =
        malloc(((size_t)sequences->product_starts[n_products] + 1) * sizeof *sequences->holders);
    if (sequences->holders == NULL)
        goto out;
    list_holders(sequences, most, counts, last, true);
    status = AFF_OK;
out:
    free(counts);
    free(last);
    return status;
}

/* Sequences with room for n of them and for all of their products, whose lists are not made yet. */
static struct aff_sequences *allocate(size_t n, size_t n_rows, size_t n_products)
{
    struct aff_sequences *sequences = calloc(1, sizeof *sequences);

    if (sequences == NULL)
        return NULL;
    sequences->n = (uint32_t)n;
    sequences->n_products = (uint32_t)n_products;
    sequences->starts = malloc((n + 1) * sizeof *sequences->starts);
    sequences->rows = malloc((n_rows + 1) * sizeof *sequences->rows);
    sequences->at_s = malloc((n + 1) * sizeof *sequences->at_s);
    sequences->product_starts = malloc((n_products + 1) * sizeof *sequences->product_starts);
    if (sequences->starts != NULL && sequences->rows != NULL && sequences->at_s != NULL &&
        sequences->product_starts != NULL)
        return sequences;
    aff_sequences_free(sequences);
    return NULL;
}

aff_status aff_sequences_builder_finish(struct aff_sequences_builder *builder, uint32_t n_products,
                                        uint32_t holders, struct aff_sequences **ret_sequences)
{
    struct aff_keyed *scratch = malloc(((size_t)builder->n + 1) * sizeof *scratch);
    struct aff_sequences *sequences = allocate(builder->n, builder->n_rows, n_products);
    aff_status status = AFF_NOMEM;

    if (scratch == NULL || sequences == NULL)
        goto out;
    if (builder->n > 0)
        aff_sort_keyed(builder->order, builder->n, scratch);
    arrange(builder, sequences);
    status = make_holders(sequences, holders);
out:
    free(scratch);
    if (status == AFF_OK)
        *ret_sequences = sequences;
    else
        aff_sequences_free(sequences);
    return status;
}

aff_status aff_sequences_newest(const struct aff_sequences *sequences, uint32_t n, uint32_t holders,
                                struct aff_sequences **ret_sequences)
{
    const uint32_t kept = n < sequences->n ? n : sequences->n, first = sequences->n - kept;
    const uint32_t from = sequences->starts[first];
    const size_t n_rows = sequences->starts[sequences->n] - from;
    struct aff_sequences *newest = allocate(kept, n_rows, sequences->n_products);

    if (newest == NULL)
        return AFF_NOMEM;
    for (uint32_t s = 0; s <= kept; s++)
        newest->starts[s] = sequences->starts[first + s] - from;
    memcpy(newest->rows, sequences->rows + from, n_rows * sizeof *newest->rows);
    memcpy(newest->at_s, sequences->at_s + first, kept * sizeof *newest->at_s);
    aff_status status = make_holders(newest, holders);
    if (status == AFF_OK)
        *ret_sequences = newest;
    else
        aff_sequences_free(newest);
    return status;
}

size_t aff_sequences_bytes(const struct aff_sequences *sequences)
{
    if (sequences == NULL)
        return 0;
    const size_t n_rows = sequences->starts[sequences->n];
    const size_t n_holders = sequences->product_starts[sequences->n_products];

    return sizeof *sequences +
           ((size_t)2 * sequences->n + 1 + n_rows + sequences->n_products + 1 + n_holders) * sizeof(uint32_t);
}
