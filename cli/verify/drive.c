/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify/drive.h"

#include "cli/verify/concurrent.h"
#include "cli/verify/stream.h"
#include "config/rows.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "sql/fold/fold.h"
#include "sql/fold/leader.h"
#include "sql/intake/put_catalogue.h"
#include "sql/intake/put_orders.h"
#include "sql/rebuild.h"
#include "sql/store.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { BATCH_MOST = 40, REBUILDS = 2, CONCURRENT_REBUILDS = 4 };

struct drive {
    struct aff_connection *connection;
    const struct aff_verify_options *options;
    const struct aff_watch *watch;
    struct aff_stream *stream;
    struct aff_random random;
    struct aff_stream_content *contents; /* of one batch */
    struct aff_put_order *orders;
    struct aff_drive_report *report;
    uint64_t done;
    struct aff_error *reterr;
};

static bool chance(struct drive *drive, double share)
{
    return aff_random_unit(&drive->random) < share;
}

/* ---- writing ---- */

static aff_status put_once(struct drive *drive, int store, uint32_t n, bool take_back)
{
    struct aff_put_orders_report report;
    aff_status status = aff_execute(drive->connection, "BEGIN", drive->reterr);

    if (status != AFF_OK)
        return status;
    status = aff_orders_put(drive->connection, store, drive->orders, n, &report, drive->reterr);
    if (status != AFF_OK) {
        (void)!aff_execute(drive->connection, "ROLLBACK", NULL); /* what failed before is what counts */
        return status;
    }
    return aff_execute(drive->connection, take_back ? "ROLLBACK" : "COMMIT", drive->reterr);
}

/* One transaction with the contents; now and then it is rolled back first, as a shop's transaction may be. */
static aff_status put(struct drive *drive, int store, uint32_t n)
{
    aff_status status = AFF_OK;

    for (uint32_t i = 0; i < n; i++)
        drive->orders[i] = (struct aff_put_order){.id = aff_text_of(drive->contents[i].id),
                                                  .lines = drive->contents[i].lines,
                                                  .n_lines = drive->contents[i].n};
    drive->report->batches++;
    if (chance(drive, 0.05)) {
        status = put_once(drive, store, n, true);
        drive->report->rollbacks++;
    }
    if (status == AFF_OK)
        status = put_once(drive, store, n, false);
    drive->done += n;
    if (status == AFF_OK && drive->watch->call != NULL &&
        !drive->watch->call(drive->watch->context, drive->done, 0))
        return aff_error_set(drive->reterr, AFF_CANCELLED, "interrupted");
    return status;
}

/* A product in three has a cost of its own in the catalogue. */
static aff_status put_costs(struct drive *drive, int store)
{
    struct aff_put_result result = {0};
    aff_status status = aff_execute(drive->connection, "BEGIN", drive->reterr);

    for (uint32_t product = 0; product < drive->stream->n_products && status == AFF_OK; product += 3) {
        char id[AFF_STREAM_ID], cost[24];
        struct aff_text values[AFF_PRODUCT_COLUMNS] = {{0}};
        struct aff_put_entry entry = {.given = 1u << AFF_PRODUCT_COST, .values = values};
        (void)snprintf(id, sizeof id, "P%" PRIu32, product);
        (void)snprintf(cost, sizeof cost, "%" PRIu32, 30 + product * 11 % 2500);
        entry.id = aff_text_of(id);
        values[AFF_PRODUCT_COST] = aff_text_of(cost);
        status = aff_catalogue_put(drive->connection, store, AFF_CATALOGUE_PRODUCTS, &entry, 1, &result,
                                   drive->reterr);
        aff_put_result_done(&result);
        result = (struct aff_put_result){0};
    }
    if (status == AFF_OK)
        return aff_execute(drive->connection, "COMMIT", drive->reterr);
    (void)!aff_execute(drive->connection, "ROLLBACK", NULL); /* what failed before is what counts */
    return status;
}

static aff_status rebuild(struct drive *drive, int number)
{
    const struct aff_config *config = &drive->options->settings.config;
    struct aff_rebuild_settings settings = {.baskets = aff_config_baskets(config),
                                            .rows = aff_config_rows(config),
                                            .floors_name = config->learn_floors,
                                            .n_threads = 1};
    struct aff_rebuild_progress progress = {0};
    struct aff_rebuild_report report;

    return aff_rebuild(config->database_url, (int)config->database_connect_timeout_s, "affinityctl verify",
                       drive->report->names[number], &settings, &progress, &report, drive->reterr);
}

