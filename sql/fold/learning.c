/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/learning.h"

#include "core/base/clock.h"
#include "sql/fold/columns.h"
#include "sql/fold/fold.h"
#include "sql/fold/leader.h"
#include "sql/fold/rows_next.h"
#include "sql/fold/rows_together.h"
#include "sql/fold/sweep.h"
#include "sql/rebuild_feed.h"
#include "sql/review/verdicts.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

/* More queued orders than these, or than a fifth of those counted, are counted faster by a rebuild. */
enum { MOST_ORDERS = 200000, LEAST_MOST_ORDERS = 2000, REBUILD_SHARE = 5 };

/* Products of one transaction that writes rows; so that the session is heard of while many rows are made. */
enum { SLICE = 200 };

#define KEPT_VERSIONS "6000"
#define KEPT_CATALOGUE_VERSIONS "100000"
#define TIDY_EVERY_US (5 * AFF_SECOND_US)
#define VIEWED_EVERY_US AFF_SECOND_US

struct aff_learning {
    struct aff_connection *connection;
    int store;
    struct aff_learning_settings settings;
    int64_t epoch;      /* 0: does not lead */
    int64_t generation; /* of `together` */
    struct aff_together *together;
    struct aff_sweep *sweep;
    int64_t tidied_us; /* monotonic */
    struct aff_viewed_work viewed;
    int64_t viewed_us; /* monotonic: sessions are looked for at that time */
};

/* What the poll sees. */
struct seen {
    int64_t epoch, generation, version, published, orders;
    bool rebuilding, countable, reviewed; /* decisions about pairs wait */
};

aff_status aff_learning_new(struct aff_connection *connection, int store,
                            const struct aff_learning_settings *settings, struct aff_learning **ret_learning)
{
    struct aff_learning *learning = calloc(1, sizeof *learning);

    if (learning == NULL)
        return AFF_NOMEM;
    *learning = (struct aff_learning){.connection = connection, .store = store, .settings = *settings};
    learning->viewed =
        (struct aff_viewed_work){.store = store, .settings = &learning->settings.viewed, .after = -1};
    *ret_learning = learning;
    return AFF_OK;
}

static void forget(struct aff_learning *learning)
{
    aff_together_free(learning->together);
    learning->together = NULL;
    aff_sweep_free(learning->sweep);
    learning->sweep = NULL;
}

void aff_learning_free(struct aff_learning *learning)
{
    if (learning == NULL)
        return;
    forget(learning);
    free(learning);
}

aff_status aff_learning_session(struct aff_connection *connection, int lease_s, struct aff_error *reterr)
{
    char script[256];

    (void)snprintf(script, sizeof script,
                   "SET statement_timeout = 0; SET idle_session_timeout = '%ds';"
                   " SET idle_in_transaction_session_timeout = '%ds'; SET tcp_user_timeout = '%ds'",
                   lease_s, lease_s, lease_s);
    return aff_execute(connection, script, reterr);
}

void aff_learning_resign(struct aff_learning *learning)
{
    if (learning->epoch != 0)
        aff_leader_resign(learning->connection, learning->store);
    learning->epoch = 0;
    forget(learning);
}

/* Without a lock, so that an idle store costs the database nothing. */
static aff_status look(struct aff_learning *learning, struct seen *ret, struct aff_learning_report *report,
                       struct aff_error *reterr)
{
    PGresult *result = NULL;
    aff_status status = aff_query_columns(
        learning->connection,
        "SELECT s.epoch, s.generation, s.version, s.published, s.orders, s.rebuilding,"
        " s.generation > 0 AND s.landmark IS NOT NULL, s.rebuilt_at, s.swept_at, q.n, q.oldest,"
        " EXISTS (SELECT FROM affinity.pair_review r WHERE r.store = $1 AND r.queued)"
        " FROM affinity.state s CROSS JOIN LATERAL (SELECT count(*) AS n, min(queued_at) AS oldest"
        " FROM affinity.order_outbox WHERE store = $1 AND NOT folded) q WHERE s.store = $1",
        learning->store, NULL, 0, &result, reterr);

