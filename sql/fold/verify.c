/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/verify.h"

#include "core/learn/gap.h"
#include "sql/fold/columns.h"
#include "sql/fold/verify_parts.h"
#include "sql/review/verdicts.h"
#include "sql/viewed/verify.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct part {
    const char *name;
    aff_status (*compare)(struct aff_verifying *verifying);
};

static const struct part parts[] = {
    {"product_stat", aff_verify_stats},
    {"product_month", aff_verify_months},
    {"pair_together", aff_verify_together},
    {"next_stat", aff_verify_next_stats},
    {"pair_next", aff_verify_next},
    {"customer_history", aff_verify_histories},
    {"state", aff_verify_state},
    {"viewed_stat", aff_verify_viewed_stats},
    {"pair_viewed", aff_verify_viewed_pairs},
    {"session", aff_verify_viewed_sessions},
    {"neighbour", aff_verify_neighbours},
};
_Static_assert(sizeof parts / sizeof parts[0] == AFF_VERIFIED_PARTS, "one entry a table");

/* ---- state ---- */

static aff_status next_state(void *context, struct aff_compared *ret_row, bool *ret_more,
                             struct aff_error *reterr)
{
    struct aff_verifying *verifying = context;
    const struct aff_count_state *state = verifying->state;

    (void)reterr;
    *ret_more = !verifying->comparison.begun || verifying->comparison.rows_kept == 0;
    *ret_row = (struct aff_compared){.key = {verifying->store},
                                     .values = {state->orders, state->lines, state->weight,
                                                state->next_orders, state->truncated_orders,
                                                state->truncated_lines, state->from_us, state->to_us}};
    return AFF_OK;
}

aff_status aff_verify_state(struct aff_verifying *verifying)
{
    static const struct aff_compared_names names = {.key = {"store"},
                                                    .values = {"orders", "lines", "weight", "next_orders",
                                                               "truncated_orders", "truncated_lines",
                                                               "window_from", "window_to"}};
    const struct aff_baskets *baskets = verifying->baskets;
    struct aff_compared row = {
        .key = {verifying->store},
        .values = {baskets->n_baskets, baskets->n_lines, baskets->weight,
                   (int64_t)verifying->next->consecutive, (int64_t)baskets->truncated_orders,
                   (int64_t)baskets->truncated_lines, baskets->n_baskets > 0 ? baskets->from_us : INT64_MIN,
                   baskets->n_baskets > 0 ? baskets->to_us : INT64_MIN}};

    verifying->comparison = (struct aff_comparison){
        .names = &names, .next = next_state, .context = verifying, .reterr = verifying->reterr};
    aff_status status = aff_compare_counted(&verifying->comparison, &row);
    return status == AFF_OK ? aff_compare_end(&verifying->comparison) : status;
}

/* ---- one snapshot ---- */

/* Locks the tables against replacement before the snapshot is taken: one that is older than a swap would see
 * the new tables as empty. */
static aff_status begin(struct aff_connection *connection, int store, struct aff_error *reterr)
{
    static const char *const tables[] = {"product_stat", "product_month",    "pair_together", "next_stat",
                                         "pair_next",    "customer_history", "neighbour"};
    char name[AFF_PARTITION_NAME], statement[256];
    aff_status status = aff_execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", reterr);

    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && status == AFF_OK; i++) {
        aff_partition_name(tables[i], store, "", name);
        (void)snprintf(statement, sizeof statement,
                       "LOCK TABLE ONLY affinity.%s, ONLY %s IN ACCESS SHARE MODE", tables[i], name);
        status = aff_execute(connection, statement, reterr);
    }
    return status;
}

/* The shop's id of a product or customer, in quotes; its number if there is none. */
static void name_key(struct aff_verifying *verifying, const char *what, int64_t key, char ret_name[160])
{
    struct aff_column keys = {.type = AFF_COLUMN_INT64};
    PGresult *result = NULL;
    bool is_customer = strcmp(what, "customer") == 0;

    (void)snprintf(ret_name, 160, "%s %" PRId64, what, key);
    if (!is_customer && strcmp(what, "product") != 0)
        return;
    aff_column_add(&keys, key);
    aff_status status = aff_query_columns(
        verifying->connection,
        is_customer ? "SELECT id FROM affinity.customer WHERE store = $1 AND customer = ANY($2::bigint[])"
                    : "SELECT id FROM affinity.product WHERE store = $1 AND product = ANY($2::bigint[])",
        verifying->store, &keys, 1, &result, NULL);
    if (status == AFF_OK && PQntuples(result) > 0)
        (void)snprintf(ret_name, 160, "%s '%.120s'", what, PQgetvalue(result, 0, 0));
    PQclear(result);
    aff_columns_done(&keys, 1);
}

static void describe(struct aff_verifying *verifying, struct aff_verified *part)
{
    const struct aff_comparison *comparison = &verifying->comparison;
    char names[2][160] = {"", ""};

    for (int i = 0; i < 2 && comparison->names->key[i] != NULL; i++)
        name_key(verifying, comparison->names->key[i], comparison->first_key[i], names[i]);
    (void)snprintf(part->text, sizeof part->text, "%s%s%s: %s", names[0], names[1][0] == '\0' ? "" : ", ",
                   names[1], comparison->first);
}

