/* SPDX-License-Identifier: Apache-2.0 */
#include "server/events_internal.h"

#include "core/base/clock.h"
#include "server/thread.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define SEGMENT_BYTES (UINT64_C(8) << 20)

void aff_events_failed(struct aff_events *events, const struct aff_error *error, bool say)
{
    (void)pthread_mutex_lock(&events->lock);
    events->view.failures++;
    memcpy(events->view.error, error->text, sizeof events->view.error);
    say = say && aff_failure_log_is_news(&events->said, error);
    (void)pthread_mutex_unlock(&events->lock);
    if (say)
        aff_log(events->log, AFF_LOG_ERROR, "events", AFF_LOG_FIELDS({"sqlstate", error->sqlstate, 0}),
                "events: %s", error->text);
}

void aff_events_end(struct aff_events *events, struct aff_event_job *job, enum aff_event_outcome outcome)
{
    bool kept = outcome == AFF_EVENTS_STORED || outcome == AFF_EVENTS_SPOOLED;
    struct aff_event_reader reader;
    struct aff_event event;

    if (kept && aff_event_read_begin(&reader, job->pack.bytes, job->pack.size) == AFF_OK)
        while (reader.left > 0 && aff_event_read(&reader, &event) == AFF_OK)
            aff_memory_note(events->memory, reader.store, &event);
    aff_event_job_end(job, outcome);
}

bool aff_events_must_stop(struct aff_events *events)
{
    (void)pthread_mutex_lock(&events->lock);
    bool stop = events->stop;
    (void)pthread_mutex_unlock(&events->lock);
    return stop;
}

static aff_status open_spool(struct aff_events *events, struct aff_error *reterr)
{
    uint64_t limit = (uint64_t)events->config.spool_limit_mb << 20;
    struct aff_spool_plan plan = {
        .directory = events->config.spool_directory,
        .limit_bytes = limit,
        .segment_bytes = limit / 8 < SEGMENT_BYTES ? limit / 8 : SEGMENT_BYTES,
    };
    struct aff_spool_found found;

    if (plan.directory[0] == '\0')
        return AFF_OK;
    aff_status status = aff_spool_open(&plan, &events->spool, &found, reterr);
    if (status != AFF_OK)
        return status;
    events->view.has_spool = true;
    events->view.spool_limit_bytes = limit;
    events->view.cut_bytes = found.cut_bytes;
    if (found.records > 0)
        events->mode = AFF_EVENTS_MODE_SPOOLING;
    aff_log(events->log, found.cut_bytes > 0 ? AFF_LOG_WARNING : AFF_LOG_INFO, "spool",
            AFF_LOG_FIELDS({"records", NULL, (int64_t)found.records},
                           {"cut_bytes", NULL, (int64_t)found.cut_bytes}),
            "the spool %s is open%s", plan.directory,
            found.cut_bytes > 0 ? "; its end was torn and has been cut off" : "");
    return AFF_OK;
}

static aff_status start_thread(struct aff_events *events, const char *name, void *(*run)(void *),
                               pthread_t *thread, bool *ret_has, struct aff_error *reterr)
{
    aff_status status = aff_thread_start(name, run, events, thread, reterr);

    *ret_has = status == AFF_OK;
    return status;
}

