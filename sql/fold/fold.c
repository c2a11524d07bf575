/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/fold.h"

#include "sql/fold/apply.h"
#include "sql/fold/beside.h"
#include "sql/fold/changes.h"
#include "sql/fold/columns.h"
#include "sql/fold/costs.h"
#include "sql/fold/histories.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ATTEMPTS = 5, PAUSE_MS = 20 };

/* Everything that a fold reads it finds by a key; statistics of a queue that was full a moment ago would only
 * mislead the planner. */
#define BEGIN                                                                                                \
    "BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = "    \
    "off;"                                                                                                   \
    " SET LOCAL enable_mergejoin = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off;"     \
    " SET LOCAL jit = off; SET LOCAL lock_timeout = '10s'"

struct folding {
    struct aff_connection *connection;
    const struct aff_fold_settings *settings;
    struct aff_count_state state;
    struct aff_changes changes, beside;
    struct aff_costs costs;
    struct aff_column customers;
    struct aff_delta *delta;
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

static void widen(const struct aff_change_content *content, int64_t *from_us, int64_t *to_us)
{
    if (content->n == 0)
        return;
    if (*from_us == INT64_MIN || content->at_us < *from_us)
        *from_us = content->at_us;
    if (content->at_us > *to_us)
        *to_us = content->at_us;
}

static struct aff_changed_span span_of(const struct aff_changes *changes)
{
    struct aff_changed_span span = {INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN};

    for (uint32_t i = 0; i < changes->n; i++) {
        widen(&changes->changes[i].before, &span.from_before_us, &span.to_before_us);
        widen(&changes->changes[i].after, &span.from_after_us, &span.to_after_us);
    }
    return span;
}

/* Appends the lines of all orders as they were, or as they are. */
static aff_status add_lines(struct folding *folding, const struct aff_changes *changes, bool after,
                            struct aff_line *lines, size_t *n)
{
    for (uint32_t i = 0; i < changes->n; i++) {
        const struct aff_change *change = &changes->changes[i];
        const struct aff_change_content *content = after ? &change->after : &change->before;
        for (uint32_t j = 0; j < content->n; j++) {
            const struct aff_change_line *said = &changes->lines[content->first + j];
            struct aff_line *line = &lines[(*n)++];
            *line = (struct aff_line){.order_key = change->order_key,
                                      .customer = content->customer,
                                      .at_us = content->at_us,
                                      .product = said->product,
                                      .discounted = said->discounted};
            if (!aff_line_money(said, aff_costs_find(&folding->costs, said->product), &line->revenue,
                                &line->margin))
                return aff_error_set(folding->reterr, AFF_LIMIT,
                                     "order key %" PRId64 ": its amounts are too large", change->order_key);
        }
    }
    return AFF_OK;
}

static aff_status make_delta(struct folding *folding)
{
    const struct aff_count_state *state = &folding->state;
    struct aff_delta_settings settings = {.half_life_s = state->half_life_s,
                                          .cap = state->cap,
                                          .frame = {state->landmark_us, state->counted_from_us}};
    size_t room = (size_t)folding->changes.n_lines + folding->beside.n_lines + 1, n[2] = {0};
    struct aff_line *lines[2] = {malloc(room * sizeof(struct aff_line)),
                                 malloc(room * sizeof(struct aff_line))};
    aff_status status = AFF_OK;

    if (lines[0] == NULL || lines[1] == NULL)
        status = aff_error_set(folding->reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    for (int side = 0; side < 2 && status == AFF_OK; side++) {
        status = add_lines(folding, &folding->changes, side == 1, lines[side], &n[side]);
        if (status == AFF_OK)
            status = add_lines(folding, &folding->beside, side == 1, lines[side], &n[side]);
    }
    if (status == AFF_OK) {
        status = aff_delta_build(&settings, lines[0], n[0], lines[1], n[1], &folding->delta);
        if (status != AFF_OK)
            (void)aff_error_set(folding->reterr, status, "changed orders: %s", aff_status_text(status));
    }
    free(lines[0]);
    free(lines[1]);
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
        status = make_delta(folding);
    if (status == AFF_OK)
        status = aff_apply_delta(connection, store, folding->delta, &folding->costs, folding->reterr);
    if (status == AFF_OK)
        status = aff_fold_histories(connection, store, &folding->state, &folding->changes,
                                    &folding->customers, folding->reterr);
    struct aff_changed_span span = span_of(&folding->changes);
    if (status == AFF_OK)
        status = aff_apply_totals(connection, store, &folding->state, folding->delta, &span,
                                  &folding->report.version, folding->reterr);
    if (status == AFF_OK)
        status = aff_apply_touched(connection, store, folding->delta, &folding->customers, folding->reterr);
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
    aff_delta_free(folding->delta);
    folding->delta = NULL;
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
                    struct aff_fold_report *ret_report, struct aff_delta **ret_delta,
                    struct aff_error *reterr)
{
    struct aff_error error = {0};
    struct folding folding = {.connection = connection,
                              .settings = settings,
                              .customers = {.type = AFF_COLUMN_INT64},
                              .reterr = &error};
    aff_status status = AFF_OK;

    *ret_delta = NULL;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L * attempt};
        (void)nanosleep(&pause, NULL);
        error = (struct aff_error){0};
        status = fold_once(&folding);
        if (status == AFF_OK) {
            *ret_delta = folding.delta;
            folding.delta = NULL;
        }
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