static aff_status compare_all(struct aff_verifying *verifying, struct aff_verify_report *report)
{
    aff_status status = AFF_OK;
    int n = verifying->rows == NULL ? AFF_VERIFIED_PARTS - 1 : AFF_VERIFIED_PARTS;

    report->equal = true;
    for (int i = 0; i < n && status == AFF_OK; i++) {
        struct aff_verified *part = &report->parts[report->n++];
        const struct aff_comparison *comparison = &verifying->comparison;
        status = parts[i].compare(verifying);
        *part = (struct aff_verified){.name = parts[i].name,
                                      .rows_kept = comparison->rows_kept,
                                      .rows_counted = comparison->rows_counted,
                                      .digest_kept = comparison->digest_kept,
                                      .digest_counted = comparison->digest_counted,
                                      .differing = comparison->differing};
        if (status == AFF_OK && comparison->differing > 0) {
            report->equal = false;
            describe(verifying, part);
        }
    }
    return status;
}

static aff_status count_all(struct aff_verifying *verifying, int n_threads, struct aff_baskets **ret_baskets,
                            struct aff_pairs **ret_pairs, struct aff_next **ret_next)
{
    size_t n = verifying->rows == NULL ? 1 : verifying->rows->neighbours;
    aff_status status = aff_recount(verifying->connection, verifying->store, verifying->state,
                                    verifying->watch, ret_baskets, verifying->reterr);

    if (status != AFF_OK)
        return status;
    status = aff_pairs_count(*ret_baskets, n_threads, verifying->watch, ret_pairs);
    if (status == AFF_OK)
        status = aff_next_new(*ret_baskets, ret_next);
    verifying->gaps = malloc((size_t)AFF_GAP_BUCKETS * AFF_GAP_ENTRY_BYTES);
    verifying->neighbours = malloc(n * sizeof *verifying->neighbours);
    verifying->counts = malloc(n * sizeof *verifying->counts);
    if (status == AFF_OK &&
        (verifying->gaps == NULL || verifying->neighbours == NULL || verifying->counts == NULL))
        status = AFF_NOMEM;
    verifying->baskets = *ret_baskets;
    verifying->pairs = *ret_pairs;
    verifying->next = *ret_next;
    return status == AFF_OK ? AFF_OK
                            : aff_error_set(verifying->reterr, status, "%s", aff_status_text(status));
}

static aff_status verify_snapshot(struct aff_verifying *verifying, const struct aff_verify_settings *settings,
                                  struct aff_verify_report *report)
{
    struct aff_count_state state;
    struct aff_baskets *baskets = NULL;
    struct aff_pairs *pairs = NULL;
    struct aff_next *next = NULL;
    aff_status status =
        aff_count_state_read(verifying->connection, verifying->store, false, &state, verifying->reterr);

    if (status == AFF_OK && state.generation == 0)
        status = aff_error_set(verifying->reterr, AFF_NOTREADY,
                               "the store was never counted; run 'affinityctl rebuild' first");
    verifying->state = &state;
    if (status == AFF_OK)
        status = count_all(verifying, settings->n_threads, &baskets, &pairs, &next);
    if (status == AFF_OK)
        status = aff_verify_sessions_count(verifying);
    if (status == AFF_OK) {
        report->version = state.version;
        report->generation = state.generation;
        report->orders = baskets->n_baskets;
        status = compare_all(verifying, report);
    }
    aff_next_free(next);
    aff_pairs_free(pairs);
    aff_baskets_free(baskets);
    return status;
}

aff_status aff_verify(struct aff_connection *connection, int store,
                      const struct aff_verify_settings *settings, const struct aff_watch *watch,
                      struct aff_verify_report *ret_report, struct aff_error *reterr)
{
    struct aff_error error = {0};
    struct aff_verify_report report = {0};
    struct aff_verifying verifying = {
        .connection = connection, .store = store, .watch = watch, .reterr = &error};
    struct aff_rows_settings rows;
    struct aff_reviews reviews = {0};
    aff_status status = begin(connection, store, &error);

    if (settings->rows != NULL) {
        rows = *settings->rows;
        rows.reviews = &reviews;
        verifying.rows = &rows;
        if (status == AFF_OK)
            status = aff_verdicts_read(connection, store, &reviews, &error);
    }
    if (status == AFF_OK)
        status = verify_snapshot(&verifying, settings, &report);
    (void)!aff_execute(connection, "ROLLBACK",
                       NULL); /* it changed nothing; what failed before is what counts */
    aff_viewed_done(&verifying.viewed);
    free(verifying.kept.bytes);
    free(verifying.counted.bytes);
    free(verifying.gaps);
    free(verifying.neighbours);
    free(verifying.counts);
    aff_reviews_done(&reviews);
    if (status == AFF_OK)
        *ret_report = report;
    else if (reterr != NULL)
        *reterr = error;
    return status;
}
