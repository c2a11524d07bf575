/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that writes: takes what is queued, connects, finds the store, reads the bodies. */
#include "server/writer_internal.h"

#include "core/base/clock.h"
#include "sql/idempotency.h"
#include "sql/intake/put_orders.h"
#include "sql/load/model.h"
#include "sql/migrate.h"

#include <stdio.h>
#include <string.h>

#define STORE_US AFF_SECOND_US /* how long a store's number is believed */
#define TRIM_US (600 * AFF_SECOND_US)

/* No statement waits longer than its request may. A server that commits without waiting for its disk would
 * make a 2xx say too much. */
#define SESSION                                                                                              \
    "SET lock_timeout = '5s'; SET statement_timeout = '9s';"                                                 \
    "SET idle_in_transaction_session_timeout = '15s';"                                                       \
    "SELECT set_config('synchronous_commit', 'on', false)"                                                   \
    " WHERE current_setting('synchronous_commit') = 'off'"

bool aff_writer_means_away(const struct aff_error *error)
{
    /* Read-only, or not allowed to write. */
    if (strcmp(error->sqlstate, "25006") == 0 || strcmp(error->sqlstate, "42501") == 0)
        return true;
    return error->status == AFF_SCHEMA ||
           (error->status == AFF_BACKEND && memcmp(error->sqlstate, "40", 2) != 0);
}

void aff_writer_disconnect(struct aff_writer_thread *thread)
{
    (void)pthread_mutex_lock(&thread->writer->lock);
    struct aff_cancel *cancel = thread->cancel;
    thread->cancel = NULL;
    (void)pthread_mutex_unlock(&thread->writer->lock);
    aff_cancel_free(cancel);
    aff_connection_close(&thread->connection);
    thread->connection = (struct aff_connection){0};
    thread->store_until_us = 0;
}

void aff_writer_say(struct aff_writer *writer, const struct aff_error *error)
{
    (void)pthread_mutex_lock(&writer->lock);
    const bool say = aff_failure_log_is_news(&writer->said, error);
    (void)pthread_mutex_unlock(&writer->lock);
    if (say)
        aff_log(writer->log, AFF_LOG_ERROR, "write", AFF_LOG_FIELDS({"sqlstate", error->sqlstate, 0}),
                "orders, products and customers cannot be written: %s", error->text);
}

static void is_back(struct aff_writer *writer)
{
    (void)pthread_mutex_lock(&writer->lock);
    bool was_away = writer->away;
    writer->away = false;
    writer->attempts = 0;
    aff_failure_log_clear(&writer->said);
    (void)pthread_mutex_unlock(&writer->lock);
    if (!was_away)
        return;
    aff_board_writes_good(writer->board);
    aff_log(writer->log, AFF_LOG_INFO, "write", NULL, "orders, products and customers can be written again");
}

static aff_status open_connection(struct aff_writer_thread *thread, const char *url, int timeout_s,
                                  struct aff_error *reterr)
{
    aff_status status = aff_connection_open(url, "affinityd-writer", timeout_s, &thread->connection, reterr);

    if (status != AFF_OK) {
        thread->connection = (struct aff_connection){0};
        return status;
    }
    struct aff_cancel *cancel = aff_cancel_new(&thread->connection);
    (void)pthread_mutex_lock(&thread->writer->lock);
    thread->cancel = cancel;
    (void)pthread_mutex_unlock(&thread->writer->lock);
    status = aff_execute(&thread->connection, SESSION, reterr);
    if (status == AFF_OK)
        status = aff_migrate_check(&thread->connection, reterr);
    if (status != AFF_OK)
        aff_writer_disconnect(thread);
    return status;
}

