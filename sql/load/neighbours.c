/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/copy.h"
#include "sql/load/parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define STATEMENT                                                                                            \
    "COPY (SELECT n.relation, n.product, " AFF_LOAD_NEIGHBOUR_COLUMNS                                        \
    " FROM affinity.neighbour n WHERE n.store = %d) TO STDOUT (FORMAT binary)"

#define VIEWED                                                                                               \
    "COPY (SELECT %d::smallint, n.product, " AFF_LOAD_VIEWED_COLUMNS                                         \
    " FROM affinity.neighbour_viewed n WHERE n.store = %d) TO STDOUT (FORMAT binary)"

static aff_status broken(const struct aff_load_neighbours_row *row, struct aff_error *reterr,
                         const char *what)
{
    return aff_error_set(reterr, AFF_DATA,
                         "affinity.neighbour: relation %" PRId16 ", product %" PRId32 ": %s", row->relation,
                         row->product, what);
}

/* A row's shape. Gaps are known for `next` only, what the season explains for `together` only, if at all, and
 * of `viewed` nothing but sessions. */
static aff_status check(const struct aff_load_neighbours_row *row, struct aff_error *reterr)
{
    size_t n = row->others.n;
    size_t gaps = row->relation == AFF_RELATION_NEXT ? n : 0;
    size_t sums = row->relation == AFF_RELATION_VIEWED ? 0 : n;

    if (row->relation < AFF_RELATION_TOGETHER || row->relation > AFF_RELATION_VIEWED)
        return broken(row, reterr, "there is no such relation");
    if (row->scores.n != n || row->orders.n != n || row->weights.n != sums || row->revenues.n != sums ||
        row->margins.n != sums || row->discounted.n != sums ||
        (row->gap_days.n != gaps && row->gap_days.n != 0))
        return broken(row, reterr, "its arrays differ in length");
    if (row->season_expected.n != row->season_z.n || (row->season_z.n != 0 && row->season_z.n != n) ||
        (row->season_z.n != 0 && row->relation == AFF_RELATION_NEXT))
        return broken(row, reterr, "season_expected and season_z do not fit");
    return AFF_OK;
}

aff_status aff_load_neighbours_row(struct aff_copy_reader *reader, struct aff_load_neighbours_row *ret_row,
                                   struct aff_error *reterr)
{
    struct aff_load_neighbours_row row;

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
    row.season_expected = aff_copy_get_array(reader, sizeof(float));
    row.season_z = aff_copy_get_array(reader, sizeof(float));
    *ret_row = row;
    return check(ret_row, reterr);
}

aff_status aff_load_neighbour(const struct aff_load_neighbours_row *row, size_t at, int32_t *ret_product,
                              float *ret_score, struct aff_pair_counts *ret_counts, struct aff_error *reterr)
{
    float score = aff_copy_element_float(row->scores, at);

    if (!isfinite(score))
        return broken(row, reterr, "a score is not a finite number");
    if (row->season_z.n != 0 && !(isfinite(aff_copy_element_float(row->season_z, at)) &&
                                  isfinite(aff_copy_element_float(row->season_expected, at))))
        return broken(row, reterr, "what the season explains is not a finite number");
    if (at > 0 && score > aff_copy_element_float(row->scores, at - 1))
        return broken(row, reterr, "neighbours are not in order, best first");
    *ret_product = aff_copy_element_int32(row->others, at);
    *ret_score = score;
    *ret_counts = (struct aff_pair_counts){.orders = (uint32_t)aff_copy_element_int32(row->orders, at)};
    if (row->relation == AFF_RELATION_VIEWED) {
        ret_counts->revenue = ret_counts->margin = AFF_NO_MONEY;
        return AFF_OK;
    }
    ret_counts->discounted = (uint32_t)aff_copy_element_int32(row->discounted, at);
    ret_counts->weight = aff_copy_element_int64(row->weights, at);
    ret_counts->revenue = aff_copy_element_int64(row->revenues, at);
    ret_counts->margin = aff_copy_element_int64(row->margins, at);
    if (row->relation == AFF_RELATION_NEXT)
        ret_counts->gap_days = row->gap_days.n == 0 ? 0 : aff_copy_element_float(row->gap_days, at);
    else if (row->season_z.n != 0) {
        ret_counts->season_z = aff_copy_element_float(row->season_z, at);
        ret_counts->season_expected = aff_copy_element_float(row->season_expected, at);
    }
    return AFF_OK;
}

