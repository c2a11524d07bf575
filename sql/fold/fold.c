/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/fold.h"

#include "sql/fold/apply.h"
#include "sql/fold/beside.h"
#include "sql/fold/changes.h"
#include "sql/fold/columns.h"
#include "sql/fold/costs.h"
#include "sql/fold/histories.h"

#include <libpq-fe.h>
#include <string.h>
#include <time.h>

enum { ATTEMPTS = 5, PAUSE_MS = 20 };

/* Everything that a fold reads it finds by a key; statistics of a queue that was full a moment ago would only
 * mislead the planner. */
#define BEGIN                                                                                                \
    "BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = "    \
    "off;"                                                                                                   \
    " SET LOCAL enable_mergejoin = off; SET LOCAL jit = off; SET LOCAL lock_timeout = '10s'"

struct folding {
    struct aff_connection *connection;
    const struct aff_fold_settings *settings;
    struct aff_count_state state;
    struct aff_changes changes, beside;
    struct aff_costs costs;
    struct aff_column customers;
    struct aff_deltas *deltas;
    struct aff_fold_report report;
    struct aff_error *reterr;
};

bool aff_fold_may_retry(const struct aff_connection *connection, const struct aff_error *error)
{
    static const char *const states[] = {"40001", "40P01", "55P03", "53300", "XX000", "08"};

    if (PQstatus(connection->pg) != CONNECTION_OK)
        return false;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (strncmp(error->sqlstate, states[i], strlen(states[i])) == 0)
            return true;
    return false;
}

/* Takes what was folded out of the queue; while a rebuild reads, it is kept for it. */
static aff_status claim(struct folding *folding)
{
    PGresult *result = NULL;
    aff_status status = aff_query_columns(
        folding->connection,
        folding->state.rebuilding
            ? "WITH gone AS (UPDATE affinity.order_outbox SET folded = true WHERE store = $1 AND NOT folded"
              " RETURNING queued_at) SELECT min(queued_at) FROM gone"
            : "WITH gone AS (DELETE FROM affinity.order_outbox WHERE store = $1 AND NOT folded"
              " RETURNING queued_at) SELECT min(queued_at) FROM gone",
        folding->settings->store, NULL, 0, &result, folding->reterr);

    if (status == AFF_OK)
        folding->report.oldest_us = aff_result_time(result, 0, 0, 0);
    PQclear(result);
    return status;
}

static aff_status count(struct folding *folding)
{
    struct aff_connection *connection = folding->connection;
    int store = folding->settings->store;
    aff_status status =
        aff_changes_beside(connection, store, &folding->changes, &folding->beside, folding->reterr);

    if (status == AFF_OK)
        status = aff_costs_read(connection, store, &folding->changes, &folding->beside, &folding->costs,
                                folding->reterr);
    if (status == AFF_OK)
        status = aff_deltas_make(&folding->changes, &folding->beside, &folding->costs, &folding->state,
                                 folding->deltas, folding->reterr);
    if (status == AFF_OK)
        status = aff_apply_deltas(connection, store, folding->deltas, &folding->costs, folding->reterr);
    if (status == AFF_OK)
        status = aff_fold_histories(connection, store, &folding->state, &folding->changes,
                                    &folding->customers, folding->reterr);
    if (status == AFF_OK)
        status = aff_apply_totals(connection, store, &folding->state, folding->deltas,
                                  &folding->report.version, folding->reterr);
    if (status == AFF_OK)
        status = aff_apply_touched(connection, store, folding->deltas, &folding->customers, folding->reterr);
    if (status == AFF_OK)
        status = claim(folding);
    return status;
}

/* What there is to do; AFF_FOLD_DONE: to be folded. */
static aff_status decide(struct folding *folding, enum aff_fold_outcome *ret_outcome)
{
    const struct aff_fold_settings *settings = folding->settings;
    aff_status status =
        aff_count_state_read(folding->connection, settings->store, true, &folding->state, folding->reterr);

    if (status != AFF_OK)
        return status;
    *ret_outcome = AFF_FOLD_DONE;
    if (folding->state.epoch != settings->epoch)
        *ret_outcome = AFF_FOLD_OVERTAKEN;
    else if (folding->state.generation == 0 || folding->state.landmark_us == INT64_MIN)
        *ret_outcome = AFF_FOLD_UNCOUNTED;
    else if (folding->state.generation != settings->generation)
        *ret_outcome = AFF_FOLD_STALE;
    if (*ret_outcome != AFF_FOLD_DONE)
        return AFF_OK;
    status = aff_changes_read(folding->connection, settings->store, folding->state.counted_from_us,
                              &folding->changes, folding->reterr);
    if (status == AFF_OK && folding->changes.n == 0)
        *ret_outcome = AFF_FOLD_IDLE;
    else if (status == AFF_OK && folding->changes.n > settings->most_orders)
        *ret_outcome = AFF_FOLD_TOO_MANY;
    return status;
}

static void forget(struct folding *folding)
{
    aff_changes_done(&folding->changes);
    aff_changes_done(&folding->beside);
    aff_costs_done(&folding->costs);
    aff_columns_done(&folding->customers, 1);
}

static aff_status fold_once(struct folding *folding)
{
    aff_status status = aff_execute(folding->connection, BEGIN, folding->reterr);
    enum aff_fold_outcome outcome = AFF_FOLD_IDLE;

    if (status != AFF_OK)
        return status;
    status = decide(folding, &outcome);
    folding->report = (struct aff_fold_report){.outcome = outcome, .orders = folding->changes.n};
    if (status == AFF_OK && outcome == AFF_FOLD_DONE)
        status = count(folding);
    if (status == AFF_OK && outcome == AFF_FOLD_DONE)
        return aff_execute(folding->connection, "COMMIT", folding->reterr);
    (void)!aff_execute(folding->connection, "ROLLBACK", NULL); /* what failed before is what counts */
    return status;
}

aff_status aff_fold(struct aff_connection *connection, const struct aff_fold_settings *settings,
                    struct aff_fold_report *ret_report, struct aff_deltas *deltas, struct aff_error *reterr)
{
    struct aff_error error = {0};
    struct folding folding = {.connection = connection,
                              .settings = settings,
                              .customers = {.type = AFF_COLUMN_INT64},
                              .deltas = deltas,
                              .reterr = &error};
    aff_status status = AFF_OK;

    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L * attempt};
        (void)nanosleep(&pause, NULL);
        error = (struct aff_error){0};
        aff_deltas_done(deltas);
        status = fold_once(&folding);
        forget(&folding);
        if (status == AFF_OK || !aff_fold_may_retry(connection, &error))
            break;
    }
    if (status == AFF_OK)
        *ret_report = folding.report;
    else if (reterr != NULL)
        *reterr = error;
    return status;
}
