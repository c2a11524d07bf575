/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/copy.h"
#include "sql/load_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define STATEMENT                                                                                            \
    "COPY (SELECT relation, product, others, scores, orders, weights, revenues, margins, discounted,"        \
    " gap_days FROM affinity.neighbour WHERE store = %d) TO STDOUT (FORMAT binary)"

/* One row of STATEMENT, borrowed from the reader. */
struct columns {
    int16_t relation;
    int32_t product;
    struct aff_copy_array others, scores, orders, weights, revenues, margins, discounted, gap_days;
};

static struct columns read_columns(struct aff_copy_reader *reader)
{
    struct columns row;

    row.relation = aff_copy_get_int16(reader, 0);
    row.product = aff_copy_get_int32(reader, 0);
    row.others = aff_copy_get_array(reader, sizeof(int32_t));
    row.scores = aff_copy_get_array(reader, sizeof(float));
    row.orders = aff_copy_get_array(reader, sizeof(int32_t));
    row.weights = aff_copy_get_array(reader, sizeof(int64_t));
    row.revenues = aff_copy_get_array(reader, sizeof(int64_t));
    row.margins = aff_copy_get_array(reader, sizeof(int64_t));
    row.discounted = aff_copy_get_array(reader, sizeof(int32_t));
    row.gap_days = aff_copy_get_array(reader, sizeof(float));
    return row;
}

static aff_status broken(const struct columns *row, struct aff_error *reterr, const char *what)
{
    return aff_error_set(reterr, AFF_DATA,
                         "affinity.neighbour: relation %" PRId16 ", product %" PRId32 ": %s", row->relation,
                         row->product, what);
}

/* A row's shape. Gaps are known for `next` only. */
static aff_status check(const struct columns *row, struct aff_error *reterr)
{
    size_t n = row->others.n;
    size_t gaps = row->relation == AFF_RELATION_NEXT ? n : 0;

    if (row->relation != AFF_RELATION_TOGETHER && row->relation != AFF_RELATION_NEXT)
        return broken(row, reterr, "there is no such relation");
    if (row->scores.n != n || row->orders.n != n || row->weights.n != n || row->revenues.n != n ||
        row->margins.n != n || row->discounted.n != n || (row->gap_days.n != gaps && row->gap_days.n != 0))
        return broken(row, reterr, "its arrays differ in length");
    return AFF_OK;
}

static aff_status fill(const struct columns *row, const struct aff_catalogue *catalogue,
                       struct aff_neighbour *entries, struct aff_pair_counts *counts,
                       struct aff_error *reterr)
{
    for (size_t i = 0; i < row->others.n; i++) {
        int32_t key = aff_copy_element_int32(row->others, i);
        uint32_t at = aff_catalogue_find_key(catalogue, key);
        if (at == AFF_NO_ROW)
            return aff_error_set(reterr, AFF_DATA,
                                 "affinity.neighbour: relation %" PRId16 ", product %" PRId32
                                 ": neighbour %" PRId32 " is not in affinity.product",
                                 row->relation, row->product, key);
        entries[i] = (struct aff_neighbour){at, aff_copy_element_float(row->scores, i)};
        if (!isfinite(entries[i].score))
            return broken(row, reterr, "a score is not a finite number");
        if (i > 0 && entries[i].score > entries[i - 1].score)
            return broken(row, reterr, "neighbours are not in order, best first");
        counts[i] = (struct aff_pair_counts){
            .orders = (uint32_t)aff_copy_element_int32(row->orders, i),
            .discounted = (uint32_t)aff_copy_element_int32(row->discounted, i),
            .weight = aff_copy_element_int64(row->weights, i),
            .revenue = aff_copy_element_int64(row->revenues, i),
            .margin = aff_copy_element_int64(row->margins, i),
            .gap_days = row->gap_days.n == 0 ? 0 : aff_copy_element_float(row->gap_days, i),
        };
    }
    return AFF_OK;
}

/* Makes the row of the index and puts it into the relation's table. */
static aff_status add_row(const struct columns *row, const struct aff_catalogue *catalogue,
                          struct aff_neighbours *const tables[], struct aff_error *reterr)
{
    struct aff_row *made = NULL;
    struct aff_neighbour *entries;
    struct aff_pair_counts *counts;

    aff_status status = check(row, reterr);
    if (status != AFF_OK || row->others.n == 0)
        return status;
    uint32_t at = aff_catalogue_find_key(catalogue, row->product);
    if (at == AFF_NO_ROW)
        return broken(row, reterr, "the product is not in affinity.product");
    status = aff_row_new((uint32_t)row->others.n, &made, &entries, &counts);
    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    status = fill(row, catalogue, entries, counts, reterr);
    if (status != AFF_OK) {
        free(made);
        return status;
    }
    aff_neighbours_set(tables[row->relation], at, made);
    return AFF_OK;
}

static aff_status add_rows(struct aff_copy_reader *reader, const struct aff_catalogue *catalogue,
                           struct aff_neighbours *const tables[], struct aff_error *reterr)
{
    for (;;) {
        bool more;
        aff_status status = aff_copy_read(reader, &more, reterr);
        if (status != AFF_OK || !more)
            return status;
        struct columns row = read_columns(reader);
        status = add_row(&row, catalogue, tables, reterr);
        if (status != AFF_OK)
            return status;
    }
}

aff_status aff_load_neighbours(struct aff_connection *connection, int store,
                               const struct aff_catalogue *catalogue, struct aff_neighbours **ret_together,
                               struct aff_neighbours **ret_next, struct aff_error *reterr)
{
    char statement[sizeof STATEMENT + 16];
    struct aff_neighbours *tables[AFF_RELATION_NEXT + 1] = {0};
    struct aff_copy_reader reader = {0};

    (void)snprintf(statement, sizeof statement, STATEMENT, store);
    aff_status status = aff_neighbours_new(aff_catalogue_size(catalogue), &tables[AFF_RELATION_TOGETHER]);
    if (status == AFF_OK)
        status = aff_neighbours_new(aff_catalogue_size(catalogue), &tables[AFF_RELATION_NEXT]);
    if (status != AFF_OK) {
        (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
        goto out;
    }
    status = aff_copy_read_begin(&reader, connection, statement, reterr);
    if (status == AFF_OK)
        status = add_rows(&reader, catalogue, tables, reterr);
    aff_copy_read_close(&reader);
    if (status != AFF_OK)
        goto out;
    *ret_together = tables[AFF_RELATION_TOGETHER];
    *ret_next = tables[AFF_RELATION_NEXT];
    return AFF_OK;
out:
    aff_neighbours_free(tables[AFF_RELATION_TOGETHER]);
    aff_neighbours_free(tables[AFF_RELATION_NEXT]);
    return status;
}
