/* SPDX-License-Identifier: Apache-2.0 */
/* The queue, the clock that keeps the deadlines, start and stop. */
#include "server/writer_internal.h"

#include "core/base/clock.h"
#include "server/loader.h"
#include "server/thread.h"

#include <stdio.h>
#include <stdlib.h>

#define CLOCK_US (AFF_SECOND_US / 4)        /* between two looks at the deadlines */
#define QUEUE_BYTES_MAX ((size_t)128 << 20) /* bodies that wait */

bool aff_writer_claim(struct aff_write *write)
{
    if (write->answered)
        return false;
    write->answered = true;
    return true;
}

static void write_problem(struct aff_write *write, enum aff_problem problem, unsigned retry_after_s,
                          const char *detail)
{
    aff_problem_write(&write->reply, problem, aff_text_of(write->request_id), NULL, "%s", detail);
    write->reply.retry_after_s = retry_after_s;
    aff_job_done(&write->job);
}

void aff_writer_refuse(struct aff_write *write, enum aff_problem problem, unsigned retry_after_s,
                       const char *detail)
{
    if (aff_writer_claim(write))
        write_problem(write, problem, retry_after_s, detail);
}

void aff_writer_settle_problem(struct aff_writer_thread *thread, struct aff_write *write,
                               enum aff_problem problem, unsigned retry_after_s, const char *detail)
{
    write->settled = true;
    (void)pthread_mutex_lock(&thread->writer->lock);
    bool ours = aff_writer_claim(write);
    (void)pthread_mutex_unlock(&thread->writer->lock);
    if (ours)
        write_problem(write, problem, retry_after_s, detail);
}

void aff_writer_settle_draft(struct aff_writer_thread *thread, struct aff_write *write, bool replayed)
{
    if (write->draft.failed) {
        aff_writer_settle_problem(thread, write, AFF_PROBLEM_UNKNOWN_OUTCOME, 1,
                                  "the request was carried out, but there is no memory for its answer");
        return;
    }
    write->settled = true;
    (void)pthread_mutex_lock(&thread->writer->lock);
    bool ours = aff_writer_claim(write);
    (void)pthread_mutex_unlock(&thread->writer->lock);
    if (!ours)
        return;
    write->answer = write->draft;
    write->draft = (struct aff_json){0};
    write->reply.status = write->draft_status;
    write->reply.media = write->draft_status == 200 ? AFF_MEDIA_JSON : AFF_MEDIA_PROBLEM;
    write->reply.replayed = replayed;
    if (!replayed)
        aff_batch_count(&write->batch, write->counts);
    aff_job_done(&write->job);
}

unsigned aff_writer_retry_after_s(struct aff_writer *writer)
{
    int64_t left_us = writer->next_try_us - aff_clock_monotonic_us();

    return left_us <= AFF_SECOND_US ? 1 : (unsigned)((left_us + AFF_SECOND_US - 1) / AFF_SECOND_US);
}

static void refuse_away(struct aff_writer *writer, struct aff_write *write)
{
    char detail[600];

    (void)snprintf(detail, sizeof detail, "nothing was done: %s", writer->why.text);
    aff_writer_refuse(write, AFF_PROBLEM_DATABASE, aff_writer_retry_after_s(writer), detail);
}

void aff_writer_submit(struct aff_writer *writer, struct aff_write *write)
{
    bool taken = false;

    (void)pthread_mutex_lock(&writer->lock);
    if (writer->must_stop) {
        aff_writer_refuse(write, AFF_PROBLEM_UNAVAILABLE, 1, "nothing was done: the service is stopping");
    } else if ((write->body == NULL && write->kind != AFF_BATCH_REVIEW_LIST) ||
               writer->queue_bytes + write->body_size > QUEUE_BYTES_MAX) {
        aff_writer_refuse(write, AFF_PROBLEM_UNAVAILABLE, 1,
                          "nothing was done: too much waits to be written");
    } else if (writer->away && aff_clock_monotonic_us() < writer->next_try_us) {
        refuse_away(writer, write);
    } else {
        taken = true;
        write->next = NULL;
        *writer->queue_end = write;
        writer->queue_end = &write->next;
        writer->queue_bytes += write->body_size;
        (void)pthread_cond_signal(&writer->work);
    }
    (void)pthread_mutex_unlock(&writer->lock);
    if (!taken)
        aff_write_release(write);
}

