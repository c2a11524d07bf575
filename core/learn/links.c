/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/links.h"

#include "core/learn/decay.h"

#include <stdlib.h>

struct aff_pair_links {
    const struct aff_pairs *pairs;
    uint64_t *starts; /* n_products + 2: row p is starts[p] .. starts[p + 1] - 1 */
    uint32_t *others;
    float *weights;
    float *own;
};

static float units(int64_t weight)
{
    return (float)((double)weight / (double)AFF_WEIGHT_ONE);
}

/* Rows are walked by ascending product, so that each row's lower others come first and ascend, as do the
 * higher ones after them. */
static void fill(struct aff_pair_links *links)
{
    const struct aff_pairs *pairs = links->pairs;
    uint64_t *ends = links->starts + 1; /* of what is filled; moves to where the next row begins */

    for (uint32_t a = 0; a < pairs->n_products; a++) {
        const struct aff_pair_row *row = &pairs->rows[a];
        for (uint32_t i = 0; i < row->n; i++) {
            uint32_t b = row->others[i];
            float weight = units(row->pairs[i].weight);
            links->others[ends[b]] = a;
            links->weights[ends[b]++] = weight;
        }
    }
    for (uint32_t a = 0; a < pairs->n_products; a++) {
        const struct aff_pair_row *row = &pairs->rows[a];
        for (uint32_t i = 0; i < row->n; i++) {
            links->others[ends[a]] = row->others[i];
            links->weights[ends[a]++] = units(row->pairs[i].weight);
        }
    }
}

aff_status aff_pair_links_new(const struct aff_pairs *pairs, struct aff_pair_links **ret_links)
{
    struct aff_pair_links *links = calloc(1, sizeof *links);
    size_t n = pairs->n_products, n_links = 2 * pairs->n_pairs + 1;

    if (links == NULL)
        return AFF_NOMEM;
    links->pairs = pairs;
    links->starts = calloc(n + 2, sizeof *links->starts);
    links->others = malloc(n_links * sizeof *links->others);
    links->weights = malloc(n_links * sizeof *links->weights);
    links->own = malloc((n + 1) * sizeof *links->own);
    if (links->starts == NULL || links->others == NULL || links->weights == NULL || links->own == NULL) {
        aff_pair_links_free(links);
        return AFF_NOMEM;
    }
    for (uint32_t a = 0; a < n; a++) {
        const struct aff_pair_row *row = &pairs->rows[a];
        links->own[a] = units(pairs->stats[a].weight);
        links->starts[a + 2] += row->n;
        for (uint32_t i = 0; i < row->n; i++)
            links->starts[row->others[i] + 2]++;
    }
    for (size_t a = 0; a < n; a++)
        links->starts[a + 2] += links->starts[a + 1];
    fill(links);
    *ret_links = links;
    return AFF_OK;
}

void aff_pair_links_free(struct aff_pair_links *links)
{
    if (links == NULL)
        return;
    free(links->starts);
    free(links->others);
    free(links->weights);
    free(links->own);
    free(links);
}

static struct aff_link_row row_of(const void *source, uint32_t product)
{
    const struct aff_pair_links *links = source;
    uint64_t start = links->starts[product];

    return (struct aff_link_row){(uint32_t)(links->starts[product + 1] - start), links->others + start,
                                 links->weights + start};
}

static const struct aff_pair *find(const void *source, uint32_t x, uint32_t y)
{
    const struct aff_pair_links *links = source;

    return aff_pairs_find(links->pairs, x, y);
}

static struct aff_month_row months_of(const void *source, uint32_t product)
{
    const struct aff_pair_links *links = source;

    return aff_months_row(links->pairs->months, product);
}

static struct aff_month_row every_month(const void *source)
{
    const struct aff_pair_links *links = source;

    return aff_months_all(links->pairs->months);
}

struct aff_links aff_pair_links_view(const struct aff_pair_links *links)
{
    return (struct aff_links){.source = links,
                              .row = row_of,
                              .find = find,
                              .months = links->pairs->months == NULL ? NULL : months_of,
                              .every_month = links->pairs->months == NULL ? NULL : every_month,
                              .n_products = links->pairs->n_products,
                              .stats = links->pairs->stats,
                              .own = links->own,
                              .orders = links->pairs->orders};
}
