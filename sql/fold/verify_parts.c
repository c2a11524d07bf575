/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/verify_parts.h"

#include "core/learn/gap.h"
#include "core/learn/history.h"
#include "sql/write_learned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void aff_packed_put(struct aff_packed *packed, const void *bytes, size_t size)
{
    if (packed->used + size > packed->capacity) {
        size_t capacity = (packed->used + size) * 2;
        unsigned char *bigger = realloc(packed->bytes, capacity);
        if (bigger == NULL) {
            packed->failed = true;
            return;
        }
        packed->bytes = bigger;
        packed->capacity = capacity;
    }
    if (size > 0)
        memcpy(packed->bytes + packed->used, bytes, size);
    packed->used += size;
}

static aff_status plain(struct aff_verifying *verifying, aff_status status)
{
    return aff_error_set(verifying->reterr, status, "%s", aff_status_text(status));
}

aff_status aff_verify_begin(struct aff_verifying *verifying, const struct aff_compared_names *names,
                            const char *select, const char *keys, aff_compare_next next)
{
    char text[512];

    (void)snprintf(text, sizeof text,
                   "COPY (SELECT %s WHERE store = %d ORDER BY %s) TO STDOUT (FORMAT binary)", select,
                   verifying->store, keys);
    verifying->comparison = (struct aff_comparison){
        .names = names, .next = next, .context = verifying, .reterr = verifying->reterr};
    return aff_copy_read_begin(&verifying->reader, verifying->connection, text, verifying->reterr);
}

aff_status aff_verify_finish(struct aff_verifying *verifying, aff_status status)
{
    if (status == AFF_OK)
        status = aff_compare_end(&verifying->comparison);
    aff_copy_read_close(&verifying->reader);
    if (status == AFF_OK && (verifying->kept.failed || verifying->counted.failed))
        return plain(verifying, AFF_NOMEM);
    return status;
}

/* ---- rows of numbers ---- */

static int64_t number(struct aff_copy_reader *reader, char kind)
{
    if (kind == 'i')
        return aff_copy_get_int32(reader, -1);
    return kind == 't' ? aff_copy_get_time(reader, -1) : aff_copy_get_int64(reader, INT64_MIN);
}

static aff_status next_row(void *context, struct aff_compared *ret_row, bool *ret_more,
                           struct aff_error *reterr)
{
    struct aff_verifying *verifying = context;
    int64_t *place = ret_row->key;
    aff_status status = aff_copy_read(&verifying->reader, ret_more, reterr);

    if (status != AFF_OK || !*ret_more)
        return status;
    for (const char *column = verifying->columns; *column != '\0'; column++) {
        if (*column == ' ') {
            place = ret_row->values;
        } else if (*column == 'b') {
            struct aff_text bytes = aff_copy_get_text(&verifying->reader);
            ret_row->bytes = bytes.at;
            ret_row->size = bytes.size;
        } else {
            *place++ = number(&verifying->reader, *column);
        }
    }
    return AFF_OK;
}

/* `columns` has a letter for each column of `select`, those of the key, a blank, those of the values: "i" an
 * integer, "l" a bigint, "t" a time, "b" bytes. */
static aff_status begin(struct aff_verifying *verifying, const struct aff_compared_names *names,
                        const char *select, const char *keys, const char *columns)
{
    verifying->columns = columns;
    return aff_verify_begin(verifying, names, select, keys, next_row);
}

/* ---- product_stat ---- */

