/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify/concurrent.h"

#include "core/base/random.h"
#include "sql/connection.h"
#include "sql/intake/put_orders.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH_MOST = 12, RETRIES = 100 };

struct writer {
    struct aff_writers *writers;
    pthread_t thread;
    int number;
    struct aff_connection connection;
    struct aff_random random;
    struct aff_stream_content *contents; /* of one transaction */
    struct aff_put_order orders[BATCH_MOST];
    uint32_t transactions, rollbacks;
    aff_status status;
    struct aff_error error;
};

struct aff_writers {
    struct aff_writers_plan plan;
    atomic_uint done;
    atomic_int running;
    atomic_bool cancel;
    int n_started;
    struct writer *each;
};

static void pause_a_little(struct writer *writer)
{
    double luck = aff_random_unit(&writer->random);
    /* Most transactions are short, one in fifty is overtaken by many others before it commits. */
    int64_t ms = luck < 0.7 ? 0 : luck < 0.98 ? 20 : (int64_t)(aff_random_unit(&writer->random) * 800);
    struct timespec pause = {.tv_nsec = (long)ms * 1000000L};

    if (ms > 0)
        (void)nanosleep(&pause, NULL);
}

static aff_status put(struct writer *writer, uint32_t n, bool take_back)
{
    struct aff_put_orders_report report;
    aff_status status = aff_execute(&writer->connection, "BEGIN", &writer->error);

    if (status != AFF_OK)
        return status;
    status = aff_orders_put(&writer->connection, writer->writers->plan.store, writer->orders, n, &report,
                            &writer->error);
    if (status != AFF_OK) {
        (void)!aff_execute(&writer->connection, "ROLLBACK", NULL); /* what failed before is what counts */
        return status;
    }
    pause_a_little(writer);
    return aff_execute(&writer->connection, take_back ? "ROLLBACK" : "COMMIT", &writer->error);
}

/* Lost against another transaction; nothing of it is kept, so it is done again. */
static bool has_lost(const struct aff_error *error)
{
    return strcmp(error->sqlstate, "40P01") == 0 || strcmp(error->sqlstate, "40001") == 0;
}

static aff_status put_surely(struct writer *writer, uint32_t n)
{
    aff_status status = AFF_OK;

    if (aff_random_unit(&writer->random) < 0.1) {
        status = put(writer, n, true);
        writer->rollbacks++;
        if (status != AFF_OK && !has_lost(&writer->error))
            return status;
    }
    for (int attempt = 0; attempt < RETRIES; attempt++) {
        status = put(writer, n, false);
        if (status == AFF_OK || !has_lost(&writer->error))
            break;
        writer->rollbacks++;
    }
    writer->transactions++;
    return status;
}

/* The events of this writer's orders, in their sequence. */
static aff_status write_all(struct writer *writer)
{
    const struct aff_stream *stream = writer->writers->plan.stream;
    uint32_t writers = (uint32_t)writer->writers->plan.n_writers, n = 0;
    aff_status status = AFF_OK;

    for (uint32_t i = 0; i < stream->n_events && status == AFF_OK; i++) {
        struct aff_stream_event event = stream->events[i];
        if (atomic_load_explicit(&writer->writers->cancel, memory_order_relaxed))
            return aff_error_set(&writer->error, AFF_CANCELLED, "interrupted");
        if (event.order % writers == (uint32_t)writer->number) {
            aff_stream_content(stream, event.order, event.revision, &writer->contents[n]);
            writer->orders[n] = (struct aff_put_order){.id = aff_text_of(writer->contents[n].id),
                                                       .lines = writer->contents[n].lines,
                                                       .n_lines = writer->contents[n].n};
            n++;
        }
        bool is_last = i + 1 == stream->n_events;
        if (n == 0 || (!is_last && n < BATCH_MOST && aff_random_unit(&writer->random) > 0.2))
            continue;
        status = put_surely(writer, n);
        (void)atomic_fetch_add_explicit(&writer->writers->done, n, memory_order_relaxed);
        n = 0;
    }
    return status;
}

static void *run(void *argument)
{
    struct writer *writer = argument;
    const struct aff_writers_plan *plan = &writer->writers->plan;

    writer->status = aff_connection_open(plan->url, "affinityctl verify writer", plan->timeout_s,
                                         &writer->connection, &writer->error);
    if (writer->status == AFF_OK)
        writer->status = write_all(writer);
    aff_connection_close(&writer->connection);
    (void)atomic_fetch_sub_explicit(&writer->writers->running, 1, memory_order_release);
    return NULL;
}

static aff_status start_one(struct aff_writers *writers, int number)
{
    struct writer *writer = &writers->each[number];

    writer->writers = writers;
    writer->number = number;
    writer->random.state = writers->plan.seed * 1000003 + (uint64_t)number;
    writer->contents = malloc(BATCH_MOST * sizeof *writer->contents);
    if (writer->contents == NULL)
        return AFF_NOMEM;
    (void)atomic_fetch_add_explicit(&writers->running, 1, memory_order_relaxed);
    if (pthread_create(&writer->thread, NULL, run, writer) != 0) {
        free(writer->contents);
        (void)atomic_fetch_sub_explicit(&writers->running, 1, memory_order_relaxed);
        return AFF_NOMEM;
    }
    writers->n_started++;
    return AFF_OK;
}

aff_status aff_writers_start(const struct aff_writers_plan *plan, struct aff_writers **ret_writers,
                             struct aff_error *reterr)
{
    struct aff_writers *writers = calloc(1, sizeof *writers);
    aff_status status = writers == NULL ? AFF_NOMEM : AFF_OK;

    if (status == AFF_OK) {
        writers->plan = *plan;
        writers->each = calloc((size_t)plan->n_writers, sizeof *writers->each);
        if (writers->each == NULL)
            status = AFF_NOMEM;
    }
    for (int i = 0; status == AFF_OK && i < plan->n_writers; i++)
        status = start_one(writers, i);
    if (status == AFF_OK) {
        *ret_writers = writers;
        return AFF_OK;
    }
    if (writers != NULL) {
        uint32_t transactions, rollbacks;
        (void)!aff_writers_join(writers, true, &transactions, &rollbacks, NULL);
    }
    return aff_error_set(reterr, status, "cannot start %d writers: %s", plan->n_writers,
                         aff_status_text(status));
}

uint32_t aff_writers_done(struct aff_writers *writers, bool *ret_running)
{
    *ret_running = atomic_load_explicit(&writers->running, memory_order_acquire) > 0;
    return atomic_load_explicit(&writers->done, memory_order_relaxed);
}

aff_status aff_writers_join(struct aff_writers *writers, bool cancel, uint32_t *ret_transactions,
                            uint32_t *ret_rollbacks, struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    *ret_transactions = *ret_rollbacks = 0;
    if (cancel)
        atomic_store_explicit(&writers->cancel, true, memory_order_relaxed);
    for (int i = 0; i < writers->n_started; i++) {
        struct writer *writer = &writers->each[i];
        (void)pthread_join(writer->thread, NULL);
        *ret_transactions += writer->transactions;
        *ret_rollbacks += writer->rollbacks;
        if (status == AFF_OK && writer->status != AFF_OK) {
            status = writer->status;
            if (reterr != NULL)
                *reterr = writer->error;
        }
        free(writer->contents);
    }
    free(writers->each);
    free(writers);
    return status;
}