aff_status aff_writer_connect(struct aff_writer_thread *thread, struct aff_error *reterr)
{
    struct aff_writer *writer = thread->writer;
    char url[AFF_CONFIG_TEXT];
    int64_t now_us = aff_clock_monotonic_us();
    aff_status status = AFF_OK;

    (void)pthread_mutex_lock(&writer->lock);
    bool new_url = thread->config_number != writer->config_number;
    thread->config_number = writer->config_number;
    memcpy(url, writer->config.database_url, sizeof url);
    int timeout_s = (int)writer->config.database_connect_timeout_s;
    thread->failure_known = writer->away && now_us < writer->next_try_us;
    if (thread->failure_known) {
        *reterr = writer->why;
        status = reterr->status;
    } else if (writer->away) {
        writer->next_try_us = now_us + AFF_SECOND_US; /* one attempt at a time */
    }
    (void)pthread_mutex_unlock(&writer->lock);
    if (new_url)
        aff_writer_disconnect(thread);
    if (status != AFF_OK || thread->connection.pg != NULL)
        return status;
    status = open_connection(thread, url, timeout_s, reterr);
    if (status == AFF_OK) {
        is_back(writer);
    } else {
        reterr->status = status;
        aff_writer_failed(thread, reterr);
    }
    return status;
}

void aff_writer_failed(struct aff_writer_thread *thread, const struct aff_error *error)
{
    thread->failure_known = true;
    aff_writer_disconnect(thread);
    aff_board_writes_failed(thread->writer->board, error);
    aff_writer_say(thread->writer, error);
    aff_writer_is_away(thread->writer, error);
}

/* True if the thread may take this one along: the others are `n` writes with `bytes`, the first of them
 * `list`. Two with the same key cannot be in one transaction. */
static bool goes_along(const struct aff_write *list, const struct aff_write *write, size_t n, size_t bytes)
{
    if (n == 0)
        return true;
    if (n == AFF_GROUP_WRITES || bytes + write->body_size > AFF_GROUP_BYTES || write->kind != list->kind ||
        strcmp(write->store, list->store) != 0)
        return false;
    for (; list != NULL && write->key[0] != '\0'; list = list->next)
        if (strcmp(list->key, write->key) == 0)
            return false;
    return true;
}

/* Waits for work and takes what belongs together, oldest first; NULL: the thread must end. */
static struct aff_write *take_group(struct aff_writer_thread *thread, size_t *ret_n)
{
    struct aff_writer *writer = thread->writer;
    struct aff_write *list = NULL, **end = &list;
    size_t n = 0, bytes = 0;

    (void)pthread_mutex_lock(&writer->lock);
    while (writer->queue == NULL && !writer->must_stop)
        (void)pthread_cond_wait(&writer->work, &writer->lock);
    while (writer->queue != NULL && goes_along(list, writer->queue, n, bytes)) {
        struct aff_write *write = writer->queue;
        writer->queue = write->next;
        if (writer->queue == NULL)
            writer->queue_end = &writer->queue;
        writer->queue_bytes -= write->body_size;
        bytes += write->body_size;
        n++;
        write->next = NULL;
        *end = write;
        end = &write->next;
    }
    thread->held = list;
    if (writer->queue != NULL)
        (void)pthread_cond_signal(&writer->work);
    (void)pthread_mutex_unlock(&writer->lock);
    *ret_n = n;
    return list;
}

/* The number and currency of the store. AFF_NOTFOUND: there is none. */
static aff_status find_store(struct aff_writer_thread *thread, const char *name, struct aff_error *reterr)
{
    int64_t now_us = aff_clock_monotonic_us();

    if (now_us < thread->store_until_us && strcmp(thread->store_name, name) == 0)
        return AFF_OK;
    thread->store_until_us = 0;
    aff_status status = aff_store_find(&thread->connection, name, &thread->store, thread->currency, reterr);
    if (status == AFF_OK) {
        (void)snprintf(thread->store_name, sizeof thread->store_name, "%s", name);
        thread->store_until_us = now_us + STORE_US;
    }
    return status;
}

/* Reads a body, or answers why it cannot be read. */
static void read_body(struct aff_writer_thread *thread, struct aff_write *write)
{
    const struct aff_batch_frame frame = {
        .kind = write->kind,
        .lines = write->lines,
        .most = write->most,
        .store = aff_text_of(write->store),
        .currency = thread->currency,
        .now_us = aff_clock_now_us(),
    };
    struct aff_error error;
    char detail[600];

    if (write->kind == AFF_BATCH_REVIEW_LIST) {
        write->is_read = true;
        return;
    }
    aff_status status =
        aff_batch_read(&frame, (struct aff_text){write->body, write->body_size}, &write->batch, &error);

    write->is_read = status == AFF_OK;
    if (status == AFF_OK)
        return;
    (void)snprintf(detail, sizeof detail, "%s%s", status == AFF_INVALID ? "the body is " : "", error.text);
    aff_writer_settle_problem(thread, write,
                              status == AFF_NOMEM   ? AFF_PROBLEM_UNAVAILABLE
                              : status == AFF_LIMIT ? AFF_PROBLEM_TOO_LARGE
                                                    : AFF_PROBLEM_MALFORMED,
                              status == AFF_NOMEM, detail);
}