void aff_writer_is_away(struct aff_writer *writer, const struct aff_error *error)
{
    (void)pthread_mutex_lock(&writer->lock);
    int64_t most_s = writer->config.database_retry_max_s < 5 ? writer->config.database_retry_max_s : 5;
    unsigned attempt = writer->away ? writer->attempts + 1 : 0;
    writer->next_try_us =
        aff_clock_monotonic_us() + aff_loader_pause_us(attempt, most_s, aff_random_unit(&writer->random));
    writer->away = true;
    writer->attempts = attempt;
    writer->why = *error;
    /* What waits would only find out the same, later. */
    struct aff_write *waiting = writer->queue;
    for (struct aff_write *write = waiting; write != NULL; write = write->next)
        refuse_away(writer, write);
    writer->queue = NULL;
    writer->queue_end = &writer->queue;
    writer->queue_bytes = 0;
    (void)pthread_mutex_unlock(&writer->lock);
    while (waiting != NULL) {
        struct aff_write *next = waiting->next;
        aff_write_release(waiting);
        waiting = next;
    }
}

/* Answers what has waited too long in the queue and takes it out. */
static void expire_queue(struct aff_writer *writer, int64_t now_us)
{
    struct aff_write **place = &writer->queue;

    while (*place != NULL) {
        struct aff_write *write = *place;
        if (now_us < write->deadline_us) {
            place = &write->next;
            continue;
        }
        *place = write->next;
        writer->queue_bytes -= write->body_size;
        aff_writer_refuse(write, AFF_PROBLEM_DATABASE, 1,
                          "nothing was done: the database was too slow, others were before this request");
        aff_write_release(write);
    }
    writer->queue_end = place;
}

static void expire_held(struct aff_writer_thread *thread, int64_t now_us)
{
    for (struct aff_write *write = thread->held; write != NULL; write = write->next) {
        if (write->answered || now_us < write->deadline_us)
            continue;
        if (write->in_transaction && thread->stage == AFF_STAGE_COMMITTING) {
            aff_writer_refuse(write, AFF_PROBLEM_UNKNOWN_OUTCOME, 1,
                              "the database has not said whether the request was committed; repeat it: "
                              "what is there already is left as it is");
            continue;
        }
        if (write->in_transaction && thread->stage == AFF_STAGE_WRITING)
            thread->stage = AFF_STAGE_ABANDONED;
        aff_writer_refuse(write, AFF_PROBLEM_DATABASE, 1, "nothing was done: the database was too slow");
    }
}

static void *run_clock(void *argument)
{
    struct aff_writer *writer = argument;
    bool work = true;

    (void)pthread_mutex_lock(&writer->lock);
    while (work) {
        struct timespec until;
        int64_t now_us = aff_clock_monotonic_us();
        expire_queue(writer, now_us);
        for (unsigned i = 0; i < writer->n_threads; i++)
            expire_held(&writer->threads[i], now_us);
        work = !writer->must_stop;
        for (unsigned i = 0; i < writer->n_threads; i++)
            work = work || writer->threads[i].held != NULL;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        int64_t nanoseconds = until.tv_nsec + CLOCK_US * 1000;
        until.tv_sec += nanoseconds / 1000000000;
        until.tv_nsec = nanoseconds % 1000000000;
        if (work)
            (void)pthread_cond_timedwait(&writer->tick, &writer->lock, &until);
    }
    (void)pthread_mutex_unlock(&writer->lock);
    return NULL;
}

