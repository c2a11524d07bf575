/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/verify_parts.h"

static aff_status next_row(void *context, struct aff_compared *ret_row, bool *ret_more,
                           struct aff_error *reterr)
{
    struct aff_verifying *verifying = context;
    struct aff_copy_reader *reader = &verifying->reader;
    struct aff_packed *packed = &verifying->kept;

    packed->used = 0;
    aff_status status = aff_copy_read(reader, ret_more, reterr);
    if (status != AFF_OK || !*ret_more)
        return status;
    ret_row->key[0] = aff_copy_get_int16(reader, -1);
    ret_row->key[1] = aff_copy_get_int32(reader, -1);
    struct aff_copy_array others = aff_copy_get_array(reader, sizeof(int32_t));
    struct aff_copy_array scores = aff_copy_get_array(reader, sizeof(float));
    struct aff_copy_array orders = aff_copy_get_array(reader, sizeof(int32_t));
    struct aff_copy_array weights = aff_copy_get_array(reader, sizeof(int64_t));
    struct aff_copy_array revenues = aff_copy_get_array(reader, sizeof(int64_t));
    struct aff_copy_array margins = aff_copy_get_array(reader, sizeof(int64_t));
    struct aff_copy_array discounted = aff_copy_get_array(reader, sizeof(int32_t));
    struct aff_copy_array gaps = aff_copy_get_array(reader, sizeof(float));
    int32_t residual = aff_copy_get_int32(reader, 0); /* its bits */
    ret_row->values[0] = (int64_t)others.n;
    bool is_next = ret_row->key[0] == AFF_RELATION_NEXT;
    if (scores.n != others.n || orders.n != others.n || weights.n != others.n || revenues.n != others.n ||
        margins.n != others.n || discounted.n != others.n || gaps.n != (is_next ? others.n : 0))
        return aff_error_set(reterr, AFF_DATA,
                             "affinity.neighbour: the arrays of product %d differ in length",
                             (int)ret_row->key[1]);
    aff_packed_put(packed, &residual, sizeof residual);
    for (size_t i = 0; i < others.n; i++) {
        int32_t other = aff_copy_element_int32(others, i);
        float score = aff_copy_element_float(scores, i);
        float gap_days = is_next ? aff_copy_element_float(gaps, i) : 0;
        int64_t numbers[] = {aff_copy_element_int32(orders, i), aff_copy_element_int32(discounted, i),
                             aff_copy_element_int64(weights, i), aff_copy_element_int64(revenues, i),
                             aff_copy_element_int64(margins, i)};
        aff_packed_put(packed, &other, sizeof other);
        aff_packed_put(packed, &score, sizeof score);
        aff_packed_put(packed, &gap_days, sizeof gap_days);
        aff_packed_put(packed, numbers, sizeof numbers);
    }
    ret_row->bytes = packed->bytes;
    ret_row->size = packed->used;
    return AFF_OK;
}

static aff_status compare(struct aff_verifying *verifying, enum aff_relation relation, uint32_t a,
                          float residual, const struct aff_neighbour *neighbours,
                          const struct aff_pair_counts *counts, uint32_t n)
{
    const int32_t *products = verifying->baskets->products;
    struct aff_packed *packed = &verifying->counted;

    packed->used = 0;
    aff_packed_put(packed, &residual, sizeof residual);
    for (uint32_t i = 0; i < n; i++) {
        float gap_days = relation == AFF_RELATION_NEXT ? counts[i].gap_days : 0;
        int64_t numbers[] = {counts[i].orders, counts[i].discounted, counts[i].weight, counts[i].revenue,
                             counts[i].margin};
        aff_packed_put(packed, &products[neighbours[i].row], sizeof products[0]);
        aff_packed_put(packed, &neighbours[i].score, sizeof neighbours[i].score);
        aff_packed_put(packed, &gap_days, sizeof gap_days);
        aff_packed_put(packed, numbers, sizeof numbers);
    }
    struct aff_compared row = {
        .key = {relation, products[a]}, .values = {n}, .bytes = packed->bytes, .size = packed->used};
    return packed->failed ? AFF_NOMEM : aff_compare_counted(&verifying->comparison, &row);
}

static aff_status take_together(void *context, int thread, uint32_t a, float residual,
                                const struct aff_neighbour *neighbours, const struct aff_pair_counts *counts,
                                uint32_t n)
{
    (void)thread;
    return n == 0 ? AFF_OK : compare(context, AFF_RELATION_TOGETHER, a, residual, neighbours, counts, n);
}

static aff_status take_next(void *context, int thread, uint32_t a, const struct aff_next_pair *pairs,
                            uint32_t n)
{
    struct aff_verifying *verifying = context;
    struct aff_next_row_settings settings = {verifying->rows->neighbours, verifying->rows->floors};
    uint32_t kept;

    (void)thread;
    aff_status status = aff_next_row(verifying->next, a, pairs, n, &settings, verifying->neighbours,
                                     verifying->counts, &kept);
    if (status != AFF_OK || kept == 0)
        return status;
    return compare(verifying, AFF_RELATION_NEXT, a, 0, verifying->neighbours, verifying->counts, kept);
}

/* One thread makes the rows, so that they come in order. */
aff_status aff_verify_neighbours(struct aff_verifying *verifying)
{
    static const struct aff_compared_names names = {
        .key = {"relation", "product"}, .values = {"neighbours"}, .bytes = "scores and counts"};
    aff_status status = aff_verify_begin(verifying, &names,
                                         "relation, product, others, scores, orders, weights, revenues, "
                                         "margins, discounted, gap_days, residual FROM affinity.neighbour",
                                         "relation, product", next_row);

    if (status == AFF_OK) {
        verifying->reterr->status = AFF_OK;
        status =
            aff_rows_build(verifying->pairs, verifying->rows, 1, verifying->watch, take_together, verifying);
        if (status == AFF_OK)
            status = aff_next_count(verifying->next, 1, verifying->watch, take_next, verifying);
        if (status != AFF_OK && verifying->reterr->status == AFF_OK)
            (void)aff_error_set(verifying->reterr, status, "%s", aff_status_text(status));
    }
    return aff_verify_finish(verifying, status);
}
