/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/rebuild.h"

#include "core/base/clock.h"
#include "sql/partitions.h"
#include "sql/publish.h"
#include "sql/read_lines.h"
#include "sql/rebuild_lock.h"
#include "sql/statement_queue.h"
#include "sql/store.h"

#include <stdlib.h>

/* One rebuild, from the lock to the swap. */
struct rebuild {
    const struct aff_rebuild_settings *settings;
    const struct aff_rebuild_progress *progress;
    const char *phase, *unit; /* of the moment */
    struct aff_watch watch;
    struct aff_connection connection; /* has the lock, reads, swaps: if it is lost, nothing is swapped */
    struct aff_statement_queue keys;  /* builds primary keys beside the other work */
    struct aff_lane *lanes;           /* n_threads, then n_threads for neighbour rows */
    struct aff_write write;
    struct aff_baskets *baskets;
    struct aff_pairs *pairs;
    struct aff_next *next;
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

/* Says that a phase begins; false if the rebuild is cancelled. */
static aff_status enter(struct rebuild *rebuild, const char *phase, const char *unit)
{
    rebuild->phase = phase;
    rebuild->unit = unit;
    if (watch(rebuild, 0, 0))
        return AFF_OK;
    return aff_error_set(rebuild->reterr, AFF_CANCELLED, "%s", aff_status_text(AFF_CANCELLED));
}

/* Puts the standard text to a status of core, which has none. */
static aff_status plain(struct rebuild *rebuild, aff_status status)
{
    return status == AFF_OK ? AFF_OK : aff_error_set(rebuild->reterr, status, "%s", aff_status_text(status));
}

static aff_status add_key(struct rebuild *rebuild, const char *table, const char *columns)
{
    char statement[AFF_PARTITION_STATEMENT];

    aff_partition_key_statement(table, columns, rebuild->write.store, statement);
    return aff_statement_queue_send(&rebuild->keys, statement, rebuild->reterr);
}

static aff_status read_orders(struct rebuild *rebuild)
{
    aff_status status = enter(rebuild, "reading orders", "lines");

    if (status == AFF_OK)
        status =
            aff_read_baskets(&rebuild->connection, rebuild->write.store, &rebuild->settings->baskets,
                             &rebuild->watch, &rebuild->baskets, &rebuild->report.lines, rebuild->reterr);
    if (status != AFF_OK)
        return status;
    rebuild->write.baskets = rebuild->baskets;
    rebuild->report.orders = rebuild->baskets->n_baskets;
    rebuild->report.old_orders = rebuild->baskets->old_orders;
    rebuild->report.truncated_orders = rebuild->baskets->truncated_orders;
    rebuild->report.truncated_lines = rebuild->baskets->truncated_lines;
    rebuild->report.from_us = rebuild->baskets->from_us;
    rebuild->report.to_us = rebuild->baskets->to_us;
    return AFF_OK;
}

static aff_status learn_together(struct rebuild *rebuild)
{
    struct aff_write *write = &rebuild->write;
    aff_status status = enter(rebuild, "counting pairs", "products");

    if (status == AFF_OK)
        status = plain(rebuild,
                       aff_pairs_count(rebuild->baskets, write->n_threads, &rebuild->watch, &rebuild->pairs));
    if (status == AFF_OK)
        status = enter(rebuild, "writing pairs", "products");
    if (status == AFF_OK)
        status = aff_write_pairs(write, rebuild->pairs);
    if (status == AFF_OK)
        status = add_key(rebuild, "pair_together", "store, a, b");
    if (status == AFF_OK)
        status = aff_write_stats(write, rebuild->pairs);
    if (status == AFF_OK)
        status = enter(rebuild, "scoring neighbours", "products");
    if (status == AFF_OK)
        status =
            aff_lanes_begin(write->row_lanes, write->n_threads, "neighbour", write->store, rebuild->reterr);
    if (status == AFF_OK)
        status = aff_write_together_rows(write, rebuild->pairs);
    aff_pairs_free(rebuild->pairs);
    rebuild->pairs = NULL;
    return status;
}

static aff_status learn_next(struct rebuild *rebuild)
{
    struct aff_write *write = &rebuild->write;
    aff_status status = enter(rebuild, "learning sequences", "products");

    if (status == AFF_OK)
        status = plain(rebuild, aff_next_new(rebuild->baskets, &rebuild->next));
    if (status == AFF_OK) {
        rebuild->report.next_orders = rebuild->next->consecutive;
        status = aff_write_next(write, rebuild->next);
    }
    if (status == AFF_OK)
        status = aff_lanes_finish(write->row_lanes, write->n_threads, false, NULL, rebuild->reterr);
    if (status == AFF_OK)
        status = add_key(rebuild, "pair_next", "store, a, b");
    return status;
}

static aff_status learn_histories(struct rebuild *rebuild)
{
    aff_status status = enter(rebuild, "writing histories", "customers");

    if (status == AFF_OK)
        status = aff_write_histories(&rebuild->write);
    if (status == AFF_OK)
        status = enter(rebuild, "building keys", "tables");
    if (status == AFF_OK)
        status = add_key(rebuild, "neighbour", "store, relation, product");
    if (status == AFF_OK)
        status = add_key(rebuild, "product_stat", "store, product");
    if (status == AFF_OK)
        status = add_key(rebuild, "customer_history", "store, customer");
    if (status == AFF_OK)
        status = aff_statement_queue_wait(&rebuild->keys, rebuild->reterr);
    return status;
}

static aff_status publish(struct rebuild *rebuild)
{
    struct aff_publication publication = {.store = rebuild->write.store,
                                          .baskets = rebuild->baskets,
                                          .settings = rebuild->settings,
                                          .lines = rebuild->report.lines,
                                          .next_orders = rebuild->report.next_orders};
    aff_status status = enter(rebuild, "publishing", "tables");

    if (status == AFF_OK)
        status = aff_publish(&rebuild->connection, &publication, &rebuild->report.version, rebuild->reterr);
    return status;
}

static aff_status open_connections(struct rebuild *rebuild, const char *url, int timeout_s,
                                   const char *application)
{
    int n = rebuild->write.n_threads;

    rebuild->lanes = calloc((size_t)n * 2, sizeof *rebuild->lanes);
    if (rebuild->lanes == NULL)
        return plain(rebuild, AFF_NOMEM);
    aff_status status = aff_lanes_open(url, application, timeout_s, 2 * n, rebuild->lanes, rebuild->reterr);
    if (status != AFF_OK)
        return status;
    rebuild->write.lanes = rebuild->lanes;
    rebuild->write.row_lanes = rebuild->lanes + n;
    return aff_statement_queue_open(&rebuild->keys, url, application, timeout_s, rebuild->reterr);
}

static void done(struct rebuild *rebuild)
{
    aff_statement_queue_close(&rebuild->keys);
    if (rebuild->lanes != NULL)
        aff_lanes_close(rebuild->lanes, 2 * rebuild->write.n_threads);
    free(rebuild->lanes);
    aff_connection_close(&rebuild->connection);
    aff_next_free(rebuild->next);
    aff_pairs_free(rebuild->pairs);
    aff_baskets_free(rebuild->baskets);
}

/* With the lock: everything from making the new tables to the swap. */
static aff_status learn(struct rebuild *rebuild, const char *url, int timeout_s, const char *application)
{
    aff_status status = aff_partitions_make(&rebuild->connection, rebuild->write.store, rebuild->reterr);

    if (status == AFF_OK)
        status = open_connections(rebuild, url, timeout_s, application);
    if (status == AFF_OK)
        status = read_orders(rebuild);
    if (status == AFF_OK)
        status = learn_together(rebuild);
    if (status == AFF_OK)
        status = learn_next(rebuild);
    if (status == AFF_OK)
        status = learn_histories(rebuild);
    if (status == AFF_OK)
        status = publish(rebuild);
    if (status == AFF_OK)
        return AFF_OK;
    /* The new tables are in nobody's way, but they take room. What went wrong first is what is reported. */
    aff_status ignored = AFF_OK;
    if (rebuild->lanes != NULL)
        ignored = aff_lanes_finish(rebuild->lanes, 2 * rebuild->write.n_threads, true, NULL, NULL);
    aff_statement_queue_close(&rebuild->keys);
    ignored = aff_partitions_drop(&rebuild->connection, rebuild->write.store, NULL);
    (void)ignored;
    return status;
}

aff_status aff_rebuild(const char *url, int timeout_s, const char *application, const char *store_name,
                       const struct aff_rebuild_settings *settings,
                       const struct aff_rebuild_progress *progress, struct aff_rebuild_report *ret_report,
                       struct aff_error *reterr)
{
    struct rebuild rebuild = {.settings = settings, .progress = progress, .reterr = reterr};

    rebuild.watch = (struct aff_watch){watch, &rebuild};
    rebuild.write = (struct aff_write){.n_threads = aff_parallel_threads(settings->n_threads),
                                       .settings = &settings->rows,
                                       .watch = &rebuild.watch,
                                       .reterr = reterr};
    aff_status status = aff_connection_open(url, application, timeout_s, &rebuild.connection, reterr);
    if (status != AFF_OK)
        return status;
    status = aff_execute(&rebuild.connection, "SET statement_timeout = 0", reterr);
    if (status == AFF_OK)
        status = aff_store_ensure(&rebuild.connection, store_name, NULL, &rebuild.write.store, NULL, reterr);
    if (status == AFF_OK)
        status = aff_rebuild_lock(&rebuild.connection, rebuild.write.store, store_name, reterr);
    if (status == AFF_OK)
        status = learn(&rebuild, url, timeout_s, application);
    if (status == AFF_OK) {
        rebuild.report.counts = rebuild.write.counts;
        *ret_report = rebuild.report;
    }
    done(&rebuild);
    return status;
}