    if (status != AFF_OK)
        return status;
    if (PQntuples(result) == 0) {
        PQclear(result);
        return aff_error_set(reterr, AFF_NOTFOUND, "store number %d has gone", learning->store);
    }
    *ret = (struct seen){.epoch = aff_result_whole(result, 0, 0, 0),
                         .generation = aff_result_whole(result, 0, 1, 0),
                         .version = aff_result_whole(result, 0, 2, 0),
                         .published = aff_result_whole(result, 0, 3, 0),
                         .orders = aff_result_whole(result, 0, 4, 0),
                         .rebuilding = aff_result_whole(result, 0, 5, 0) != 0,
                         .countable = aff_result_whole(result, 0, 6, 0) != 0};
    report->generation = ret->generation;
    report->version = ret->version;
    report->published = ret->published;
    report->rebuilt_at_us = aff_result_time(result, 0, 7, 0);
    report->swept_at_us = aff_result_time(result, 0, 8, 0);
    report->queued = (uint64_t)aff_result_whole(result, 0, 9, 0);
    report->oldest_us = aff_result_time(result, 0, 10, 0);
    ret->reviewed = aff_result_whole(result, 0, 11, 0) != 0;
    PQclear(result);
    return AFF_OK;
}

/* After a rebuild that was killed, what it made folds keep is thrown away. */
static aff_status tidy(struct aff_learning *learning, struct aff_error *reterr)
{
    int64_t now_us = aff_clock_monotonic_us();
    bool running;

    if (learning->tidied_us != 0 && now_us - learning->tidied_us < TIDY_EVERY_US)
        return AFF_OK;
    learning->tidied_us = now_us;
    return aff_rebuild_feed_tidy(learning->connection, learning->store, &running, reterr);
}

static aff_status load(struct aff_learning *learning, const struct seen *seen,
                       struct aff_learning_report *report, struct aff_error *reterr)
{
    if (learning->together != NULL && learning->generation == seen->generation)
        return AFF_OK;
    forget(learning);
    aff_status status = aff_together_load(learning->connection, learning->store, &learning->settings.rows,
                                          learning->settings.limit_bytes, &learning->together, reterr);
    if (status == AFF_OK) {
        learning->generation = seen->generation;
        report->loaded = true;
    }
    return status;
}

static uint32_t most_orders(const struct seen *seen)
{
    int64_t share = seen->orders / REBUILD_SHARE;

    return share < LEAST_MOST_ORDERS ? LEAST_MOST_ORDERS
           : share > MOST_ORDERS     ? MOST_ORDERS
                                     : (uint32_t)share;
}

/* ---- rows ---- */

static aff_status make_slice(struct aff_learning *learning, struct aff_rows_write *write, int relation,
                             const int32_t *products, uint32_t n, bool *ret_mine, struct aff_error *reterr)
{
    struct aff_next_row_settings next = {learning->settings.rows.neighbours, learning->settings.rows.floors};

    if (relation == AFF_RELATION_TOGETHER)
        return aff_together_rows(learning->together, write, products, n, ret_mine, reterr);
    return aff_rows_next(write, &next, products, n, ret_mine, reterr);
}

/* The rows that `result` names (what, key), in slices of one relation. */
static aff_status make_rows(struct aff_learning *learning, const PGresult *result,
                            struct aff_rows_write *write, bool *ret_mine, struct aff_error *reterr)
{
    int32_t products[SLICE];
    int n = PQntuples(result);
    aff_status status = AFF_OK;

    *ret_mine = true;
    for (int row = 0; row < n && status == AFF_OK && *ret_mine;) {
        int64_t relation = aff_result_whole(result, row, 0, 0);
        uint32_t n_products = 0;
        while (row < n && n_products < SLICE && aff_result_whole(result, row, 0, 0) == relation)
            products[n_products++] = (int32_t)aff_result_whole(result, row++, 1, -1);
        status = make_slice(learning, write, (int)relation, products, n_products, ret_mine, reterr);
    }
    return status;
}

/* Writes the rows that changed since the last publication, and publishes. */
static aff_status publish(struct aff_learning *learning, int64_t version, struct aff_learning_report *report,
                          bool *ret_mine, struct aff_error *reterr)
{
    int64_t started_us = aff_clock_monotonic_us();
    struct aff_rows_write write;
    PGresult *result = NULL;
    aff_status status = aff_rows_write_init(&write, learning->connection, learning->store,
                                            learning->settings.rows.neighbours);

    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    write.epoch = learning->epoch;
    write.generation = learning->generation;
    status = aff_query_columns(
        learning->connection,
        "SELECT t.what, t.key FROM affinity.touched t JOIN affinity.state s USING (store)"
        " WHERE t.store = $1 AND t.version > s.published AND t.what IN (1, 2) ORDER BY t.what, t.key",
        learning->store, NULL, 0, &result, reterr);
    if (status == AFF_OK)
        status = make_rows(learning, result, &write, ret_mine, reterr);
    if (status == AFF_OK && *ret_mine)
        status = aff_rows_published(learning->connection, learning->store, learning->epoch,
                                    learning->generation, version, ret_mine, reterr);
    if (status == AFF_OK && *ret_mine) {
        report->rows = (uint32_t)PQntuples(result);
        report->published = version;
        report->publish_us = aff_clock_monotonic_us() - started_us;
        report->state = AFF_LEARNING_BUSY;
    }
    PQclear(result);
    aff_rows_write_done(&write);
    return status;
}

