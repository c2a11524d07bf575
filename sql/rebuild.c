/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/rebuild.h"

#include "core/base/jobs.h"
#include "sql/lane.h"
#include "sql/long_statement.h"
#include "sql/partitions.h"
#include "sql/publish.h"
#include "sql/read_lines.h"
#include "sql/rebuild_feed.h"
#include "sql/rebuild_lock.h"
#include "sql/review/verdicts.h"
#include "sql/store.h"
#include "sql/viewed/recount.h"

#include <stdlib.h>

/* Where and how to connect. */
struct target {
    const char *url, *application;
    int timeout_s;
};

/* One rebuild, from the lock to the swap. The parts of it that run side by side are jobs: each has
 * connections of its own, and keeps its counts here. */
struct rebuild {
    struct target target;
    const struct aff_rebuild_settings *settings;
    struct aff_rows_settings rows_settings; /* of `settings`, with `reviews` */
    struct aff_reviews reviews;             /* of the snapshot */
    const struct aff_rebuild_progress *progress;
    const char *phase, *unit; /* of the moment */
    struct aff_watch watch;   /* of the calling thread */
    int store, n_threads;
    struct aff_connection connection; /* has the lock, reads, swaps: if it is lost, nothing is swapped */
    struct aff_read_baskets read;
    struct aff_baskets *baskets; /* of `read` */
    struct aff_pairs *pairs;
    struct aff_jobs *jobs;
    struct aff_learned_counts together, rows, next, histories; /* each written by its own job */
    struct aff_rebuild_report report;
    struct aff_error *reterr;
};

static bool watch(void *context, uint64_t done, uint64_t total)
{
    const struct rebuild *rebuild = context;
    const struct aff_rebuild_progress *progress = rebuild->progress;

    return progress->call == NULL ||
           progress->call(progress->context, rebuild->phase, rebuild->unit, done, total);
}

/* Says that a phase begins; AFF_CANCELLED if the rebuild is cancelled. */
static aff_status enter(struct rebuild *rebuild, const char *phase, const char *unit)
{
    rebuild->phase = phase;
    rebuild->unit = unit;
    if (watch(rebuild, 0, 0))
        return AFF_OK;
    return aff_error_set(rebuild->reterr, AFF_CANCELLED, "%s", aff_status_text(AFF_CANCELLED));
}

/* Puts the standard text to a status of core, which has none. */
static aff_status plain(aff_status status, struct aff_error *reterr)
{
    return status == AFF_OK ? AFF_OK : aff_error_set(reterr, status, "%s", aff_status_text(status));
}

/* ---- jobs ---- */

/* What every job begins with: lanes, and what to write with them. */
static aff_status open_lanes(struct rebuild *rebuild, int n_threads, int n_lanes,
                             const struct aff_watch *watch, struct aff_write *ret_write,
                             struct aff_error *reterr)
{
    const struct target *target = &rebuild->target;
    struct aff_lane *lanes = malloc((size_t)n_lanes * sizeof *lanes);

    if (lanes == NULL)
        return plain(AFF_NOMEM, reterr);
    aff_status status =
        aff_lanes_open(target->url, target->application, target->timeout_s, n_lanes, lanes, reterr);
    if (status != AFF_OK) {
        free(lanes);
        return status;
    }
    *ret_write = (struct aff_write){.store = rebuild->store,
                                    .n_threads = n_threads,
                                    .lanes = lanes,
                                    .row_lanes = lanes + n_lanes - n_threads,
                                    .baskets = rebuild->baskets,
                                    .costs = rebuild->read.costs,
                                    .settings = &rebuild->rows_settings,
                                    .watch = watch,
                                    .reterr = reterr};
    return AFF_OK;
}

static aff_status add_key(struct aff_connection *connection, int store, const char *table,
                          const char *columns, const struct aff_watch *watch, struct aff_error *reterr)
{
    char statement[AFF_PARTITION_STATEMENT];

    aff_partition_key_statement(table, columns, store, statement);
    return aff_execute_long(connection, statement, watch, reterr);
}

static void close_lanes(struct aff_write *write, int n_lanes)
{
    aff_lanes_close(write->lanes, n_lanes);
    free(write->lanes);
}

static aff_status write_together(void *context, const struct aff_watch *watch, struct aff_error *reterr)
{
    struct rebuild *rebuild = context;
    struct aff_write write = {0};
    aff_status status = open_lanes(rebuild, 1, 1, watch, &write, reterr);

    if (status != AFF_OK)
        return status;
    struct aff_connection *connection = &write.lanes[0].connection;
    status = aff_write_stats(&write, rebuild->pairs);
    if (status == AFF_OK)
        status = aff_write_months(&write, rebuild->pairs);
    if (status == AFF_OK)
        status = aff_write_pairs(&write, rebuild->pairs);
    if (status == AFF_OK)
        status = add_key(connection, rebuild->store, "product_stat", "store, product", watch, reterr);
    if (status == AFF_OK)
        status = add_key(connection, rebuild->store, "product_month", "store, product", watch, reterr);
    if (status == AFF_OK)
        status = add_key(connection, rebuild->store, "pair_together", "store, a, b", watch, reterr);
    rebuild->together = write.counts;
    close_lanes(&write, 1);
    return status;
}