static void init_conditions(struct aff_events *events)
{
    pthread_condattr_t attributes;

    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&events->for_database, &attributes);
    (void)pthread_cond_init(&events->for_keeper, &attributes);
    (void)pthread_cond_init(&events->for_follower, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

aff_status aff_events_start(const struct aff_config *config, struct aff_memory *memory, struct aff_log *log,
                            struct aff_events **ret_events, struct aff_error *reterr)
{
    struct aff_events *events = calloc(1, sizeof *events);

    if (events == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    events->memory = memory;
    events->log = log;
    events->config = *config;
    events->socket = events->follower_socket = -1;
    (void)pthread_mutex_init(&events->lock, NULL);
    init_conditions(events);
    if (getrandom(&events->random.state, sizeof events->random.state, 0) != sizeof events->random.state)
        events->random.state = (uint64_t)aff_clock_now_us();
    events->writer = (int)(aff_random_next(&events->random) >> 33);
    aff_status status = open_spool(events, reterr);
    if (status == AFF_OK)
        status = start_thread(events, "events", aff_events_database, &events->database_thread,
                              &events->has_database_thread, reterr);
    if (status == AFF_OK)
        status = start_thread(events, "events-keeper", aff_events_keeper, &events->keeper_thread,
                              &events->has_keeper_thread, reterr);
    if (status == AFF_OK)
        status = start_thread(events, "events-follow", aff_events_follower, &events->follower_thread,
                              &events->has_follower_thread, reterr);
    if (status != AFF_OK) {
        aff_events_stop(events);
        aff_events_join(events);
        return status;
    }
    *ret_events = events;
    return AFF_OK;
}

void aff_events_configure(struct aff_events *events, const struct aff_config *config)
{
    (void)pthread_mutex_lock(&events->lock);
    events->config = *config;
    events->changes++;
    (void)pthread_cond_signal(&events->for_database);
    (void)pthread_mutex_unlock(&events->lock);
}

void aff_events_submit(struct aff_events *events, struct aff_event_job *job)
{
    (void)pthread_mutex_lock(&events->lock);
    bool stop = events->stop && events->stopped;
    bool full = events->waiting.bytes + job->pack.size > AFF_EVENTS_QUEUE_BYTES;
    if (!stop && !full) {
        bool first = events->waiting.first == NULL;
        job->queued_us = aff_clock_monotonic_us();
        aff_event_jobs_add(&events->waiting, job);
        if (first && events->mode == AFF_EVENTS_MODE_DIRECT && events->connected)
            (void)pthread_cond_signal(&events->for_database);
        if (first)
            (void)pthread_cond_signal(&events->for_keeper);
    }
    (void)pthread_mutex_unlock(&events->lock);
    if (stop || full)
        aff_event_job_end(job, stop ? AFF_EVENTS_AWAY : AFF_EVENTS_FULL);
}

void aff_events_stop(struct aff_events *events)
{
    (void)pthread_mutex_lock(&events->lock);
    events->stop = true;
    if (events->socket >= 0) /* ends a wait for a database that does not answer */
        (void)shutdown(events->socket, SHUT_RDWR);
    if (events->follower_socket >= 0)
        (void)shutdown(events->follower_socket, SHUT_RDWR);
    (void)pthread_cond_signal(&events->for_follower);
    (void)pthread_cond_signal(&events->for_database);
    (void)pthread_cond_signal(&events->for_keeper);
    (void)pthread_mutex_unlock(&events->lock);
}

void aff_events_join(struct aff_events *events)
{
    if (events == NULL)
        return;
    if (events->has_database_thread)
        (void)pthread_join(events->database_thread, NULL);
    if (events->has_keeper_thread)
        (void)pthread_join(events->keeper_thread, NULL);
    if (events->has_follower_thread)
        (void)pthread_join(events->follower_thread, NULL);
    aff_spool_close(events->spool);
    aff_event_rows_done(&events->rows);
    free(events->stored);
    (void)pthread_cond_destroy(&events->for_database);
    (void)pthread_cond_destroy(&events->for_keeper);
    (void)pthread_cond_destroy(&events->for_follower);
    (void)pthread_mutex_destroy(&events->lock);
    free(events);
}

void aff_events_read(struct aff_events *events, struct aff_events_view *ret_view)
{
    struct aff_spool_view spool = {0};

    (void)pthread_mutex_lock(&events->lock);
    *ret_view = events->view;
    ret_view->mode = events->mode;
    (void)pthread_mutex_unlock(&events->lock);
    if (events->spool == NULL)
        return;
    aff_spool_read_view(events->spool, &spool);
    ret_view->spool_bytes = spool.bytes;
    ret_view->spool_records = spool.waiting;
    ret_view->lost_records = spool.lost_records;
}
