/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/history_row.h"

#include "core/base/clock.h"

#include <endian.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/* PostgreSQL counts timestamps from 2000-01-01T00:00:00Z. */
#define POSTGRES_EPOCH_US (INT64_C(946684800) * AFF_SECOND_US)

enum { HEAD_BYTES = 20 };

void aff_history_row_done(struct aff_history_row *row)
{
    free(row->products);
    free(row->counts);
    free(row->first_at_us);
    free(row->last_at_us);
    *row = (struct aff_history_row){0};
}

/* The array with room for n elements; false if memory is out. */
static bool grow(void **array, size_t n, size_t size)
{
    void *bigger = realloc(*array, n * size);

    if (bigger != NULL)
        *array = bigger;
    return bigger != NULL;
}

static aff_status reserve(struct aff_history_row *row, uint32_t n)
{
    void *products = row->products, *counts = row->counts, *first = row->first_at_us, *last = row->last_at_us;

    if (n <= row->capacity)
        return AFF_OK;
    bool grown = grow(&products, n, sizeof *row->products) && grow(&counts, n, sizeof *row->counts) &&
                 grow(&first, n, sizeof *row->first_at_us) && grow(&last, n, sizeof *row->last_at_us);
    row->products = products;
    row->counts = counts;
    row->first_at_us = first;
    row->last_at_us = last;
    if (!grown)
        return AFF_NOMEM;
    row->capacity = n;
    return AFF_OK;
}

static uint64_t load(const unsigned char *at, size_t width)
{
    uint64_t value = 0;

    for (size_t i = 0; i < width; i++)
        value = value << 8 | at[i];
    return value;
}

/* The elements of an array column in PostgreSQL's binary form; NULL with *ret_n 0 for an empty one or none.
 */
static const unsigned char *elements(const PGresult *result, int at, int column, size_t width,
                                     uint32_t *ret_n)
{
    const unsigned char *bytes = (const unsigned char *)PQgetvalue(result, at, column);
    size_t size = (size_t)PQgetlength(result, at, column);

    *ret_n = 0;
    if (size < HEAD_BYTES)
        return NULL;
    size_t n = load(bytes + 12, 4);
    if (size != HEAD_BYTES + n * (4 + width))
        return NULL;
    *ret_n = (uint32_t)n;
    return bytes + HEAD_BYTES;
}

aff_status aff_history_row_take(struct aff_history_row *row, const PGresult *result, int at, int column,
                                struct aff_error *reterr)
{
    uint32_t n[4];
    const unsigned char *products = elements(result, at, column, 4, &n[0]);
    const unsigned char *counts = elements(result, at, column + 1, 4, &n[1]);
    const unsigned char *first = elements(result, at, column + 2, 8, &n[2]);
    const unsigned char *last = elements(result, at, column + 3, 8, &n[3]);

    if (n[1] != n[0] || n[2] != n[0] || n[3] != n[0])
        return aff_error_set(reterr, AFF_DATA,
                             "affinity.customer_history: the arrays of a customer differ in length; run"
                             " 'affinityctl rebuild'");
    if (reserve(row, n[0]) != AFF_OK)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    row->n = n[0];
    for (uint32_t i = 0; i < row->n; i++) {
        row->products[i] = (int32_t)load(products + i * 8 + 4, 4);
        row->counts[i] = (int32_t)load(counts + i * 8 + 4, 4);
        row->first_at_us[i] = (int64_t)load(first + i * 12 + 4, 8) + POSTGRES_EPOCH_US;
        row->last_at_us[i] = (int64_t)load(last + i * 12 + 4, 8) + POSTGRES_EPOCH_US;
    }
    return AFF_OK;
}

/* ---- merging ---- */

struct purchase {
    int32_t product, count;
    int64_t first_at_us, last_at_us;
};

static int by_product(const void *a, const void *b)
{
    const struct purchase *x = a, *y = b;
    return x->product < y->product ? -1 : x->product > y->product;
}

static int by_time(const void *a, const void *b)
{
    const struct purchase *x = a, *y = b;
    if (x->last_at_us != y->last_at_us)
        return x->last_at_us > y->last_at_us ? -1 : 1;
    return by_product(a, b);
}

static void put(struct aff_history_row *merged, struct purchase *all, uint32_t n, uint32_t limit)
{
    uint32_t distinct = 0;

    if (n > 0)
        qsort(all, n, sizeof *all, by_product);
    for (uint32_t i = 0; i < n; i++) {
        struct purchase *last = distinct == 0 ? NULL : &all[distinct - 1];
        if (last == NULL || last->product != all[i].product) {
            all[distinct++] = all[i];
            continue;
        }
        last->count += all[i].count;
        if (all[i].first_at_us < last->first_at_us)
            last->first_at_us = all[i].first_at_us;
        if (all[i].last_at_us > last->last_at_us)
            last->last_at_us = all[i].last_at_us;
    }
    if (distinct > 0)
        qsort(all, distinct, sizeof *all, by_time);
    merged->n = distinct < limit ? distinct : limit;
    for (uint32_t i = 0; i < merged->n; i++) {
        merged->products[i] = all[i].product;
        merged->counts[i] = all[i].count;
        merged->first_at_us[i] = all[i].first_at_us;
        merged->last_at_us[i] = all[i].last_at_us;
    }
}

aff_status aff_history_row_merge(struct aff_history_row *merged, const struct aff_history_row *kept,
                                 const struct aff_customer_history *added, uint32_t limit)
{
    uint32_t n = kept->n + added->n;
    struct purchase *all = malloc(((size_t)n + 1) * sizeof *all);

    if (all == NULL || reserve(merged, n) != AFF_OK) {
        free(all);
        return AFF_NOMEM;
    }
    for (uint32_t i = 0; i < kept->n; i++)
        all[i] =
            (struct purchase){kept->products[i], kept->counts[i], kept->first_at_us[i], kept->last_at_us[i]};
    for (uint32_t i = 0; i < added->n; i++)
        all[kept->n + i] = (struct purchase){added->products[i], added->counts[i], added->first_at_us[i],
                                             added->last_at_us_of[i]};
    put(merged, all, n, limit);
    free(all);
    return AFF_OK;
}