/* ---- one step ---- */

static aff_status fold(struct aff_learning *learning, const struct seen *seen,
                       struct aff_learning_report *report, enum aff_fold_outcome *ret_outcome,
                       struct aff_error *reterr)
{
    struct aff_fold_settings settings = {.store = learning->store,
                                         .epoch = learning->epoch,
                                         .generation = learning->generation,
                                         .most_orders = most_orders(seen)};
    struct aff_delta *delta = NULL;
    struct aff_fold_report folded;
    int64_t started_us = aff_clock_monotonic_us();
    aff_status status = aff_fold(learning->connection, &settings, &folded, &delta, reterr);

    if (status == AFF_OK) {
        *ret_outcome = folded.outcome;
        if (folded.outcome == AFF_FOLD_DONE) {
            report->folded = folded.orders;
            report->fold_us = aff_clock_monotonic_us() - started_us;
            report->version = folded.version;
            report->state = AFF_LEARNING_BUSY;
            status = aff_together_add(learning->together, delta);
            if (status != AFF_OK)
                (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
        }
    }
    aff_delta_free(delta);
    return status;
}

/* Decisions about pairs become part of the rows of their products. */
static aff_status review(struct aff_learning *learning, struct aff_learning_report *report, bool *ret_mine,
                         struct aff_error *reterr)
{
    aff_status status = aff_verdicts_claim(learning->connection, learning->store, learning->epoch,
                                           learning->generation, ret_mine, &report->version, reterr);

    if (status == AFF_OK && *ret_mine)
        status = aff_together_review(learning->together, learning->connection, reterr);
    return status;
}

/* Sessions, when it is their turn. Rows that became different wait for the publication that follows. */
static aff_status count_sessions(struct aff_learning *learning, struct aff_learning_report *report,
                                 enum aff_fold_outcome *ret_outcome, struct aff_error *reterr)
{
    struct aff_viewed_report viewed;

    if (learning->settings.viewed.rows.neighbours == 0 || aff_clock_monotonic_us() < learning->viewed_us)
        return AFF_OK;
    learning->viewed.epoch = learning->epoch;
    aff_status status = aff_viewed_step(learning->connection, &learning->viewed, &viewed, reterr);
    if (status != AFF_OK)
        return status;
    learning->viewed_us = viewed.more ? 0 : aff_clock_monotonic_us() + VIEWED_EVERY_US;
    report->sessions = viewed.sessions;
    report->viewed_rows = viewed.rows;
    report->sessions_wait = viewed.more;
    if (viewed.overtaken)
        *ret_outcome = AFF_FOLD_OVERTAKEN;
    if (viewed.sessions > 0 || viewed.rows > 0 || viewed.more)
        report->state = AFF_LEARNING_BUSY;
    return AFF_OK;
}

/* The newest version, which the rows of sessions may have moved. */
static aff_status see_version(struct aff_learning *learning, struct aff_learning_report *report,
                              struct aff_error *reterr)
{
    PGresult *result = NULL;
    aff_status status =
        aff_query_columns(learning->connection, "SELECT version FROM affinity.state WHERE store = $1",
                          learning->store, NULL, 0, &result, reterr);

    if (status == AFF_OK)
        report->version = aff_result_whole(result, 0, 0, 0);
    PQclear(result);
    return status;
}

/* What comes after a fold: sessions, and the publication of all that is new. */
static aff_status finish(struct aff_learning *learning, struct aff_learning_report *report,
                         enum aff_fold_outcome *outcome, bool *ret_mine, struct aff_error *reterr)
{
    aff_status status = count_sessions(learning, report, outcome, reterr);

    if (status == AFF_OK && report->viewed_rows > 0)
        status = see_version(learning, report, reterr);
    if (status == AFF_OK && *outcome != AFF_FOLD_OVERTAKEN && report->published < report->version)
        status = publish(learning, report->version, report, ret_mine, reterr);
    return status;
}

/* Folds what is queued, with the memory of the counts, and takes decisions about pairs. */
static aff_status work(struct aff_learning *learning, const struct seen *seen,
                       struct aff_learning_report *report, enum aff_fold_outcome *ret_outcome, bool *ret_mine,
                       struct aff_error *reterr)
{
    aff_status status = seen->rebuilding ? tidy(learning, reterr) : AFF_OK;

