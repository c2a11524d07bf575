/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper: writes down in the spool, or refuses, what the database does not take in time. */
#include "server/events_internal.h"

#include "core/base/clock.h"

#include <time.h>

/* When the keeper has to look again if nothing happens; 0: nothing waits. Under the lock. */
static int64_t due_us(const struct aff_events *events)
{
    int64_t patience_us = events->config.events_commit_ms * 1000, due = 0;

    if (events->sent.first != NULL)
        due = events->sent_us + patience_us;
    if (events->waiting.first != NULL) {
        bool spool = events->mode != AFF_EVENTS_MODE_DIRECT && !events->handing_over;
        int64_t first_us = spool ? 1 : events->waiting.first->queued_us + patience_us;
        due = due == 0 || first_us < due ? first_us : due;
    }
    return due;
}

static void wait_until(struct aff_events *events, int64_t at_us)
{
    struct timespec until = {.tv_sec = at_us / AFF_SECOND_US, .tv_nsec = at_us % AFF_SECOND_US * 1000};

    if (at_us == 0)
        (void)pthread_cond_wait(&events->for_keeper, &events->lock);
    else
        (void)pthread_cond_timedwait(&events->for_keeper, &events->lock, &until);
}

/* Waits until there is something to keep and takes it. False: the keeper must end, and nothing is left. */
static bool take(struct aff_events *events, struct aff_event_jobs *jobs)
{
    (void)pthread_mutex_lock(&events->lock);
    for (;;) {
        int64_t due = events->stopped ? 1 : due_us(events), now_us = aff_clock_monotonic_us();
        if (due != 0 && due <= now_us)
            break;
        wait_until(events, due);
    }
    /* What the database has been given is older than what waits. The database thread sees that it is gone. */
    *jobs = events->sent;
    events->sent = (struct aff_event_jobs){0};
    aff_event_jobs_put_before(&events->waiting, jobs);
    *jobs = events->waiting;
    events->waiting = (struct aff_event_jobs){0};
    events->handing_over = false;
    if (events->mode == AFF_EVENTS_MODE_DIRECT)
        events->mode = events->spool == NULL ? AFF_EVENTS_MODE_REFUSING : AFF_EVENTS_MODE_SPOOLING;
    events->keeping = jobs->first != NULL;
    bool go_on = jobs->first != NULL || !events->stopped;
    (void)pthread_mutex_unlock(&events->lock);
    return go_on;
}

/* Appends what there is room for and makes it durable; the rest stays in `jobs`. */
static aff_status write_down(struct aff_events *events, struct aff_event_jobs *jobs,
                             struct aff_event_jobs *ret_kept, struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    while (jobs->first != NULL && status == AFF_OK) {
        status = aff_spool_append(events->spool, jobs->first->pack.bytes, jobs->first->pack.size, reterr);
        if (status == AFF_OK)
            aff_event_jobs_add(ret_kept, aff_event_jobs_take(jobs));
    }
    /* A failed append has thrown away those before it. */
    aff_status synced = status == AFF_IO ? AFF_IO : aff_spool_sync(events->spool, reterr);
    if (synced == AFF_OK)
        return status;
    aff_event_jobs_put_before(jobs, ret_kept);
    return synced;
}

static void end_all(struct aff_events *events, struct aff_event_jobs *jobs, enum aff_event_outcome outcome)
{
    for (struct aff_event_job *job; (job = aff_event_jobs_take(jobs)) != NULL;)
        aff_events_end(events, job, outcome);
}

static void keep(struct aff_events *events, struct aff_event_jobs *jobs)
{
    struct aff_event_jobs kept = {0};
    struct aff_error error = {0};
    aff_status status = AFF_OK;
    uint64_t n = 0;

    if (events->spool != NULL) {
        status = write_down(events, jobs, &kept, &error);
        for (const struct aff_event_job *job = kept.first; job != NULL; job = job->next)
            n++;
    }
    if (status != AFF_OK)
        aff_events_failed(events, &error, true);
    (void)pthread_mutex_lock(&events->lock);
    bool first = !events->bridged;
    events->bridged = true;
    events->keeping = false;
    events->view.spooled += n;
    (void)pthread_cond_signal(&events->for_database);
    (void)pthread_mutex_unlock(&events->lock);
    if (first)
        aff_log(events->log, AFF_LOG_WARNING, "events", NULL,
                events->spool == NULL
                    ? "events are answered 503: the database does not take them, and there is no "
                      "spool (spool.directory)"
                    : "events go into the spool: the database does not take them in time");
    end_all(events, &kept, AFF_EVENTS_SPOOLED);
    end_all(events, jobs, status == AFF_LIMIT ? AFF_EVENTS_FULL : AFF_EVENTS_AWAY);
}

void *aff_events_keeper(void *argument)
{
    struct aff_events *events = argument;
    struct aff_event_jobs jobs = {0};

    while (take(events, &jobs))
        keep(events, &jobs);
    return NULL;
}
