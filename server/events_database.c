/* SPDX-License-Identifier: Apache-2.0 */
/* The database thread: decides what is next, and what follows from a failure. */
#include "server/events_internal.h"

#include "core/base/clock.h"
#include "server/loader.h"
#include "sql/events/spool_mark.h"

#include <string.h>
#include <time.h>

#define COMMIT_EVENTS 20000  /* of one transaction, unless one request brings more */
#define HAND_OVER_RECORDS 64 /* what is left in the spool when the keeper is asked to pause */
#define PURGE_PAUSE_US (3600 * AFF_SECOND_US)
#define PURGE_AGAIN_US (AFF_SECOND_US / 4)

enum work { WORK_END, WORK_CONFIGURE, WORK_CONNECT, WORK_COMMIT, WORK_SHIP, WORK_PURGE };

static void wait_until(struct aff_events *events, int64_t at_us)
{
    struct timespec until = {.tv_sec = at_us / AFF_SECOND_US, .tv_nsec = at_us % AFF_SECOND_US * 1000};

    (void)pthread_cond_timedwait(&events->for_database, &events->lock, &until);
}

/* What can be done now, or *ret_us: when to look again. Under the lock. */
static bool find_work(const struct aff_events *events, unsigned changes, int64_t purge_us,
                      enum work *ret_work, int64_t *ret_us)
{
    int64_t now_us = aff_clock_monotonic_us();

    *ret_us = events->connected ? purge_us : events->retry_us;
    if (events->stop)
        *ret_work = WORK_END;
    else if (events->changes != changes)
        *ret_work = WORK_CONFIGURE;
    else if (!events->connected && now_us >= events->retry_us)
        *ret_work = WORK_CONNECT;
    else if (events->connected && events->mode != AFF_EVENTS_MODE_DIRECT)
        *ret_work = WORK_SHIP;
    else if (events->connected && events->waiting.first != NULL)
        *ret_work = WORK_COMMIT;
    else if (events->connected && now_us >= purge_us)
        *ret_work = WORK_PURGE;
    else
        return false;
    return true;
}

static struct aff_text store_of(const struct aff_event_job *job)
{
    struct aff_event_reader reader;
    aff_status status = aff_event_read_begin(&reader, job->pack.bytes, job->pack.size);

    return status == AFF_OK ? reader.store : (struct aff_text){NULL, 0};
}

/* Jobs of the store of the first one; others stay. Under the lock. */
static void take_jobs(struct aff_events *events, struct aff_event_jobs *ret_jobs)
{
    struct aff_event_jobs taken = {0}, left = {0};
    struct aff_text store = {NULL, 0};
    size_t n = 0;

    for (struct aff_event_job *job; (job = aff_event_jobs_take(&events->waiting)) != NULL;) {
        bool fits = taken.first == NULL;
        if (fits)
            store = store_of(job);
        else if (n + job->pack.n <= COMMIT_EVENTS)
            fits = aff_text_equal(store_of(job), store);
        n += fits ? job->pack.n : 0;
        aff_event_jobs_add(fits ? &taken : &left, job);
    }
    events->waiting = left;
    *ret_jobs = taken;
}

static void failed(struct aff_events *events, const struct aff_error *error, bool say)
{
    aff_events_disconnect(events);
    if (!aff_events_must_stop(events))
        aff_events_failed(events, error, say);
    (void)pthread_mutex_lock(&events->lock);
    if (events->mode == AFF_EVENTS_MODE_DIRECT)
        events->mode = events->spool == NULL ? AFF_EVENTS_MODE_REFUSING : AFF_EVENTS_MODE_SPOOLING;
    events->handing_over = false;
    events->retry_us = aff_clock_monotonic_us() + aff_loader_pause_us(events->attempts++,
                                                                      events->config.database_retry_max_s,
                                                                      aff_random_unit(&events->random));
    (void)pthread_cond_signal(&events->for_keeper);
    (void)pthread_mutex_unlock(&events->lock);
}

static void connect(struct aff_events *events)
{
    struct aff_error error = {0};

    if (aff_events_connect(events, &error) != AFF_OK) {
        failed(events, &error, false);
        return;
    }
    (void)pthread_mutex_lock(&events->lock);
    events->connected = true;
    events->view.error[0] = '\0';
    (void)pthread_mutex_unlock(&events->lock);
}

