/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/verify_parts.h"

static void pack(struct aff_packed *packed, struct aff_copy_array array)
{
    for (size_t i = 0; i < array.n; i++) {
        int32_t value = aff_copy_element_int32(array, i);
        aff_packed_put(packed, &value, sizeof value);
    }
}

static aff_status next_months_row(void *context, struct aff_compared *ret_row, bool *ret_more,
                                  struct aff_error *reterr)
{
    struct aff_verifying *verifying = context;
    struct aff_copy_reader *reader = &verifying->reader;

    verifying->kept.used = 0;
    aff_status status = aff_copy_read(reader, ret_more, reterr);
    if (status != AFF_OK || !*ret_more)
        return status;
    ret_row->key[0] = aff_copy_get_int32(reader, INT32_MIN);
    struct aff_copy_array months = aff_copy_get_array(reader, sizeof(int32_t));
    ret_row->values[0] = (int64_t)months.n;
    pack(&verifying->kept, months);
    pack(&verifying->kept, aff_copy_get_array(reader, sizeof(int32_t)));
    ret_row->bytes = verifying->kept.bytes;
    ret_row->size = verifying->kept.used;
    return AFF_OK;
}

static aff_status compare_months(struct aff_verifying *verifying, int32_t product, struct aff_month_row row)
{
    struct aff_packed *packed = &verifying->counted;

    packed->used = 0;
    for (uint32_t i = 0; i < row.n; i++) {
        int32_t month = row.months[i];
        aff_packed_put(packed, &month, sizeof month);
    }
    aff_packed_put(packed, row.orders, row.n * sizeof *row.orders);
    struct aff_compared counted = {
        .key = {product}, .values = {row.n}, .bytes = packed->bytes, .size = packed->used};
    if (packed->failed)
        return AFF_NOMEM;
    return row.n == 0 ? AFF_OK : aff_compare_counted(&verifying->comparison, &counted);
}

aff_status aff_verify_months(struct aff_verifying *verifying)
{
    static const struct aff_compared_names names = {
        .key = {"product"}, .values = {"months"}, .bytes = "months and orders"};
    const struct aff_pairs *pairs = verifying->pairs;
    aff_status status = aff_verify_begin(
        verifying, &names, "product, months, orders FROM affinity.product_month", "product", next_months_row);

    if (status == AFF_OK)
        status = compare_months(verifying, AFF_EVERY_PRODUCT, aff_months_all(pairs->months));
    for (uint32_t i = 0; i < pairs->n_products && status == AFF_OK; i++)
        status = compare_months(verifying, pairs->stats[i].product, aff_months_row(pairs->months, i));
    return aff_verify_finish(verifying, status);
}