static void refuse_all(struct aff_writer_thread *thread, struct aff_write *list, enum aff_problem problem,
                       unsigned retry_after_s, const char *detail)
{
    for (struct aff_write *write = list; write != NULL; write = write->next)
        if (!write->settled)
            aff_writer_settle_problem(thread, write, problem, retry_after_s, detail);
}

/* Connection and store, or the reason why there is none, told to all. */
static bool prepare(struct aff_writer_thread *thread, struct aff_write *list)
{
    struct aff_error error = {0};
    char detail[700];
    aff_status status = aff_writer_connect(thread, &error);
    bool connected = status == AFF_OK;

    if (connected)
        status = find_store(thread, list->store, &error);
    if (status == AFF_OK)
        return true;
    if (status == AFF_NOTFOUND) {
        (void)snprintf(detail, sizeof detail,
                       "there is no store '%s'; make it with affinityctl import, which says its currency",
                       list->store);
        refuse_all(thread, list, AFF_PROBLEM_NOT_FOUND, 0, detail);
        return false;
    }
    if (connected)
        aff_writer_failed(thread, &error);
    (void)pthread_mutex_lock(&thread->writer->lock);
    unsigned retry_after_s = aff_writer_retry_after_s(thread->writer);
    (void)pthread_mutex_unlock(&thread->writer->lock);
    (void)snprintf(detail, sizeof detail, "nothing was done: %s", error.text);
    refuse_all(thread, list, AFF_PROBLEM_DATABASE, retry_after_s, detail);
    return false;
}

/* Writes what could be read, in transactions of a good size. */
static void write_all(struct aff_writer_thread *thread, struct aff_write *list)
{
    struct aff_write *group[AFF_GROUP_WRITES];
    size_t n = 0, entries = 0;

    for (struct aff_write *write = list; write != NULL; write = write->next) {
        if (write->settled)
            continue;
        if (n > 0 && entries + write->batch.n > AFF_GROUP_ENTRIES) {
            aff_writer_commit(thread, group, n);
            n = entries = 0;
        }
        group[n++] = write;
        entries += write->batch.n;
    }
    if (n > 0)
        aff_writer_commit(thread, group, n);
}

static void let_go(struct aff_writer_thread *thread, struct aff_write *list)
{
    (void)pthread_mutex_lock(&thread->writer->lock);
    thread->held = NULL;
    (void)pthread_mutex_unlock(&thread->writer->lock);
    while (list != NULL) {
        struct aff_write *next = list->next;
        aff_write_release(list);
        list = next;
    }
}

/* What nobody waits for. */
static void tidy_up(struct aff_writer_thread *thread)
{
    int64_t now_us = aff_clock_monotonic_us();
    struct aff_error error = {0};
    aff_status status = AFF_OK;

    if (thread->connection.pg == NULL)
        return;
    if (thread->catalogue_changed)
        status = aff_execute(&thread->connection, "NOTIFY affinity_catalogue", &error);
    thread->catalogue_changed = false;
    if (status == AFF_OK && thread->number == 0 && now_us >= thread->trim_at_us) {
        thread->trim_at_us = now_us + TRIM_US;
        status = aff_idempotency_trim(&thread->connection, &error);
    }
    if (status != AFF_OK)
        aff_writer_disconnect(thread);
}

void *aff_writer_run(void *argument)
{
    struct aff_writer_thread *thread = argument;
    struct aff_write *list;
    size_t n;

    while ((list = take_group(thread, &n)) != NULL) {
        if (prepare(thread, list)) {
            for (struct aff_write *write = list; write != NULL; write = write->next)
                read_body(thread, write);
            write_all(thread, list);
        }
        let_go(thread, list);
        tidy_up(thread);
    }
    aff_writer_disconnect(thread);
    return NULL;
}