static aff_status fill(const struct aff_load_neighbours_row *row, const struct aff_catalogue *catalogue,
                       struct aff_neighbour *entries, struct aff_pair_counts *counts,
                       struct aff_error *reterr)
{
    for (size_t i = 0; i < row->others.n; i++) {
        int32_t key;
        aff_status status = aff_load_neighbour(row, i, &key, &entries[i].score, &counts[i], reterr);
        if (status != AFF_OK)
            return status;
        entries[i].row = aff_catalogue_find_key(catalogue, key);
        if (entries[i].row == AFF_NO_ROW)
            return aff_error_set(reterr, AFF_DATA,
                                 "affinity.neighbour: relation %" PRId16 ", product %" PRId32
                                 ": neighbour %" PRId32 " is not in affinity.product",
                                 row->relation, row->product, key);
    }
    return AFF_OK;
}

/* Makes the row of the index and puts it into the relation's table. */
static aff_status add_row(const struct aff_load_neighbours_row *row, const struct aff_catalogue *catalogue,
                          struct aff_neighbours *const tables[], struct aff_error *reterr)
{
    struct aff_row *made = NULL;
    struct aff_neighbour *entries;
    struct aff_pair_counts *counts;

    if (row->others.n == 0)
        return AFF_OK;
    uint32_t at = aff_catalogue_find_key(catalogue, row->product);
    if (at == AFF_NO_ROW)
        return broken(row, reterr, "the product is not in affinity.product");
    aff_status status = aff_row_new((uint32_t)row->others.n, &made, &entries, &counts);
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
        struct aff_load_neighbours_row row;
        status = aff_load_neighbours_row(reader, &row, reterr);
        if (status == AFF_OK)
            status = add_row(&row, catalogue, tables, reterr);
        if (status != AFF_OK)
            return status;
    }
}

static aff_status load_rows(struct aff_connection *connection, const char *statement,
                            const struct aff_catalogue *catalogue, struct aff_neighbours *const tables[],
                            struct aff_error *reterr)
{
    struct aff_copy_reader reader = {0};
    aff_status status = aff_copy_read_begin(&reader, connection, statement, reterr);

    if (status == AFF_OK)
        status = add_rows(&reader, catalogue, tables, reterr);
    aff_copy_read_close(&reader);
    return status;
}

aff_status aff_load_neighbours(struct aff_connection *connection, int store, struct aff_model *model,
                               struct aff_error *reterr)
{
    char statement[sizeof STATEMENT + sizeof VIEWED + 32];
    const uint32_t n = aff_catalogue_size(model->catalogue);
    aff_status status = aff_neighbours_new(n, &model->together);

    if (status == AFF_OK)
        status = aff_neighbours_new(n, &model->next);
    if (status == AFF_OK)
        status = aff_neighbours_new(n, &model->viewed);
    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    struct aff_neighbours *const tables[] = {[AFF_RELATION_TOGETHER] = model->together,
                                             [AFF_RELATION_NEXT] = model->next,
                                             [AFF_RELATION_VIEWED] = model->viewed};
    (void)snprintf(statement, sizeof statement, STATEMENT, store);
    status = load_rows(connection, statement, model->catalogue, tables, reterr);
    (void)snprintf(statement, sizeof statement, VIEWED, AFF_RELATION_VIEWED, store);
    if (status == AFF_OK)
        status = load_rows(connection, statement, model->catalogue, tables, reterr);
    return status;
}
