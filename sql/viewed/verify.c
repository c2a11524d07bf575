/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/viewed/verify.h"

#include "sql/fold/columns.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>

/* Pairs that are gathered before they are added up, at least. */
enum { GATHERED = 1 << 22 };

static aff_status add_session(struct aff_viewed *viewed, struct aff_copy_array counted, size_t *summed)
{
    int32_t products[AFF_VIEWED_PRODUCTS];

    if (counted.n > AFF_VIEWED_PRODUCTS)
        return AFF_DATA;
    for (size_t i = 0; i < counted.n; i++)
        products[i] = aff_copy_element_int32(counted, i);
    aff_status status = aff_viewed_add(viewed, NULL, 0, products, (uint32_t)counted.n);
    if (viewed->n_pairs > 2 * *summed + GATHERED) {
        aff_viewed_sum(viewed);
        *summed = viewed->n_pairs;
    }
    return status;
}

aff_status aff_verify_sessions_count(struct aff_verifying *verifying)
{
    struct aff_viewed *viewed = &verifying->viewed;
    char statement[160];
    size_t summed = 0;
    bool more = false;

    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT counted FROM affinity.session WHERE store = %d AND counted <> '{}')"
                   " TO STDOUT (FORMAT binary)",
                   verifying->store);
    aff_status status =
        aff_copy_read_begin(&verifying->reader, verifying->connection, statement, verifying->reterr);
    while (status == AFF_OK &&
           (status = aff_copy_read(&verifying->reader, &more, verifying->reterr)) == AFF_OK && more) {
        status = add_session(viewed, aff_copy_get_array(&verifying->reader, sizeof(int32_t)), &summed);
        if (status != AFF_OK)
            (void)aff_error_set(verifying->reterr, status, "affinity.session.counted: %s",
                                aff_status_text(status));
    }
    aff_copy_read_close(&verifying->reader);
    aff_viewed_sum(viewed);
    return status;
}

/* ---- viewed_stat, pair_viewed ---- */

static aff_status next_row(struct aff_verifying *verifying, int keys, struct aff_compared *ret_row,
                           bool *ret_more)
{
    aff_status status = aff_copy_read(&verifying->reader, ret_more, verifying->reterr);

    if (status != AFF_OK || !*ret_more)
        return status;
    for (int i = 0; i < keys; i++)
        ret_row->key[i] = aff_copy_get_int32(&verifying->reader, -1);
    ret_row->values[0] = aff_copy_get_int32(&verifying->reader, -1);
    return AFF_OK;
}

static aff_status next_stat(void *context, struct aff_compared *ret_row, bool *ret_more,
                            struct aff_error *reterr)
{
    (void)reterr;
    return next_row(context, 1, ret_row, ret_more);
}

static aff_status next_pair(void *context, struct aff_compared *ret_row, bool *ret_more,
                            struct aff_error *reterr)
{
    (void)reterr;
    return next_row(context, 2, ret_row, ret_more);
}

aff_status aff_verify_viewed_stats(struct aff_verifying *verifying)
{
    static const struct aff_compared_names names = {.key = {"product"}, .values = {"sessions"}};
    const struct aff_viewed *viewed = &verifying->viewed;
    aff_status status = aff_verify_begin(verifying, &names, "product, sessions FROM affinity.viewed_stat",
                                         "product", next_stat);

    for (size_t i = 0; i < viewed->n_products && status == AFF_OK; i++) {
        const struct aff_compared row = {.key = {viewed->products[i].product},
                                         .values = {viewed->products[i].sessions}};
        status = aff_compare_counted(&verifying->comparison, &row);
    }
    return aff_verify_finish(verifying, status);
}

aff_status aff_verify_viewed_pairs(struct aff_verifying *verifying)
{
    static const struct aff_compared_names names = {.key = {"product", "product"}, .values = {"sessions"}};
    const struct aff_viewed *viewed = &verifying->viewed;
    aff_status status =
        aff_verify_begin(verifying, &names, "a, b, sessions FROM affinity.pair_viewed", "a, b", next_pair);

    for (size_t i = 0; i < viewed->n_pairs && status == AFF_OK; i++) {
        const struct aff_viewed_pair *pair = &viewed->pairs[i];
        const struct aff_compared row = {.key = {pair->a, pair->b}, .values = {pair->sessions}};
        status = aff_compare_counted(&verifying->comparison, &row);
    }
    return aff_verify_finish(verifying, status);
}

/* ---- session ---- */

/* How many sessions are counted, and how many not as they stand although they do not wait for it. */
static aff_status next_total(void *context, struct aff_compared *ret_row, bool *ret_more,
                             struct aff_error *reterr)
{
    struct aff_verifying *verifying = context;
    PGresult *result = NULL;

    *ret_more = verifying->comparison.rows_kept == 0;
    if (!*ret_more)
        return AFF_OK;
    aff_status status = aff_query_columns(
        verifying->connection,
        "SELECT coalesce((SELECT sessions FROM affinity.viewed_state WHERE store = $1), 0), (SELECT count(*)"
        " FROM affinity.session s WHERE s.store = $1 AND s.counted <> '{}'"
        " AND s.counted <> affinity.session_counts(s.products) AND s.session_key NOT IN (SELECT"
        " q.session_key FROM affinity.session_heard q WHERE q.store = $1))",
        verifying->store, NULL, 0, &result, reterr);
    if (status == AFF_OK)
        *ret_row = (struct aff_compared){
            .key = {verifying->store},
            .values = {aff_result_whole(result, 0, 0, -1), aff_result_whole(result, 0, 1, -1)}};
    PQclear(result);
    return status;
}

aff_status aff_verify_viewed_sessions(struct aff_verifying *verifying)
{
    static const struct aff_compared_names names = {.key = {"store"}, .values = {"sessions", "stale"}};
    const struct aff_compared row = {.key = {verifying->store}, .values = {verifying->viewed.sessions, 0}};

    verifying->comparison = (struct aff_comparison){
        .names = &names, .next = next_total, .context = verifying, .reterr = verifying->reterr};
    aff_status status = aff_compare_counted(&verifying->comparison, &row);
    return status == AFF_OK ? aff_compare_end(&verifying->comparison) : status;
}
