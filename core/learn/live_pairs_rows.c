/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of neighbours made from the live pairs. */
#include "core/learn/live_pairs_internal.h"

#include <stdlib.h>

static struct aff_link_row row_of(const void *source, uint32_t product)
{
    const struct aff_live_pairs *live = source;
    const struct aff_live_row *row = &live->rows[product];

    return (struct aff_link_row){row->n, row->others, row->weights};
}

static const struct aff_pair *find(const void *source, uint32_t x, uint32_t y)
{
    uint32_t number;

    return aff_live_pairs_find_pair(source, x, y, &number);
}

static struct aff_month_row months_of(const void *source, uint32_t product)
{
    const struct aff_live_pairs *live = source;

    return aff_live_months_row(&live->months[product]);
}

static struct aff_month_row every_month(const void *source)
{
    const struct aff_live_pairs *live = source;

    return aff_live_months_row(&live->every_month);
}

static struct aff_links view(const struct aff_live_pairs *live)
{
    return (struct aff_links){.source = live,
                              .row = row_of,
                              .find = find,
                              .months = months_of,
                              .every_month = every_month,
                              .n_products = live->n,
                              .stats = live->stats,
                              .own = live->own,
                              .orders = live->orders};
}

static aff_status no_row(void *context, int thread, uint32_t a, float residual,
                         const struct aff_neighbour *neighbours, const struct aff_pair_counts *counts,
                         uint32_t n)
{
    (void)context, (void)thread, (void)a, (void)residual, (void)neighbours, (void)counts, (void)n;
    return AFF_OK;
}

aff_status aff_live_pairs_solve_missing(struct aff_live_pairs *live, struct aff_rows_room *room,
                                        const struct aff_watch *watch)
{
    struct aff_links links = view(live);
    uint32_t *rows, n = 0;

    if (aff_rows_room_settings(room)->method != AFF_METHOD_RIDGE)
        return AFF_OK;
    rows = malloc(((size_t)live->n + 1) * sizeof *rows);
    if (rows == NULL)
        return AFF_NOMEM;
    for (uint32_t row = 0; row < live->n; row++)
        if (!(live->residuals[row] > 0) && live->rows[row].n > 0)
            rows[n++] = row;
    aff_status status = aff_rows_make(room, &links, rows, n, live->residuals, watch, no_row, NULL);
    free(rows);
    return status;
}

aff_status aff_live_pairs_rows(struct aff_live_pairs *live, struct aff_rows_room *room,
                               const int32_t *products, size_t n, const struct aff_watch *watch,
                               aff_rows_sink sink, void *context)
{
    struct aff_links links = view(live);
    uint32_t *rows = malloc((n + 1) * sizeof *rows), n_rows = 0;

    if (rows == NULL)
        return AFF_NOMEM;
    for (size_t i = 0; i < n; i++)
        n_rows += aff_live_pairs_find_row(live, products[i], &rows[n_rows]);
    aff_status status = aff_rows_make(room, &links, rows, n_rows, live->residuals, watch, sink, context);
    free(rows);
    return status;
}