static aff_status write_rows(void *context, const struct aff_watch *watch, struct aff_error *reterr)
{
    struct rebuild *rebuild = context;
    int n = rebuild->n_threads;
    struct aff_write write = {0};
    aff_status status = open_lanes(rebuild, n, n, watch, &write, reterr);

    if (status != AFF_OK)
        return status;
    status = aff_write_together_rows(&write, rebuild->pairs);
    rebuild->rows = write.counts;
    close_lanes(&write, n);
    return status;
}

static aff_status write_next(void *context, const struct aff_watch *watch, struct aff_error *reterr)
{
    struct rebuild *rebuild = context;
    struct aff_next *next = NULL;
    struct aff_write write = {0};
    aff_status status = open_lanes(rebuild, 1, 2, watch, &write, reterr);

    if (status != AFF_OK)
        return status;
    status = plain(aff_next_new(rebuild->baskets, &next), reterr);
    if (status == AFF_OK) {
        rebuild->report.next_orders = next->consecutive;
        status = aff_write_next(&write, next);
    }
    if (status == AFF_OK)
        status = aff_write_next_stats(&write, next);
    aff_next_free(next);
    if (status == AFF_OK)
        status =
            add_key(&write.lanes[0].connection, rebuild->store, "next_stat", "store, product", watch, reterr);
    if (status == AFF_OK)
        status =
            add_key(&write.lanes[0].connection, rebuild->store, "pair_next", "store, a, b", watch, reterr);
    rebuild->next = write.counts;
    close_lanes(&write, 2);
    return status;
}

static aff_status write_histories(void *context, const struct aff_watch *watch, struct aff_error *reterr)
{
    struct rebuild *rebuild = context;
    struct aff_write write = {0};
    aff_status status = open_lanes(rebuild, 1, 1, watch, &write, reterr);

    if (status != AFF_OK)
        return status;
    status = aff_write_histories(&write);
    if (status == AFF_OK)
        status = add_key(&write.lanes[0].connection, rebuild->store, "customer_history", "store, customer",
                         watch, reterr);
    rebuild->histories = write.counts;
    close_lanes(&write, 1);
    return status;
}

/* ---- the way ---- */

/* The queue and the orders as they are at one moment. */
static aff_status read_snapshot(struct rebuild *rebuild)
{
    struct aff_connection *connection = &rebuild->connection;
    aff_status status =
        aff_execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", rebuild->reterr);

    if (status != AFF_OK)
        return status;
    status = aff_rebuild_feed_see(connection, rebuild->store, rebuild->reterr);
    if (status == AFF_OK)
        status = aff_verdicts_read(connection, rebuild->store, &rebuild->reviews, rebuild->reterr);
    if (status == AFF_OK)
        status = aff_read_baskets(connection, rebuild->store, &rebuild->settings->baskets, &rebuild->watch,
                                  &rebuild->read, rebuild->reterr);
    if (status == AFF_OK)
        return aff_execute(connection, "COMMIT", rebuild->reterr);
    (void)!aff_execute(connection, "ROLLBACK", NULL); /* what failed before is what counts */
    return status;
}

static aff_status read_orders(struct rebuild *rebuild)
{
    struct aff_rebuild_report *report = &rebuild->report;
    aff_status status = enter(rebuild, "reading orders", "lines");

    if (status == AFF_OK)
        status = read_snapshot(rebuild);
    if (status != AFF_OK)
        return status;
    rebuild->baskets = rebuild->read.baskets;
    report->lines = rebuild->read.lines;
    report->orders = rebuild->baskets->n_baskets;
    report->old_orders = rebuild->baskets->old_orders;
    report->truncated_orders = rebuild->baskets->truncated_orders;
    report->truncated_lines = rebuild->baskets->truncated_lines;
    report->from_us = rebuild->baskets->from_us;
    report->to_us = rebuild->baskets->to_us;
    return AFF_OK;
}

static aff_status start(struct rebuild *rebuild, aff_job_fn run)
{
    return plain(aff_jobs_start(rebuild->jobs, run, rebuild), rebuild->reterr);
}

/* Counts and writes everything. What needs no pairs starts before they are counted. */
static aff_status learn(struct rebuild *rebuild)
{
    aff_status status = enter(rebuild, "counting pairs", "products");

    if (status == AFF_OK)
        status = plain(aff_jobs_new(&rebuild->jobs), rebuild->reterr);
    if (status == AFF_OK)
        status = start(rebuild, write_next);
    if (status == AFF_OK)
        status = start(rebuild, write_histories);
    if (status == AFF_OK)
        status =
            plain(aff_pairs_count(rebuild->baskets, rebuild->n_threads, &rebuild->watch, &rebuild->pairs),
                  rebuild->reterr);
    if (status == AFF_OK)
        status = start(rebuild, write_together);
    if (status == AFF_OK)
        status = start(rebuild, write_rows);
    if (status == AFF_OK)
        status = enter(rebuild, "writing tables", "steps");
    if (status == AFF_OK)
        status = aff_jobs_wait(rebuild->jobs, &rebuild->watch, rebuild->reterr);
    if (status == AFF_OK)
        status = add_key(&rebuild->connection, rebuild->store, "neighbour", "store, relation, product",
                         &rebuild->watch, rebuild->reterr);
    return status;
}