aff_status aff_verify_stats(struct aff_verifying *verifying)
{
    static const struct aff_compared_names names = {
        .key = {"product"}, .values = {"orders", "weight", "revenue", "margin", "discounted", "last_at"}};
    aff_status status =
        begin(verifying, &names,
              "product, orders, weight, revenue, margin, discounted, last_at FROM affinity.product_stat",
              "product", "i illlit");

    for (uint32_t i = 0; i < verifying->pairs->n_products && status == AFF_OK; i++) {
        const struct aff_product_stat *stat = &verifying->pairs->stats[i];
        struct aff_compared row = {.key = {stat->product},
                                   .values = {stat->orders, stat->weight, stat->revenue, stat->margin,
                                              stat->discounted, stat->last_at_us}};
        if (stat->orders > 0)
            status = aff_compare_counted(&verifying->comparison, &row);
    }
    return aff_verify_finish(verifying, status);
}

/* ---- pair_together ---- */

aff_status aff_verify_together(struct aff_verifying *verifying)
{
    static const struct aff_compared_names names = {
        .key = {"product", "product"},
        .values = {"orders", "weight", "revenue_a", "revenue_b", "margin_a", "margin_b", "discounted"}};
    const struct aff_pairs *pairs = verifying->pairs;
    aff_status status = begin(verifying, &names,
                              "a, b, orders, weight, revenue_a, revenue_b, margin_a, margin_b, "
                              "discounted FROM affinity.pair_together",
                              "a, b", "ii illllli");

    for (uint32_t a = 0; a < pairs->n_products; a++)
        for (uint32_t i = 0; i < pairs->rows[a].n && status == AFF_OK; i++) {
            const struct aff_pair *pair = &pairs->rows[a].pairs[i];
            struct aff_compared row = {
                .key = {pairs->stats[a].product, pairs->stats[pairs->rows[a].others[i]].product},
                .values = {pair->orders, pair->weight, pair->revenue_a, pair->revenue_b, pair->margin_a,
                           pair->margin_b, pair->discounted}};
            status = aff_compare_counted(&verifying->comparison, &row);
        }
    return aff_verify_finish(verifying, status);
}

/* ---- next_stat ---- */

aff_status aff_verify_next_stats(struct aff_verifying *verifying)
{
    static const struct aff_compared_names names = {.key = {"product"},
                                                    .values = {"firsts", "seconds", "firsts_weight"}};
    const struct aff_baskets *baskets = verifying->baskets;
    aff_status status =
        begin(verifying, &names, "product, firsts, seconds, firsts_weight FROM affinity.next_stat", "product",
              "i iil");

    for (uint32_t i = 0; i < baskets->n_products && status == AFF_OK; i++) {
        const struct aff_next_stat *stat = &verifying->next->stats[i];
        struct aff_compared row = {.key = {baskets->products[i]},
                                   .values = {stat->firsts, stat->seconds, stat->firsts_weight}};
        if (stat->firsts > 0 || stat->seconds > 0)
            status = aff_compare_counted(&verifying->comparison, &row);
    }
    return aff_verify_finish(verifying, status);
}

/* ---- pair_next ---- */

static aff_status take_next(void *context, int thread, uint32_t a, const struct aff_next_pair *pairs,
                            uint32_t n)
{
    struct aff_verifying *verifying = context;
    const int32_t *products = verifying->baskets->products;
    aff_status status = AFF_OK;

    (void)thread;
    for (uint32_t i = 0; i < n && status == AFF_OK; i++) {
        struct aff_compared row = {.key = {products[a], products[pairs[i].b]},
                                   .values = {pairs[i].orders, pairs[i].weight},
                                   .bytes = verifying->gaps,
                                   .size = aff_gap_write(pairs[i].gaps, pairs[i].orders, verifying->gaps)};
        status = aff_compare_counted(&verifying->comparison, &row);
    }
    return status;
}

/* One thread counts, so that the rows come in order. */
aff_status aff_verify_next(struct aff_verifying *verifying)
{
    static const struct aff_compared_names names = {
        .key = {"product", "product"}, .values = {"orders", "weight"}, .bytes = "gaps"};
    aff_status status =
        begin(verifying, &names, "a, b, orders, weight, gaps FROM affinity.pair_next", "a, b", "ii ilb");

    if (status == AFF_OK) {
        verifying->reterr->status = AFF_OK;
        status = aff_next_count(verifying->next, 1, verifying->watch, take_next, verifying);
        if (status != AFF_OK && verifying->reterr->status == AFF_OK)
            (void)plain(verifying, status);
    }
    return aff_verify_finish(verifying, status);
}

