/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learner_internal.h"

#include "core/base/clock.h"
#include "server/loader.h"
#include "sql/migrate.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPEAT_LOG_US (60 * AFF_SECOND_US) /* the same failure is logged again after this */

/* Waits, at most `pause_us`, for news from the main thread; false: the learner must stop. */
static bool wait_for(struct aff_learner *learner, int64_t pause_us)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + pause_us % AFF_SECOND_US * 1000;
    until.tv_sec += pause_us / AFF_SECOND_US + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    (void)pthread_mutex_lock(&learner->lock);
    while (!learner->must_stop && !learner->has_config)
        if (pthread_cond_timedwait(&learner->wake, &learner->lock, &until) != 0)
            break;
    bool go_on = !learner->must_stop;
    (void)pthread_mutex_unlock(&learner->lock);
    return go_on;
}

bool aff_learner_must_stop(struct aff_learner *learner)
{
    (void)pthread_mutex_lock(&learner->lock);
    bool stop = learner->must_stop;
    (void)pthread_mutex_unlock(&learner->lock);
    return stop;
}

static void set_cancel(struct aff_learner *learner, struct aff_cancel *cancel)
{
    (void)pthread_mutex_lock(&learner->lock);
    struct aff_cancel *before = learner->cancel;
    learner->cancel = cancel;
    (void)pthread_mutex_unlock(&learner->lock);
    aff_cancel_free(before);
}

/* The leads end with the session. */
static void disconnect(struct aff_learner *learner)
{
    set_cancel(learner, NULL);
    aff_learner_drop_stores(learner);
    aff_connection_close(&learner->connection);
    learner->connection = (struct aff_connection){0};
}

/* Takes over what SIGHUP brought. Settings of learning hold from the next connection on. */
static void take_config(struct aff_learner *learner)
{
    bool taken = false;

    (void)pthread_mutex_lock(&learner->lock);
    if (learner->has_config) {
        learner->config = learner->next_config;
        learner->has_config = false;
        taken = true;
    }
    (void)pthread_mutex_unlock(&learner->lock);
    if (taken)
        disconnect(learner);
}

bool aff_learner_is_news(char logged[512], int64_t *logged_us, const char *text)
{
    int64_t now_us = aff_clock_monotonic_us();

    if (strcmp(logged, text) == 0 && now_us - *logged_us < REPEAT_LOG_US)
        return false;
    (void)snprintf(logged, 512, "%s", text);
    *logged_us = now_us;
    return true;
}

static aff_status connect(struct aff_learner *learner, struct aff_error *reterr)
{
    if (learner->connection.pg != NULL)
        return AFF_OK;
    aff_status status =
        aff_connection_open(learner->config.database_url, "affinityd learner",
                            (int)learner->config.database_connect_timeout_s, &learner->connection, reterr);
    if (status != AFF_OK) {
        learner->connection = (struct aff_connection){0};
        return status;
    }
    set_cancel(learner, aff_cancel_new(&learner->connection));
    status = aff_migrate_check(&learner->connection, reterr);
    if (status == AFF_OK)
        status = aff_learning_session(&learner->connection, (int)learner->config.learn_lease_s, reterr);
    if (status == AFF_OK)
        learner->logged[0] = '\0';
    return status;
}

static void database_failed(struct aff_learner *learner, const struct aff_error *error)
{
    disconnect(learner);
    if (!aff_learner_must_stop(learner) &&
        aff_learner_is_news(learner->logged, &learner->logged_us, error->text))
        aff_log(learner->log, AFF_LOG_ERROR, "learner", AFF_LOG_FIELDS({"sqlstate", error->sqlstate, 0}),
                "nothing is folded: %s", error->text);
}

static aff_status fold_all(struct aff_learner *learner, bool *ret_behind, struct aff_error *reterr)
{
    aff_status status = connect(learner, reterr);

    return status == AFF_OK ? aff_learner_round(learner, ret_behind, reterr) : status;
}

static void *run(void *argument)
{
    struct aff_learner *learner = argument;
    unsigned attempt = 0;
    bool go_on = true;

    (void)pthread_setname_np(pthread_self(), "learner");
    while (go_on) {
        struct aff_error error = {0};
        bool behind = false;
        int64_t pause_us = learner->config.learn_fold_ms * 1000;
        take_config(learner);
        aff_learner_end_rebuild(learner);
        if (!learner->config.learn_enabled) {
            disconnect(learner);
            go_on = wait_for(learner, AFF_SECOND_US);
        } else if (fold_all(learner, &behind, &error) == AFF_OK) {
            attempt = 0;
            go_on = behind ? !aff_learner_must_stop(learner) : wait_for(learner, pause_us);
        } else {
            database_failed(learner, &error);
            go_on = wait_for(learner, aff_loader_pause_us(attempt, learner->config.database_retry_max_s,
                                                          aff_random_unit(&learner->random)));
            attempt++;
        }
    }
    disconnect(learner);
    return NULL;
}

static void name_leader(struct aff_learner *learner)
{
    char host[56] = "";

    (void)gethostname(host, sizeof host - 1);
    (void)snprintf(learner->name, sizeof learner->name, "affinityd %s %ld", host, (long)getpid());
}

aff_status aff_learner_start(const struct aff_config *config, struct aff_learner_board *board,
                             struct aff_log *log, struct aff_learner **ret_learner, struct aff_error *reterr)
{
    struct aff_learner *learner = calloc(1, sizeof *learner);
    pthread_condattr_t attributes;
    sigset_t all, before;

    if (learner != NULL)
        learner->rebuild = aff_learner_rebuild_new(board, log);
    if (learner == NULL || learner->rebuild == NULL) {
        free(learner);
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    }
    learner->board = board;
    learner->log = log;
    learner->config = *config;
    learner->random.state = (uint64_t)aff_clock_now_us() ^ (uint64_t)getpid() << 32;
    name_leader(learner);
    (void)pthread_mutex_init(&learner->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&learner->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&learner->thread, NULL, run, learner);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0) {
        aff_learner_rebuild_free(learner->rebuild);
        free(learner);
        return aff_error_set(reterr, AFF_IO, "cannot start the learner: %s", strerror(failure));
    }
    *ret_learner = learner;
    return AFF_OK;
}

void aff_learner_configure(struct aff_learner *learner, const struct aff_config *config)
{
    (void)pthread_mutex_lock(&learner->lock);
    learner->next_config = *config;
    learner->has_config = true;
    (void)pthread_cond_signal(&learner->wake);
    (void)pthread_mutex_unlock(&learner->lock);
}

void aff_learner_stop(struct aff_learner *learner)
{
    aff_learner_rebuild_cancel(learner->rebuild);
    (void)pthread_mutex_lock(&learner->lock);
    learner->must_stop = true;
    if (learner->cancel != NULL)
        aff_cancel_send(learner->cancel);
    (void)pthread_cond_signal(&learner->wake);
    (void)pthread_mutex_unlock(&learner->lock);
}

void aff_learner_join(struct aff_learner *learner)
{
    if (learner == NULL)
        return;
    (void)pthread_join(learner->thread, NULL);
    aff_learner_rebuild_free(learner->rebuild);
    (void)pthread_cond_destroy(&learner->wake);
    (void)pthread_mutex_destroy(&learner->lock);
    free(learner);
}