static aff_status publish(struct rebuild *rebuild)
{
    struct aff_publication publication = {.store = rebuild->store,
                                          .baskets = rebuild->baskets,
                                          .settings = rebuild->settings,
                                          .counted_from_us = rebuild->read.counted_from_us,
                                          .lines = rebuild->report.lines,
                                          .next_orders = rebuild->report.next_orders};
    aff_status status = enter(rebuild, "publishing", "tables");

    if (status == AFF_OK)
        status = aff_publish(&rebuild->connection, &publication, &rebuild->watch, &rebuild->report.version,
                             rebuild->reterr);
    return status;
}

static void report_counts(struct rebuild *rebuild)
{
    rebuild->report.counts = (struct aff_learned_counts){
        .products = rebuild->together.products,
        .pairs = rebuild->together.pairs,
        .next_pairs = rebuild->next.next_pairs,
        .rows = rebuild->rows.rows + rebuild->next.rows,
        .neighbours = rebuild->rows.neighbours + rebuild->next.neighbours,
        .customers = rebuild->histories.customers,
    };
}

/* With the lock: everything from making the new tables to the swap. */
static aff_status replace_tables(struct rebuild *rebuild)
{
    aff_status status = aff_rebuild_feed_open(&rebuild->connection, rebuild->store, rebuild->reterr);

    if (status == AFF_OK)
        status = aff_partitions_make(&rebuild->connection, rebuild->store, rebuild->reterr);
    if (status == AFF_OK)
        status = read_orders(rebuild);
    if (status == AFF_OK)
        status = learn(rebuild);
    aff_jobs_free(rebuild->jobs);
    aff_pairs_free(rebuild->pairs);
    if (status == AFF_OK)
        status = publish(rebuild);
    if (status != AFF_OK) {
        /* The new tables are in nobody's way, but they take room, and folds keep rows as long as a rebuild
         * seems to read. What went wrong before is what is reported. */
        (void)!aff_partitions_drop(&rebuild->connection, rebuild->store, NULL);
        (void)!aff_rebuild_feed_recover(&rebuild->connection, rebuild->store, NULL);
    }
    aff_read_baskets_done(&rebuild->read);
    aff_reviews_done(&rebuild->reviews);
    return status;
}

/* A transaction of its own: these tables do not depend on orders. */
static aff_status count_sessions(struct rebuild *rebuild)
{
    struct aff_viewed_recounted recounted = {0};
    aff_status status = AFF_OK;

    if (rebuild->settings->session_window_us == 0)
        return AFF_OK;
    status = enter(rebuild, "counting sessions", "sessions");
    if (status == AFF_OK)
        status =
            aff_viewed_recount(&rebuild->connection, rebuild->store, rebuild->settings->session_window_us,
                               &rebuild->watch, &recounted, rebuild->reterr);
    rebuild->report.sessions = recounted.sessions;
    rebuild->report.viewed_pairs = recounted.pairs;
    return status;
}

aff_status aff_rebuild(const char *url, int timeout_s, const char *application, const char *store_name,
                       const struct aff_rebuild_settings *settings,
                       const struct aff_rebuild_progress *progress, struct aff_rebuild_report *ret_report,
                       struct aff_error *reterr)
{
    struct rebuild rebuild = {.target = {url, application, timeout_s},
                              .settings = settings,
                              .progress = progress,
                              .n_threads = aff_parallel_threads(settings->n_threads),
                              .reterr = reterr};

    rebuild.watch = (struct aff_watch){watch, &rebuild};
    rebuild.rows_settings = settings->rows;
    rebuild.rows_settings.reviews = &rebuild.reviews;
    aff_status status = aff_connection_open(url, application, timeout_s, &rebuild.connection, reterr);
    if (status != AFF_OK)
        return status;
    status = aff_session_for_bulk(&rebuild.connection, reterr);
    if (status == AFF_OK)
        status = aff_store_ensure(&rebuild.connection, store_name, NULL, &rebuild.store, NULL, reterr);
    if (status == AFF_OK)
        status = aff_rebuild_lock(&rebuild.connection, rebuild.store, store_name, reterr);
    if (status == AFF_OK)
        status = count_sessions(&rebuild);
    if (status == AFF_OK)
        status = replace_tables(&rebuild);
    if (status == AFF_OK) {
        report_counts(&rebuild);
        *ret_report = rebuild.report;
    }
    aff_connection_close(&rebuild.connection);
    return status;
}