/* A store with one order that is newer than all others, so that every rebuild takes the same landmark. */
static aff_status make_store(struct drive *drive, int number)
{
    static const char *const names[] = {"stream", "once"};
    char *name = drive->report->names[number];
    int *store = &drive->report->stores[number];
    struct aff_stream_content *first = &drive->contents[0];

    (void)snprintf(name, sizeof drive->report->names[0], "verify-%ld-%" PRIu64 "-%s", (long)getpid(),
                   drive->options->seed, names[number]);
    aff_status status = aff_store_ensure(drive->connection, name, "EUR", store, NULL, drive->reterr);
    if (status != AFF_OK) {
        name[0] = '\0';
        return status;
    }
    (void)snprintf(first->id, sizeof first->id, "newest");
    first->lines[0] = (struct aff_order_line){.order_id = aff_text_of("newest"),
                                              .product_id = aff_text_of("newest"),
                                              .ordered_at_us = AFF_STREAM_END_US,
                                              .quantity = 1,
                                              .unit_price = 100,
                                              .unit_cost = AFF_COST_UNKNOWN};
    first->n = 1;
    status = put_costs(drive, *store);
    if (status == AFF_OK)
        status = put(drive, *store, 1);
    return status == AFF_OK ? rebuild(drive, number) : status;
}

/* ---- folding ---- */

static aff_status fold(struct drive *drive, int number)
{
    struct aff_fold_settings settings = {.store = drive->report->stores[number], .most_orders = UINT32_MAX};
    struct aff_fold_report report;
    struct aff_delta *delta = NULL;
    char store[16];
    const char *parameters[] = {store};

    (void)snprintf(store, sizeof store, "%d", settings.store);
    aff_status status = aff_leader_take(drive->connection, settings.store, "affinityctl verify",
                                        &settings.epoch, drive->reterr);
    if (status == AFF_OK && settings.epoch == 0)
        status = aff_error_set(drive->reterr, AFF_BUSY,
                               "a running service folds store '%s', too; use a database of its own",
                               drive->report->names[number]);
    if (status == AFF_OK)
        status = aff_query_number(drive->connection,
                                  "SELECT generation FROM affinity.state WHERE store = $1::integer", 1,
                                  parameters, &settings.generation, drive->reterr);
    if (status == AFF_OK)
        status = aff_fold(drive->connection, &settings, &report, &delta, drive->reterr);
    aff_delta_free(delta);
    if (settings.epoch != 0)
        aff_leader_resign(drive->connection, settings.store);
    if (status != AFF_OK)
        return status;
    drive->report->folds += report.outcome == AFF_FOLD_DONE;
    drive->report->folded_orders += report.orders;
    return AFF_OK;
}

/* The stream as it comes. */
static aff_status drive_stream(struct drive *drive)
{
    const struct aff_stream *stream = drive->stream;
    aff_status status = AFF_OK;
    uint32_t rebuilds = 0;

    for (uint32_t i = 0; i < stream->n_events && status == AFF_OK;) {
        uint32_t n = 1 + (uint32_t)aff_random_below(&drive->random, BATCH_MOST);
        if (n > stream->n_events - i)
            n = stream->n_events - i;
        for (uint32_t j = 0; j < n; j++)
            aff_stream_content(stream, stream->events[i + j].order, stream->events[i + j].revision,
                               &drive->contents[j]);
        status = put(drive, drive->report->stores[0], n);
        i += n;
        if (status == AFF_OK && chance(drive, 0.3))
            status = fold(drive, 0);
        if (status == AFF_OK && rebuilds < REBUILDS &&
            i > stream->n_events / (REBUILDS + 1) * (rebuilds + 1)) {
            rebuilds++;
            drive->report->rebuilds++;
            status = rebuild(drive, 0);
        }
    }
    drive->report->events = stream->n_events;
    return status == AFF_OK ? fold(drive, 0) : status;
}

/* A rebuild on a thread of its own. */
struct background {
    struct drive *drive;
    struct aff_error error;
    aff_status status;
    pthread_t thread;
    atomic_bool ended;
    bool running;
};

static void *rebuild_in_background(void *argument)
{
    struct background *background = argument;
    struct drive alone = *background->drive;

    alone.reterr = &background->error;
    background->status = rebuild(&alone, 0);
    atomic_store_explicit(&background->ended, true, memory_order_release);
    return NULL;
}

static aff_status join_rebuild(struct background *background, bool wait, struct aff_error *reterr)
{
    if (!background->running || (!wait && !atomic_load_explicit(&background->ended, memory_order_acquire)))
        return AFF_OK;
    (void)pthread_join(background->thread, NULL);
    background->running = false;
    if (background->status != AFF_OK)
        *reterr = background->error;
    return background->status;
}

static void start_rebuild(struct background *background)
{
    atomic_store_explicit(&background->ended, false, memory_order_relaxed);
    background->drive->report->rebuilds++;
    background->running = pthread_create(&background->thread, NULL, rebuild_in_background, background) == 0;
}

