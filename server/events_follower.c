/* SPDX-License-Identifier: Apache-2.0 */
/* The follower: tells memory what was stored before this start, and then, every second, what other instances
 * store. It has a connection of its own, so that reading keeps no event waiting. */
#include "server/events_internal.h"

#include "core/base/clock.h"
#include "server/loader.h"
#include "sql/events/read_events.h"
#include "sql/migrate.h"

#include <string.h>
#include <time.h>

#define PAUSE_US AFF_SECOND_US

struct follower {
    struct aff_events *events;
    struct aff_connection connection;
    struct aff_random random;
    char url[AFF_CONFIG_TEXT];
    bool caught_up;
    int64_t now_us; /* of the database, up to which everything has been read */
};

static void visit(void *context, struct aff_text store, const struct aff_event *event)
{
    struct follower *follower = context;

    aff_memory_note(follower->events->memory, store, event);
}

/* Waits; false: the threads must end. */
static bool pause_for(struct aff_events *events, int64_t pause_us)
{
    int64_t until_us = aff_clock_monotonic_us() + pause_us;
    struct timespec until = {.tv_sec = until_us / AFF_SECOND_US, .tv_nsec = until_us % AFF_SECOND_US * 1000};

    (void)pthread_mutex_lock(&events->lock);
    while (!events->stop)
        if (pthread_cond_timedwait(&events->for_follower, &events->lock, &until) != 0)
            break;
    bool go_on = !events->stop;
    (void)pthread_mutex_unlock(&events->lock);
    return go_on;
}

static void disconnect(struct follower *follower)
{
    (void)pthread_mutex_lock(&follower->events->lock);
    follower->events->follower_socket = -1;
    (void)pthread_mutex_unlock(&follower->events->lock);
    aff_connection_close(&follower->connection);
    follower->connection = (struct aff_connection){0};
}

static aff_status connect(struct follower *follower, struct aff_error *reterr)
{
    struct aff_events *events = follower->events;
    aff_status status;
    int timeout_s;

    (void)pthread_mutex_lock(&events->lock);
    bool moved = strcmp(follower->url, events->config.database_url) != 0;
    memcpy(follower->url, events->config.database_url, sizeof follower->url);
    timeout_s = (int)events->config.database_connect_timeout_s;
    (void)pthread_mutex_unlock(&events->lock);
    if (follower->connection.pg != NULL && !moved)
        return AFF_OK;
    disconnect(follower);
    status = aff_connection_open(follower->url, "affinityd events follower", timeout_s, &follower->connection,
                                 reterr);
    if (status != AFF_OK) {
        follower->connection = (struct aff_connection){0};
        return status;
    }
    (void)pthread_mutex_lock(&events->lock);
    events->follower_socket = aff_events_socket(&follower->connection);
    bool stop = events->stop;
    (void)pthread_mutex_unlock(&events->lock);
    return stop ? AFF_CANCELLED : aff_migrate_check(&follower->connection, reterr);
}

static aff_status look(struct follower *follower, struct aff_error *reterr)
{
    struct aff_events *events = follower->events;
    int session_hours, impression_hours, rejection_days;
    aff_status status = connect(follower, reterr);

    if (status != AFF_OK)
        return status;
    if (follower->caught_up)
        return aff_events_read_new(&follower->connection, events->writer, visit, follower, &follower->now_us,
                                   reterr);
    (void)pthread_mutex_lock(&events->lock);
    session_hours = (int)events->config.events_session_hours;
    impression_hours = aff_memory_impression_hours(&events->config);
    rejection_days = (int)events->config.events_rejection_days;
    (void)pthread_mutex_unlock(&events->lock);
    status = aff_events_read_all(&follower->connection, session_hours, impression_hours, rejection_days,
                                 visit, follower, &follower->now_us, reterr);
    follower->caught_up = status == AFF_OK;
    return status;
}

void *aff_events_follower(void *argument)
{
    struct aff_events *events = argument;
    struct follower follower = {.events = events, .random.state = (uint64_t)aff_clock_now_us()};
    int64_t pause_us = 0;
    unsigned attempts = 0;

    (void)pthread_setname_np(pthread_self(), "events-follow");
    while (pause_for(events, pause_us)) {
        struct aff_error error = {0};
        pause_us = PAUSE_US;
        if (look(&follower, &error) == AFF_OK) {
            attempts = 0;
            continue;
        }
        /* The same failure is told by the loader and the database thread; it is no news a third time. */
        disconnect(&follower);
        (void)pthread_mutex_lock(&events->lock);
        pause_us = aff_loader_pause_us(attempts++, events->config.database_retry_max_s,
                                       aff_random_unit(&follower.random));
        events->view.failures++;
        (void)pthread_mutex_unlock(&events->lock);
    }
    disconnect(&follower);
    return NULL;
}