/* ---- customer_history ---- */

static void pack_times(struct aff_packed *packed, struct aff_copy_array array)
{
    for (size_t i = 0; i < array.n; i++) {
        int64_t at_us = aff_copy_element_time(array, i);
        aff_packed_put(packed, &at_us, sizeof at_us);
    }
}

static void pack_int32s(struct aff_packed *packed, struct aff_copy_array array)
{
    for (size_t i = 0; i < array.n; i++) {
        int32_t value = aff_copy_element_int32(array, i);
        aff_packed_put(packed, &value, sizeof value);
    }
}

static aff_status next_history_row(void *context, struct aff_compared *ret_row, bool *ret_more,
                                   struct aff_error *reterr)
{
    struct aff_verifying *verifying = context;
    struct aff_copy_reader *reader = &verifying->reader;

    verifying->kept.used = 0;
    aff_status status = aff_copy_read(reader, ret_more, reterr);
    if (status != AFF_OK || !*ret_more)
        return status;
    ret_row->key[0] = aff_copy_get_int64(reader, -1);
    ret_row->values[0] = aff_copy_get_int32(reader, -1);
    ret_row->values[1] = aff_copy_get_time(reader, -1);
    struct aff_copy_array products = aff_copy_get_array(reader, sizeof(int32_t));
    ret_row->values[2] = (int64_t)products.n;
    pack_int32s(&verifying->kept, products);
    pack_int32s(&verifying->kept, aff_copy_get_array(reader, sizeof(int32_t)));
    pack_times(&verifying->kept, aff_copy_get_array(reader, sizeof(int64_t)));
    pack_times(&verifying->kept, aff_copy_get_array(reader, sizeof(int64_t)));
    ret_row->bytes = verifying->kept.bytes;
    ret_row->size = verifying->kept.used;
    return AFF_OK;
}

static aff_status take_history(void *context, int thread, const struct aff_customer_history *history)
{
    struct aff_verifying *verifying = context;
    struct aff_packed *packed = &verifying->counted;
    uint32_t n = history->orders > AFF_HISTORY_ORDERS ? 0 : history->n;

    (void)thread;
    packed->used = 0;
    aff_packed_put(packed, history->products, n * sizeof *history->products);
    aff_packed_put(packed, history->counts, n * sizeof *history->counts);
    aff_packed_put(packed, history->first_at_us, n * sizeof *history->first_at_us);
    aff_packed_put(packed, history->last_at_us_of, n * sizeof *history->last_at_us_of);
    struct aff_compared row = {.key = {history->customer},
                               .values = {history->orders, history->last_at_us, n},
                               .bytes = packed->bytes,
                               .size = packed->used};
    return packed->failed ? AFF_NOMEM : aff_compare_counted(&verifying->comparison, &row);
}

aff_status aff_verify_histories(struct aff_verifying *verifying)
{
    static const struct aff_compared_names names = {.key = {"customer"},
                                                    .values = {"orders", "last_at", "products"},
                                                    .bytes = "products, counts and times"};
    aff_status status = aff_verify_begin(
        verifying, &names,
        "customer, orders, last_at, products, counts, first_at, last_at_of FROM affinity.customer_history",
        "customer", next_history_row);

    if (status == AFF_OK) {
        verifying->reterr->status = AFF_OK;
        status = aff_history_build(verifying->baskets, AFF_HISTORY_LIMIT, 1, verifying->watch, take_history,
                                   verifying);
        if (status != AFF_OK && verifying->reterr->status == AFF_OK)
            (void)plain(verifying, status);
    }
    return aff_verify_finish(verifying, status);
}