/* Folds and rebuilds while the writers write. */
static aff_status fold_meanwhile(struct drive *drive, struct aff_writers *writers)
{
    struct background background = {.drive = drive};
    bool running = true;
    uint32_t rebuilds = 0;
    aff_status status = AFF_OK;

    while (running && status == AFF_OK) {
        struct timespec pause = {.tv_nsec = 5000000};
        uint32_t done = aff_writers_done(writers, &running);
        if (drive->watch->call != NULL &&
            !drive->watch->call(drive->watch->context, done, drive->stream->n_events))
            status = aff_error_set(drive->reterr, AFF_CANCELLED, "interrupted");
        if (status == AFF_OK)
            status = join_rebuild(&background, false, drive->reterr);
        if (status == AFF_OK && !background.running && rebuilds < CONCURRENT_REBUILDS &&
            done > drive->stream->n_events / (CONCURRENT_REBUILDS + 1) * (rebuilds + 1)) {
            rebuilds++;
            start_rebuild(&background);
        }
        if (status == AFF_OK)
            status = fold(drive, 0);
        (void)nanosleep(&pause, NULL);
    }
    aff_status joined = join_rebuild(&background, true, drive->reterr);
    return status == AFF_OK ? joined : status;
}

/* The stream as several writers send it. */
static aff_status drive_writers(struct drive *drive)
{
    const struct aff_config *config = &drive->options->settings.config;
    struct aff_writers_plan plan = {.url = config->database_url,
                                    .timeout_s = (int)config->database_connect_timeout_s,
                                    .store = drive->report->stores[0],
                                    .n_writers = drive->options->n_writers,
                                    .stream = drive->stream,
                                    .seed = drive->options->seed};
    struct aff_writers *writers = NULL;
    uint32_t transactions, rollbacks;
    aff_status status = aff_writers_start(&plan, &writers, drive->reterr);

    if (status != AFF_OK)
        return status;
    status = fold_meanwhile(drive, writers);
    aff_status joined = aff_writers_join(writers, status != AFF_OK, &transactions, &rollbacks,
                                         status == AFF_OK ? drive->reterr : NULL);
    drive->report->batches += transactions;
    drive->report->rollbacks += rollbacks;
    drive->report->events = drive->stream->n_events;
    if (status == AFF_OK)
        status = joined;
    return status == AFF_OK ? fold(drive, 0) : status;
}

struct timed {
    int64_t at_us;
    uint32_t order;
};

static int by_time(const void *a, const void *b)
{
    const struct timed *x = a, *y = b;
    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Each order once, as it is in the end, in order of time. */
static aff_status drive_once(struct drive *drive)
{
    const struct aff_stream *stream = drive->stream;
    struct timed *timed = malloc(((size_t)stream->n_orders + 1) * sizeof *timed);
    uint32_t n_timed = 0;
    aff_status status = AFF_OK;

    if (timed == NULL)
        return aff_error_set(drive->reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    for (uint32_t order = 0; order < stream->n_orders; order++)
        if (stream->last_revisions[order] >= 0) {
            aff_stream_content(stream, order, stream->last_revisions[order], &drive->contents[0]);
            timed[n_timed++] = (struct timed){drive->contents[0].lines[0].ordered_at_us, order};
        }
    qsort(timed, n_timed, sizeof *timed, by_time);
    for (uint32_t i = 0; i < n_timed && status == AFF_OK;) {
        uint32_t n = 0;
        for (; n < BATCH_MOST && i < n_timed; n++, i++)
            aff_stream_content(stream, timed[i].order, stream->last_revisions[timed[i].order],
                               &drive->contents[n]);
        status = put(drive, drive->report->stores[1], n);
    }
    free(timed);
    return status == AFF_OK ? fold(drive, 1) : status;
}

aff_status aff_drive(struct aff_connection *connection, const struct aff_verify_options *options,
                     const struct aff_watch *watch, struct aff_drive_report *ret_report,
                     struct aff_error *reterr)
{
    struct aff_stream_options wanted = {.n_orders = options->n_orders,
                                        .seed = options->seed,
                                        .shuffle = options->shuffle,
                                        .duplicates = options->duplicates,
                                        .refunds = options->refunds,
                                        .edits = options->edits,
                                        .cancellations = options->cancellations};
    struct drive drive = {.connection = connection,
                          .options = options,
                          .watch = watch,
                          .random = {options->seed ^ UINT64_C(0x5EED)},
                          .report = ret_report,
                          .reterr = reterr};

    *ret_report = (struct aff_drive_report){0};
    drive.contents = malloc(BATCH_MOST * sizeof *drive.contents);
    drive.orders = malloc(BATCH_MOST * sizeof *drive.orders);
    aff_status status =
        drive.contents == NULL || drive.orders == NULL ? AFF_NOMEM : aff_stream_new(&wanted, &drive.stream);
    if (status != AFF_OK)
        (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
    for (int i = 0; i < 2 && status == AFF_OK; i++)
        status = make_store(&drive, i);
    if (status == AFF_OK)
        status = options->n_writers > 1 ? drive_writers(&drive) : drive_stream(&drive);
    if (status == AFF_OK)
        status = drive_once(&drive);
    if (status == AFF_OK)
        status = aff_scratch_compare(connection, ret_report->stores[0], ret_report->stores[1],
                                     ret_report->differences, reterr);
    aff_stream_free(drive.stream);
    free(drive.contents);
    free(drive.orders);
    return status;
}
