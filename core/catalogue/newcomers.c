/* SPDX-License-Identifier: Apache-2.0 */
#include "core/catalogue/newcomers.h"

#include "core/catalogue/likeness.h"

#include <stdlib.h>

enum {
    LINKS = 8,          /* known products of a newcomer */
    MAX_COMPARED = 100, /* products of its category, the most popular first */
};
#define LEAST_LIKENESS 0.5F

/* Lets the element at `at` sink to its place in the heap. */
static void sink(struct aff_newest *newest, uint32_t at)
{
    for (uint32_t child; (child = 2 * at + 1) < newest->n; at = child) {
        if (child + 1 < newest->n && newest->at[child + 1].key < newest->at[child].key)
            child++;
        if (newest->at[at].key <= newest->at[child].key)
            return;
        const int32_t key = newest->at[at].key;
        const uint32_t row = newest->at[at].row;
        newest->at[at] = newest->at[child];
        newest->at[child].key = key;
        newest->at[child].row = row;
    }
}

void aff_newest_see(struct aff_newest *newest, uint32_t row, const struct aff_product *product)
{
    if (product->orders >= AFF_NEWCOMER_ORDERS)
        return;
    if (newest->n < AFF_NEWCOMERS) {
        newest->at[newest->n].key = product->key;
        newest->at[newest->n++].row = row;
        for (uint32_t i = newest->n / 2; newest->n == AFF_NEWCOMERS && i-- > 0;)
            sink(newest, i);
    } else if (product->key > newest->at[0].key) {
        newest->at[0].key = product->key;
        newest->at[0].row = row;
        sink(newest, 0);
    }
}

/* The links of one newcomer, the closest first. */
static uint32_t link_one(uint32_t row, const struct aff_popular *popular, aff_record_fn record,
                         const void *context, struct aff_newcomer_link ret_links[LINKS])
{
    const struct aff_product *product = record(context, row);
    const uint32_t category = product->category_row;
    const uint32_t *rows = popular->bought;
    uint32_t n_rows = popular->n_bought, n = 0;

    if (category != AFF_NO_ROW) {
        rows = popular->by_category + popular->start[category];
        n_rows = popular->start[category + 1] - popular->start[category];
    }
    for (uint32_t i = 0; i < n_rows && i < MAX_COMPARED; i++) {
        const struct aff_product *other = record(context, rows[i]);
        const float likeness = other->orders < AFF_NEWCOMER_ORDERS ? 0 : aff_likeness(product, other);
        if (likeness < LEAST_LIKENESS || (n == LINKS && likeness <= ret_links[n - 1].newcomer.likeness))
            continue;
        uint32_t at = n < LINKS ? n++ : LINKS - 1;
        for (; at > 0 && ret_links[at - 1].newcomer.likeness < likeness; at--)
            ret_links[at] = ret_links[at - 1];
        ret_links[at] = (struct aff_newcomer_link){rows[i], {row, likeness}};
    }
    return n;
}

static int compare_links(const void *left, const void *right)
{
    const struct aff_newcomer_link *a = left, *b = right;

    if (a->known != b->known)
        return a->known < b->known ? -1 : 1;
    if (a->newcomer.likeness != b->newcomer.likeness)
        return a->newcomer.likeness > b->newcomer.likeness ? -1 : 1;
    return a->newcomer.row > b->newcomer.row ? -1 : a->newcomer.row < b->newcomer.row;
}

uint64_t aff_newcomers_bytes(uint64_t n_newest, uint64_t n_products)
{
    return sizeof(struct aff_newcomers) + n_newest * LINKS * sizeof(struct aff_newcomer_link) +
           (n_products + 63) / 64 * sizeof(uint64_t);
}

aff_status aff_newcomers_new(const struct aff_newest *newest, const struct aff_popular *popular,
                             aff_record_fn record, const void *context, struct aff_newcomers **ret_newcomers)
{
    const size_t bytes = (size_t)aff_newcomers_bytes(newest->n, popular->n);
    struct aff_newcomers *newcomers = calloc(1, bytes);

    if (newcomers == NULL)
        return AFF_NOMEM;
    newcomers->bytes = bytes;
    /* The links take a multiple of 8 bytes, so that the bits behind them are aligned. */
    newcomers->known = (uint64_t *)(void *)(newcomers->links + (size_t)newest->n * LINKS);
    newcomers->n_rows = popular->n;
    for (uint32_t i = 0; i < newest->n; i++)
        newcomers->n +=
            link_one(newest->at[i].row, popular, record, context, newcomers->links + newcomers->n);
    qsort(newcomers->links, newcomers->n, sizeof *newcomers->links, compare_links);
    for (uint32_t i = 0; i < newcomers->n; i++) {
        const uint32_t known = newcomers->links[i].known;
        newcomers->known[known / 64] |= UINT64_C(1) << known % 64;
    }
    *ret_newcomers = newcomers;
    return AFF_OK;
}

uint32_t aff_catalogue_newcomers(const struct aff_catalogue *catalogue, uint32_t row, uint32_t most,
                                 struct aff_newcomer *ret_newcomers)
{
    const struct aff_newcomers *newcomers = catalogue->popular->newcomers;
    uint32_t from = 0, to = newcomers->n, n = 0;

    if (row >= newcomers->n_rows || !(newcomers->known[row / 64] >> row % 64 & 1))
        return 0;
    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;
        if (newcomers->links[middle].known < row)
            from = middle + 1;
        else
            to = middle;
    }
    for (; from < newcomers->n && newcomers->links[from].known == row && n < most; from++)
        ret_newcomers[n++] = newcomers->links[from].newcomer;
    return n;
}