static aff_status start_threads(struct aff_writer *writer, struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    for (unsigned i = 0; status == AFF_OK && i < writer->n_threads; i++) {
        struct aff_writer_thread *thread = &writer->threads[i];
        char name[24];
        thread->writer = writer;
        thread->number = i;
        (void)snprintf(name, sizeof name, "writer-%u", i);
        status = aff_thread_start(name, aff_writer_run, thread, &thread->thread, reterr);
        thread->started = status == AFF_OK;
    }
    if (status == AFF_OK) {
        status = aff_thread_start("write-clock", run_clock, writer, &writer->clock, reterr);
        writer->clock_started = status == AFF_OK;
    }
    return status;
}

aff_status aff_writer_start(const struct aff_config *config, struct aff_stores *stores,
                            struct aff_board *board, struct aff_log *log, struct aff_writer **ret_writer,
                            struct aff_error *reterr)
{
    struct aff_writer *writer = calloc(1, sizeof *writer);
    pthread_condattr_t attributes;

    if (writer != NULL)
        writer->threads = calloc((size_t)config->write_threads, sizeof *writer->threads);
    if (writer == NULL || writer->threads == NULL) {
        free(writer);
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    }
    writer->n_threads = (unsigned)config->write_threads;
    writer->stores = stores;
    writer->board = board;
    writer->log = log;
    writer->config = *config;
    writer->queue_end = &writer->queue;
    writer->random.state = (uint64_t)aff_clock_now_us();
    (void)pthread_mutex_init(&writer->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&writer->work, &attributes);
    (void)pthread_cond_init(&writer->tick, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    aff_status status = start_threads(writer, reterr);
    if (status != AFF_OK) {
        aff_writer_stop(writer);
        aff_writer_join(writer);
        return status;
    }
    *ret_writer = writer;
    return AFF_OK;
}

void aff_writer_configure(struct aff_writer *writer, const struct aff_config *config)
{
    (void)pthread_mutex_lock(&writer->lock);
    if (strcmp(writer->config.database_url, config->database_url) != 0) {
        writer->config_number++;
        writer->next_try_us = 0;
    }
    writer->config = *config;
    (void)pthread_mutex_unlock(&writer->lock);
}

void aff_writer_stop(struct aff_writer *writer)
{
    (void)pthread_mutex_lock(&writer->lock);
    struct aff_write *waiting = writer->queue;
    writer->must_stop = true;
    for (struct aff_write *write = waiting; write != NULL; write = write->next)
        aff_writer_refuse(write, AFF_PROBLEM_UNAVAILABLE, 1, "nothing was done: the service is stopping");
    writer->queue = NULL;
    writer->queue_end = &writer->queue;
    writer->queue_bytes = 0;
    for (unsigned i = 0; i < writer->n_threads; i++)
        if (writer->threads[i].cancel != NULL && writer->threads[i].stage == AFF_STAGE_WRITING)
            aff_cancel_send(writer->threads[i].cancel);
    (void)pthread_cond_broadcast(&writer->work);
    (void)pthread_cond_broadcast(&writer->tick);
    (void)pthread_mutex_unlock(&writer->lock);
    while (waiting != NULL) {
        struct aff_write *next = waiting->next;
        aff_write_release(waiting);
        waiting = next;
    }
}

void aff_writer_join(struct aff_writer *writer)
{
    if (writer == NULL)
        return;
    for (unsigned i = 0; i < writer->n_threads; i++)
        if (writer->threads[i].started)
            (void)pthread_join(writer->threads[i].thread, NULL);
    if (writer->clock_started)
        (void)pthread_join(writer->clock, NULL);
    (void)pthread_cond_destroy(&writer->work);
    (void)pthread_cond_destroy(&writer->tick);
    (void)pthread_mutex_destroy(&writer->lock);
    free(writer->threads);
    free(writer);
}