    if (status == AFF_OK)
        status = load(learning, seen, report, reterr);
    if (status == AFF_OK && report->queued > 0)
        status = fold(learning, seen, report, ret_outcome, reterr);
    if (status == AFF_OK && seen->reviewed)
        status = review(learning, report, ret_mine, reterr);
    return status;
}

static aff_status lead(struct aff_learning *learning, struct aff_learning_report *report,
                       struct aff_error *reterr)
{
    enum aff_fold_outcome outcome = AFF_FOLD_IDLE;
    struct seen seen = {0};
    bool mine = true, may_finish = false;
    aff_status status = look(learning, &seen, report, reterr);

    report->epoch = learning->epoch;
    if (status == AFF_OK && seen.epoch != learning->epoch)
        outcome = AFF_FOLD_OVERTAKEN;
    else if (status == AFF_OK && !seen.countable) {
        /* Sessions count without orders, too. */
        outcome = report->queued > 0 ? AFF_FOLD_UNCOUNTED : AFF_FOLD_IDLE;
        learning->generation = seen.generation;
        may_finish = true;
    } else if (status == AFF_OK) {
        status = work(learning, &seen, report, &outcome, &mine, reterr);
        may_finish = mine && (outcome == AFF_FOLD_DONE || outcome == AFF_FOLD_IDLE);
    }
    if (status == AFF_OK && may_finish)
        status = finish(learning, report, &outcome, &mine, reterr);
    if (status != AFF_OK)
        return status;
    report->memory_bytes = aff_together_bytes(learning->together);
    if (outcome == AFF_FOLD_OVERTAKEN) {
        aff_learning_resign(learning);
        report->lost_lead = true;
        report->state = AFF_LEARNING_FOLLOWS;
    } else if (outcome == AFF_FOLD_UNCOUNTED || outcome == AFF_FOLD_TOO_MANY)
        report->state = AFF_LEARNING_REBUILD;
    else if (outcome == AFF_FOLD_STALE || !mine)
        report->state = AFF_LEARNING_BUSY; /* the next look says what has changed */
    return AFF_OK;
}

aff_status aff_learning_step(struct aff_learning *learning, struct aff_learning_report *ret_report,
                             struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    *ret_report = (struct aff_learning_report){.state = AFF_LEARNING_FOLLOWS};
    if (learning->epoch == 0) {
        status = aff_leader_take(learning->connection, learning->store, learning->settings.name,
                                 &learning->epoch, reterr);
        if (status != AFF_OK || learning->epoch == 0)
            return status;
        ret_report->took_lead = true;
    }
    ret_report->state = AFF_LEARNING_IDLE;
    status = lead(learning, ret_report, reterr);
    if (status != AFF_OK)
        forget(learning);
    return status;
}

/* ---- housekeeping ---- */

aff_status aff_learning_sweep(struct aff_learning *learning, uint32_t n_products, uint32_t *ret_changed,
                              bool *ret_done, struct aff_error *reterr)
{
    struct aff_sweep_settings settings = {.store = learning->store,
                                          .epoch = learning->epoch,
                                          .generation = learning->generation,
                                          .rows = &learning->settings.rows,
                                          .together = learning->together};
    aff_status status = AFF_OK;

    *ret_changed = 0;
    *ret_done = false;
    if (learning->epoch == 0 || learning->together == NULL)
        return AFF_OK;
    if (learning->sweep == NULL)
        status = aff_sweep_new(learning->connection, &settings, &learning->sweep, reterr);
    if (status == AFF_OK)
        status = aff_sweep_some(learning->sweep, n_products, ret_changed, ret_done, reterr);
    if (status != AFF_OK || *ret_done) {
        aff_sweep_free(learning->sweep);
        learning->sweep = NULL;
    }
    return status;
}

aff_status aff_learning_trim(struct aff_learning *learning, struct aff_error *reterr)
{
    static const char *const statements[] = {
        "UPDATE affinity.state SET touched_from = version - " KEPT_VERSIONS
        " WHERE store = $1 AND touched_from < version - 2 * " KEPT_VERSIONS,
        "DELETE FROM affinity.touched t USING affinity.state s WHERE t.store = $1 AND s.store = $1"
        " AND t.version <= s.touched_from",
        "UPDATE affinity.catalogue_state SET changes_from = version - " KEPT_CATALOGUE_VERSIONS
        " WHERE store = $1 AND changes_from < version - 2 * " KEPT_CATALOGUE_VERSIONS,
        "DELETE FROM affinity.catalogue_change c USING affinity.catalogue_state s WHERE c.store = $1"
        " AND s.store = $1 AND c.version <= s.changes_from",
    };
    aff_status status = AFF_OK;

    for (size_t i = 0; i < sizeof statements / sizeof statements[0] && status == AFF_OK; i++)
        status =
            aff_query_columns(learning->connection, statements[i], learning->store, NULL, 0, NULL, reterr);
    return status;
}
