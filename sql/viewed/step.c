/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"
#include "sql/fold/columns.h"
#include "sql/viewed/parts.h"

#include <libpq-fe.h>

/* Changed orders wait meanwhile. */
#define BUDGET_US (AFF_SECOND_US / 5)

/* What waits; without a lock, so that an idle store costs the database little. */
struct waiting {
    bool known, heard, old, due;
    int64_t now_us;
};

static aff_status look(struct aff_connection *connection, const struct aff_viewed_work *work,
                       struct waiting *ret, struct aff_error *reterr)
{
    struct aff_column column = {.type = AFF_COLUMN_INT64};
    PGresult *result = NULL;

    aff_column_add(&column, work->settings->wait_s);
    aff_column_add(&column, work->settings->window_us);
    aff_status status =
        aff_query_columns(connection,
                          "SELECT EXISTS (SELECT FROM affinity.session_heard WHERE store = $1"
                          "  AND received_at <= now() - ($2::bigint[])[1] * interval '1 second'),"
                          " (SELECT min(at) < max(at) - ($2::bigint[])[2] * interval '1 microsecond'"
                          "  FROM affinity.session WHERE store = $1),"
                          " EXISTS (SELECT FROM affinity.viewed_due WHERE store = $1),"
                          " EXISTS (SELECT FROM affinity.viewed_state WHERE store = $1), now()",
                          work->store, &column, 1, &result, reterr);
    if (status == AFF_OK)
        *ret = (struct waiting){.heard = aff_result_whole(result, 0, 0, 0) != 0,
                                .old = aff_result_whole(result, 0, 1, 0) != 0,
                                .due = aff_result_whole(result, 0, 2, 0) != 0,
                                .known = aff_result_whole(result, 0, 3, 0) != 0,
                                .now_us = aff_result_time(result, 0, 4, 0)};
    PQclear(result);
    aff_columns_done(&column, 1);
    return status;
}

typedef aff_status (*count_fn)(struct aff_connection *connection, const struct aff_viewed_work *work,
                               enum aff_viewed_fence *ret_fence, uint32_t *ret_n, struct aff_error *reterr);

/* Slice by slice until nothing is left or the time is up; *ret_left: there is some left. */
static aff_status count_some(struct aff_connection *connection, const struct aff_viewed_work *work,
                             count_fn count, int64_t until_us, enum aff_viewed_fence *fence,
                             uint32_t *sessions, bool *ret_left, struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    *ret_left = true;
    while (status == AFF_OK && *ret_left && *fence == AFF_VIEWED_MINE &&
           aff_clock_monotonic_us() < until_us) {
        uint32_t n = 0;
        status = count(connection, work, fence, &n, reterr);
        *sessions += n;
        *ret_left = n > 0;
    }
    return status;
}

static aff_status make_some(struct aff_connection *connection, struct aff_viewed_work *work, int64_t until_us,
                            enum aff_viewed_fence *fence, uint32_t *rows, bool *ret_left,
                            struct aff_error *reterr)
{
    aff_status status = AFF_OK;
    bool again = true; /* products before the one that was made last may be due */

    *ret_left = true;
    while (status == AFF_OK && *ret_left && *fence == AFF_VIEWED_MINE &&
           aff_clock_monotonic_us() < until_us) {
        uint32_t n = 0, changed = 0;
        status = aff_viewed_rows(connection, work, fence, &n, &changed, reterr);
        *rows += changed;
        *ret_left = n > 0 || again;
        again = n > 0;
    }
    return status;
}

aff_status aff_viewed_step(struct aff_connection *connection, struct aff_viewed_work *work,
                           struct aff_viewed_report *ret_report, struct aff_error *reterr)
{
    const int64_t started_us = aff_clock_monotonic_us();
    enum aff_viewed_fence fence = AFF_VIEWED_MINE;
    struct waiting waiting = {0};
    bool left = false;

    *ret_report = (struct aff_viewed_report){0};
    aff_status status = look(connection, work, &waiting, reterr);
    if (status == AFF_OK && !waiting.known)
        status = aff_query_columns(connection,
                                   "INSERT INTO affinity.viewed_state (store) VALUES ($1::integer)"
                                   " ON CONFLICT DO NOTHING",
                                   work->store, NULL, 0, NULL, reterr);
    /* Whoever waited long enough takes along those that came since: so a session is seldom written. */
    if (work->until_us == 0 && waiting.heard)
        work->until_us = waiting.now_us;
    if (status == AFF_OK && work->until_us != 0) {
        status = count_some(connection, work, aff_viewed_count, started_us + BUDGET_US / 2, &fence,
                            &ret_report->sessions, &left, reterr);
        waiting.due = true;
        ret_report->more = left;
        if (!left)
            work->until_us = 0;
    }
    if (status == AFF_OK && waiting.old) {
        status = count_some(connection, work, aff_viewed_expire, started_us + BUDGET_US / 2, &fence,
                            &ret_report->sessions, &left, reterr);
        waiting.due = true;
        ret_report->more = ret_report->more || left;
    }
    if (status == AFF_OK && waiting.due) {
        status =
            make_some(connection, work, started_us + BUDGET_US, &fence, &ret_report->rows, &left, reterr);
        ret_report->more = ret_report->more || left;
    }
    if (fence == AFF_VIEWED_BUSY)
        ret_report->more = false;
    ret_report->overtaken = fence == AFF_VIEWED_OVERTAKEN;
    return status;
}