static void commit(struct aff_events *events)
{
    struct aff_event_jobs jobs;
    struct aff_error error = {0};

    /* After a restart of the database a new connection often is all that it takes. */
    if (aff_events_is_lost(&events->connection)) {
        aff_events_disconnect(events);
        return;
    }
    (void)pthread_mutex_lock(&events->lock);
    take_jobs(events, &jobs);
    (void)pthread_mutex_unlock(&events->lock);
    if (jobs.first == NULL)
        return;
    aff_status status = aff_events_commit(events, &jobs, &error);
    if (status == AFF_OK || status == AFF_NOTFOUND) {
        /* Events of a store that is not there would block all others in the spool. */
        if (status == AFF_NOTFOUND)
            aff_events_failed(events, &error, true);
        events->attempts = 0;
        for (struct aff_event_job *job; (job = aff_event_jobs_take(&jobs)) != NULL;)
            aff_events_end(events, job, status == AFF_OK ? AFF_EVENTS_STORED : AFF_EVENTS_AWAY);
        return;
    }
    /* They are the keeper's now, unless it has taken them already. */
    (void)pthread_mutex_lock(&events->lock);
    aff_event_jobs_put_before(&events->waiting, &jobs);
    (void)pthread_mutex_unlock(&events->lock);
    failed(events, &error, true);
}

/* The spool is shipped: events go into the database again, unless the keeper has just written more. */
static void leave_spool(struct aff_events *events)
{
    struct aff_spool_view spool = {0};

    (void)pthread_mutex_lock(&events->lock);
    while (events->keeping && !events->stop)
        (void)pthread_cond_wait(&events->for_database, &events->lock);
    if (events->spool != NULL)
        aff_spool_read_view(events->spool, &spool);
    bool over = spool.waiting == 0 && events->bridged;
    if (spool.waiting == 0) {
        events->mode = AFF_EVENTS_MODE_DIRECT;
        events->handing_over = events->bridged = false;
    }
    (void)pthread_mutex_unlock(&events->lock);
    if (over)
        aff_log(events->log, AFF_LOG_INFO, "events", NULL, "events go into the database again");
}

static void ship(struct aff_events *events)
{
    struct aff_error error = {0};
    struct aff_spool_view spool = {0};
    bool more;

    if (aff_events_ship(events, &more, &error) != AFF_OK) {
        failed(events, &error, true);
        return;
    }
    if (!more) {
        leave_spool(events);
        return;
    }
    events->attempts = 0;
    aff_spool_read_view(events->spool, &spool);
    if (spool.waiting <= HAND_OVER_RECORDS) {
        (void)pthread_mutex_lock(&events->lock);
        events->handing_over = true;
        (void)pthread_mutex_unlock(&events->lock);
    }
}

static void purge(struct aff_events *events, int64_t *purge_us)
{
    struct aff_error error = {0};
    int64_t n = 0;

    (void)pthread_mutex_lock(&events->lock);
    int64_t keep_days = events->config.events_keep_days;
    (void)pthread_mutex_unlock(&events->lock);
    if (aff_events_purge(&events->connection, keep_days, &n, &error) != AFF_OK)
        failed(events, &error, true);
    *purge_us = aff_clock_monotonic_us() + (n > 0 ? PURGE_AGAIN_US : PURGE_PAUSE_US);
}

/* A new address takes a new connection. */
static void reconfigure(struct aff_events *events, unsigned *changes)
{
    (void)pthread_mutex_lock(&events->lock);
    bool moved = events->changes != *changes && events->connection.pg != NULL &&
                 strcmp(events->url, events->config.database_url) != 0;
    *changes = events->changes;
    if (moved)
        events->retry_us = 0;
    (void)pthread_mutex_unlock(&events->lock);
    if (moved)
        aff_events_disconnect(events);
}

void *aff_events_database(void *argument)
{
    struct aff_events *events = argument;
    int64_t purge_us = aff_clock_monotonic_us() + AFF_SECOND_US, look_us;
    enum work work = WORK_END;
    unsigned changes = 0;

    aff_events_recall_spool(events);
    do {
        (void)pthread_mutex_lock(&events->lock);
        while (!find_work(events, changes, purge_us, &work, &look_us))
            wait_until(events, look_us);
        (void)pthread_mutex_unlock(&events->lock);
        switch (work) {
        case WORK_CONFIGURE:
            reconfigure(events, &changes);
            break;
        case WORK_CONNECT:
            connect(events);
            break;
        case WORK_COMMIT:
            commit(events);
            break;
        case WORK_SHIP:
            ship(events);
            break;
        case WORK_PURGE:
            purge(events, &purge_us);
            break;
        case WORK_END:
            break;
        }
    } while (work != WORK_END);
    aff_events_disconnect(events);
    (void)pthread_mutex_lock(&events->lock);
    events->stopped = true;
    (void)pthread_cond_signal(&events->for_keeper);
    (void)pthread_mutex_unlock(&events->lock);
    return NULL;
}
