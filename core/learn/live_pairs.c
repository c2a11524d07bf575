/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/decay.h"
#include "core/learn/live_pairs_internal.h"

#include <stdlib.h>
#include <string.h>

enum { LINK_BYTES = 2 * sizeof(uint32_t) + sizeof(float) };

static float units(int64_t weight)
{
    return (float)((double)weight / (double)AFF_WEIGHT_ONE);
}

/* ---- products ---- */

/* Where the key stands, or would stand. */
static uint32_t place_of(const struct aff_live_pairs *live, int32_t key)
{
    uint32_t low = 0, high = live->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (live->stats[middle].product < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool aff_live_pairs_find_row(const struct aff_live_pairs *live, int32_t key, uint32_t *ret_row)
{
    *ret_row = place_of(live, key);
    return *ret_row < live->n && live->stats[*ret_row].product == key;
}

static aff_status reserve_products(struct aff_live_pairs *live, uint32_t wanted)
{
    if (wanted <= live->capacity)
        return AFF_OK;
    uint32_t capacity = wanted + wanted / 8 + 64;
    void *moved = realloc(live->stats, capacity * sizeof *live->stats);
    if (moved == NULL)
        return AFF_NOMEM;
    live->stats = moved;
    moved = realloc(live->own, capacity * sizeof *live->own);
    if (moved == NULL)
        return AFF_NOMEM;
    live->own = moved;
    moved = realloc(live->residuals, capacity * sizeof *live->residuals);
    if (moved == NULL)
        return AFF_NOMEM;
    live->residuals = moved;
    moved = realloc(live->rows, capacity * sizeof *live->rows);
    if (moved == NULL)
        return AFF_NOMEM;
    live->rows = moved;
    moved = realloc(live->months, capacity * sizeof *live->months);
    if (moved == NULL)
        return AFF_NOMEM;
    live->months = moved;
    live->capacity = capacity;
    return AFF_OK;
}

static void put_product(struct aff_live_pairs *live, uint32_t row, int32_t key)
{
    live->stats[row] = (struct aff_product_stat){.product = key};
    live->own[row] = live->residuals[row] = 0;
    live->rows[row] = (struct aff_live_row){0};
    live->months[row] = (struct aff_live_months){0};
}

static void move_product(struct aff_live_pairs *live, uint32_t to, uint32_t from)
{
    live->stats[to] = live->stats[from];
    live->own[to] = live->own[from];
    live->residuals[to] = live->residuals[from];
    live->rows[to] = live->rows[from];
    live->months[to] = live->months[from];
}

/* Gives way to new keys below the highest one: rows move up, so every mention of a row is rewritten. The
 * sequence of the rows stays, and with it that of the others in each row. */
static aff_status insert_products(struct aff_live_pairs *live, const int32_t *keys, uint32_t n)
{
    uint32_t *moved = malloc(((size_t)live->n + 1) * sizeof *moved);
    uint32_t old = live->n, at = n;

    if (moved == NULL)
        return AFF_NOMEM;
    for (uint32_t to = live->n + n; to-- > 0;) {
        if (at > 0 && (old == 0 || keys[at - 1] > live->stats[old - 1].product)) {
            put_product(live, to, keys[--at]);
        } else {
            moved[--old] = to;
            if (old != to)
                move_product(live, to, old);
        }
    }
    live->n += n;
    for (uint32_t row = 0; row < live->n; row++)
        for (uint32_t i = 0; i < live->rows[row].n; i++)
            live->rows[row].others[i] = moved[live->rows[row].others[i]];
    free(moved);
    return AFF_OK;
}

/* Adds products whose keys ascend and are not there yet. */
static aff_status add_products(struct aff_live_pairs *live, const int32_t *keys, uint32_t n)
{
    aff_status status = reserve_products(live, live->n + n);

    if (status != AFF_OK || n == 0)
        return status;
    if (live->n > 0 && keys[0] < live->stats[live->n - 1].product)
        return insert_products(live, keys, n);
    for (uint32_t i = 0; i < n; i++)
        put_product(live, live->n++, keys[i]);
    return AFF_OK;
}

/* ---- rows ---- */

static uint32_t place_in(const struct aff_live_row *row, uint32_t other)
{
    uint32_t low = 0, high = row->n;

    if (high > 0 && row->others[high - 1] < other) /* loading appends */
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (row->others[middle] < other)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static aff_status grow_row(struct aff_live_pairs *live, struct aff_live_row *row)
{
    uint32_t capacity = row->capacity + row->capacity / 8 + 4;
    unsigned char *block = malloc((size_t)capacity * LINK_BYTES);

    if (block == NULL)
        return AFF_NOMEM;
    uint32_t *others = (uint32_t *)(void *)block, *pairs = others + capacity;
    float *weights = (float *)(void *)(pairs + capacity);
    if (row->n > 0) {
        memcpy(others, row->others, row->n * sizeof *others);
        memcpy(pairs, row->pairs, row->n * sizeof *pairs);
        memcpy(weights, row->weights, row->n * sizeof *weights);
    }
    free(row->others);
    live->links += capacity - row->capacity;
    *row = (struct aff_live_row){row->n, capacity, others, weights, pairs};
    return AFF_OK;
}

static aff_status link(struct aff_live_pairs *live, uint32_t of, uint32_t other, uint32_t pair, float weight)
{
    struct aff_live_row *row = &live->rows[of];

    if (row->n == row->capacity) {
        aff_status status = grow_row(live, row);
        if (status != AFF_OK)
            return status;
    }
    uint32_t at = place_in(row, other), behind = row->n - at;
    memmove(row->others + at + 1, row->others + at, behind * sizeof *row->others);
    memmove(row->pairs + at + 1, row->pairs + at, behind * sizeof *row->pairs);
    memmove(row->weights + at + 1, row->weights + at, behind * sizeof *row->weights);
    row->others[at] = other;
    row->pairs[at] = pair;
    row->weights[at] = weight;
    row->n++;
    return AFF_OK;
}

static void unlink_from(struct aff_live_pairs *live, uint32_t of, uint32_t other)
{
    struct aff_live_row *row = &live->rows[of];
    uint32_t at = place_in(row, other), behind = row->n - at - 1;

    memmove(row->others + at, row->others + at + 1, behind * sizeof *row->others);
    memmove(row->pairs + at, row->pairs + at + 1, behind * sizeof *row->pairs);
    memmove(row->weights + at, row->weights + at + 1, behind * sizeof *row->weights);
    row->n--;
}

struct aff_pair *aff_live_pairs_find_pair(const struct aff_live_pairs *live, uint32_t x, uint32_t y,
                                          uint32_t *ret_number)
{
    const struct aff_live_row *row = &live->rows[x];
    uint32_t at = place_in(row, y);

    if (at == row->n || row->others[at] != y)
        return NULL;
    *ret_number = row->pairs[at];
    return aff_pair_pool_at(&live->pool, row->pairs[at]);
}

static aff_status new_pair(struct aff_live_pairs *live, uint32_t a, uint32_t b, const struct aff_pair *pair)
{
    uint32_t number;
    aff_status status = aff_pair_pool_take(&live->pool, &number);

    if (status != AFF_OK)
        return status;
    *aff_pair_pool_at(&live->pool, number) = *pair;
    status = link(live, a, b, number, units(pair->weight));
    return status == AFF_OK ? link(live, b, a, number, units(pair->weight)) : status;
}

/* ---- making and loading ---- */

aff_status aff_live_pairs_new(const int32_t *keys, uint32_t n, struct aff_live_pairs **ret_live)
{
    struct aff_live_pairs *live = calloc(1, sizeof *live);

    if (live == NULL)
        return AFF_NOMEM;
    for (uint32_t i = 1; i < n; i++)
        if (keys[i - 1] >= keys[i]) {
            free(live);
            return AFF_INVALID;
        }
    aff_status status = add_products(live, keys, n);
    if (status != AFF_OK) {
        aff_live_pairs_free(live);
        return status;
    }
    *ret_live = live;
    return AFF_OK;
}

void aff_live_pairs_free(struct aff_live_pairs *live)
{
    if (live == NULL)
        return;
    for (uint32_t row = 0; row < live->n; row++) {
        free(live->rows[row].others);
        aff_live_months_done(&live->months[row]);
    }
    aff_live_months_done(&live->every_month);
    aff_pair_pool_done(&live->pool);
    free(live->stats);
    free(live->own);
    free(live->residuals);
    free(live->rows);
    free(live->months);
    free(live);
}

aff_status aff_live_pairs_set_stat(struct aff_live_pairs *live, const struct aff_product_stat *stat)
{
    uint32_t row;

    if (!aff_live_pairs_find_row(live, stat->product, &row))
        return AFF_NOTFOUND;
    live->stats[row] = *stat;
    live->own[row] = units(stat->weight);
    return AFF_OK;
}

aff_status aff_live_pairs_add(struct aff_live_pairs *live, int32_t a, int32_t b, const struct aff_pair *pair)
{
    uint32_t row_a, row_b;

    if (!aff_live_pairs_find_row(live, a, &row_a) || !aff_live_pairs_find_row(live, b, &row_b))
        return AFF_NOTFOUND;
    const struct aff_live_row *row = &live->rows[row_a];
    if (row_a >= row_b || (row->n > 0 && row->others[row->n - 1] >= row_b))
        return AFF_INVALID;
    return new_pair(live, row_a, row_b, pair);
}

static aff_status add_month(struct aff_live_pairs *live, int32_t product, int16_t month, int32_t by)
{
    struct aff_live_months *months = &live->every_month;
    uint32_t row;

    if (product != AFF_EVERY_PRODUCT) {
        if (!aff_live_pairs_find_row(live, product, &row))
            return AFF_NOTFOUND;
        months = &live->months[row];
    }
    live->month_bytes -= aff_live_months_bytes(months);
    aff_status status = aff_live_months_add(months, month, by);
    live->month_bytes += aff_live_months_bytes(months);
    return status;
}

aff_status aff_live_pairs_set_month(struct aff_live_pairs *live, int32_t product, int16_t month,
                                    int32_t orders)
{
    return orders > 0 ? add_month(live, product, month, orders) : AFF_DATA;
}

void aff_live_pairs_set_totals(struct aff_live_pairs *live, uint64_t orders, int64_t weight)
{
    live->orders = orders;
    live->weight = weight;
}

void aff_live_pairs_set_residual(struct aff_live_pairs *live, int32_t product, float residual)
{
    uint32_t row;

    if (aff_live_pairs_find_row(live, product, &row))
        live->residuals[row] = residual;
}

/* ---- changing ---- */

static aff_status add_unknown(struct aff_live_pairs *live, const struct aff_delta *delta)
{
    int32_t *keys = malloc((delta->n_products + 1) * sizeof *keys);
    uint32_t n = 0, row;

    if (keys == NULL)
        return AFF_NOMEM;
    for (size_t i = 0; i < delta->n_products; i++)
        if (!aff_live_pairs_find_row(live, delta->products[i].product, &row))
            keys[n++] = delta->products[i].product;
    aff_status status = add_products(live, keys, n);
    free(keys);
    return status;
}

/* False if the count would leave its range. */
static bool change_count(uint32_t *count, int32_t by)
{
    int64_t changed = (int64_t)*count + by;

    if (changed < 0 || changed > UINT32_MAX)
        return false;
    *count = (uint32_t)changed;
    return true;
}

static aff_status apply_product(struct aff_live_pairs *live, const struct aff_delta_product *change)
{
    uint32_t row;

    if (!aff_live_pairs_find_row(live, change->product, &row))
        return AFF_DATA;
    struct aff_product_stat *stat = &live->stats[row];
    stat->weight += change->weight;
    stat->revenue += change->revenue;
    stat->margin += change->margin;
    if (change->newest_after_us > stat->last_at_us)
        stat->last_at_us = change->newest_after_us;
    live->own[row] = units(stat->weight);
    return change_count(&stat->orders, change->orders) &&
                   change_count(&stat->discounted, change->discounted) && stat->weight >= 0
               ? AFF_OK
               : AFF_DATA;
}

static aff_status apply_pair(struct aff_live_pairs *live, const struct aff_delta_pair *change)
{
    static const struct aff_pair none;
    uint32_t a, b, number;

    if (!aff_live_pairs_find_row(live, change->a, &a) || !aff_live_pairs_find_row(live, change->b, &b))
        return AFF_DATA;
    struct aff_pair *stored = aff_live_pairs_find_pair(live, a, b, &number);
    struct aff_pair pair = stored == NULL ? none : *stored;
    if (!change_count(&pair.orders, change->orders) || !change_count(&pair.discounted, change->discounted))
        return AFF_DATA;
    pair.weight += change->weight;
    pair.revenue_a += change->revenue_a;
    pair.revenue_b += change->revenue_b;
    pair.margin_a += change->margin_a;
    pair.margin_b += change->margin_b;
    if (pair.weight < 0)
        return AFF_DATA;
    if (stored == NULL)
        return pair.orders == 0 ? AFF_DATA : new_pair(live, a, b, &pair);
    if (pair.orders == 0) {
        unlink_from(live, a, b);
        unlink_from(live, b, a);
        return aff_pair_pool_give(&live->pool, number);
    }
    *stored = pair;
    live->rows[a].weights[place_in(&live->rows[a], b)] = units(pair.weight);
    live->rows[b].weights[place_in(&live->rows[b], a)] = units(pair.weight);
    return AFF_OK;
}

aff_status aff_live_pairs_apply(struct aff_live_pairs *live, const struct aff_delta *delta)
{
    aff_status status = add_unknown(live, delta);

    for (size_t i = 0; i < delta->n_products && status == AFF_OK; i++)
        status = apply_product(live, &delta->products[i]);
    for (size_t i = 0; i < delta->n_pairs && status == AFF_OK; i++)
        status = apply_pair(live, &delta->pairs[i]);
    for (size_t i = 0; i < delta->n_months && status == AFF_OK; i++)
        status = add_month(live, delta->months[i].product, delta->months[i].month, delta->months[i].orders);
    if (status == AFF_NOTFOUND)
        status = AFF_DATA;
    live->orders += (uint64_t)delta->orders;
    live->weight += delta->weight;
    return status;
}

/* ---- looking ---- */

uint32_t aff_live_pairs_size(const struct aff_live_pairs *live)
{
    return live->n;
}

int32_t aff_live_pairs_key(const struct aff_live_pairs *live, uint32_t row)
{
    return live->stats[row].product;
}

const struct aff_product_stat *aff_live_pairs_stat(const struct aff_live_pairs *live, int32_t product)
{
    uint32_t row;

    return aff_live_pairs_find_row(live, product, &row) ? &live->stats[row] : NULL;
}

const struct aff_pair *aff_live_pairs_find(const struct aff_live_pairs *live, int32_t x, int32_t y)
{
    uint32_t row_x, row_y, number;

    if (!aff_live_pairs_find_row(live, x, &row_x) || !aff_live_pairs_find_row(live, y, &row_y))
        return NULL;
    return aff_live_pairs_find_pair(live, row_x, row_y, &number);
}

struct aff_month_row aff_live_pairs_months(const struct aff_live_pairs *live, int32_t product)
{
    uint32_t row;

    if (product == AFF_EVERY_PRODUCT)
        return aff_live_months_row(&live->every_month);
    return aff_live_pairs_find_row(live, product, &row) ? aff_live_months_row(&live->months[row])
                                                        : (struct aff_month_row){0};
}

uint64_t aff_live_pairs_count(const struct aff_live_pairs *live)
{
    return live->pool.n;
}

size_t aff_live_pairs_bytes(const struct aff_live_pairs *live)
{
    size_t product = sizeof *live->stats + sizeof *live->own + sizeof *live->residuals + sizeof *live->rows +
                     sizeof *live->months;

    return sizeof *live + live->capacity * product + live->links * LINK_BYTES + live->month_bytes +
           aff_pair_pool_bytes(&live->pool);
}
