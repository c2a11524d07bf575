/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learner.h"

#include "config/rows.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "server/learner_rebuild.h"
#include "server/loader.h"
#include "sql/cancel.h"
#include "sql/connection.h"
#include "sql/fold/learning.h"
#include "sql/load/model.h"
#include "sql/migrate.h"
#include "sql/stores.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIST_EVERY_US (5 * AFF_SECOND_US)
#define TRY_LEAD_US AFF_SECOND_US /* between attempts to lead a store that another leads */
#define TRIM_EVERY_US (10 * AFF_SECOND_US)
#define REPEAT_LOG_US (60 * AFF_SECOND_US) /* the same failure is logged again after this */
#define SCRATCH "verify-"                  /* stores of 'affinityctl verify', which folds them itself */
#define HOUR_US (3600 * AFF_SECOND_US)

enum { SWEEP_SLICE = 50, RETRY_MOST_S = 600 };

/* One store of the database. */
struct learned {
    char name[AFF_ID_MAX + 1];
    struct aff_learning *learning; /* NULL while there is no connection */
    bool leads, sweeping;
    int64_t next_us;   /* monotonic; not before */
    int64_t trim_us;   /* monotonic */
    unsigned attempts; /* that failed one after another */
    char logged[512];  /* the failure that was logged last */
    int64_t logged_us;
    int64_t rebuild_from_us; /* monotonic; no rebuild before, after one failed */
    unsigned rebuild_attempts;
};

struct aff_learner {
    struct aff_learner_board *board;
    struct aff_log *log;
    pthread_t thread;
    pthread_mutex_t lock; /* of the next five */
    pthread_cond_t wake;
    struct aff_config next_config;
    bool has_config, must_stop, woken;
    struct aff_cancel *cancel; /* of the open connection */

    /* The thread's own. */
    struct aff_config config;
    struct aff_connection connection;
    struct aff_random random;
    struct aff_learner_rebuild *rebuild;
    char rebuilding[AFF_ID_MAX + 1]; /* the store that is counted anew; empty: none */
    struct learned stores[AFF_LEARNED_STORES];
    size_t n_stores;
    int64_t listed_us; /* monotonic; 0: the stores have to be listed */
    char name[80];     /* of this leader, for people */
    char logged[512];
    int64_t logged_us;
};

/* Waits, at most `pause_us`, for news; false: the learner must stop. */
static bool wait_for(struct aff_learner *learner, int64_t pause_us)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + pause_us % AFF_SECOND_US * 1000;
    until.tv_sec += pause_us / AFF_SECOND_US + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    (void)pthread_mutex_lock(&learner->lock);
    while (!learner->must_stop && !learner->has_config && !learner->woken)
        if (pthread_cond_timedwait(&learner->wake, &learner->lock, &until) != 0)
            break;
    learner->woken = false;
    bool go_on = !learner->must_stop;
    (void)pthread_mutex_unlock(&learner->lock);
    return go_on;
}

static bool must_stop(struct aff_learner *learner)
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
    for (size_t i = 0; i < learner->n_stores; i++) {
        struct learned *store = &learner->stores[i];
        aff_learning_free(store->learning);
        store->learning = NULL;
        if (store->leads) {
            struct aff_learned_store *shown = aff_learner_board_lock(learner->board, store->name);
            if (shown != NULL) {
                shown->leads = false;
                aff_learner_board_unlock(learner->board);
            }
        }
        store->leads = false;
    }
    aff_connection_close(&learner->connection);
    learner->connection = (struct aff_connection){0};
    learner->listed_us = 0;
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

/* The same failure is said once, and once a minute while it lasts. */
static bool is_news(char logged[512], int64_t *logged_us, const char *text)
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

/* ---- stores ---- */

static void see(void *context, const struct aff_store_seen *seen)
{
    struct aff_learner *learner = context;
    const char *name = seen->name;

    for (size_t i = 0; i < learner->n_stores; i++)
        if (strcmp(learner->stores[i].name, name) == 0)
            return;
    if (learner->n_stores == AFF_LEARNED_STORES || strncmp(name, SCRATCH, strlen(SCRATCH)) == 0)
        return;
    struct learned *store = &learner->stores[learner->n_stores++];
    (void)snprintf(store->name, sizeof store->name, "%s", name);
}

/* Finds new stores, and prepares those that have no learning on this connection. */
static aff_status list(struct aff_learner *learner, struct aff_error *reterr)
{
    int64_t now_us = aff_clock_monotonic_us();
    struct aff_learning_settings settings = {.name = learner->name,
                                             .rows = aff_config_rows(&learner->config),
                                             .limit_bytes = (uint64_t)learner->config.learn_memory_mb << 20};

    if (learner->listed_us != 0 && now_us - learner->listed_us < LIST_EVERY_US)
        return AFF_OK;
    aff_status status = aff_stores_list(&learner->connection, see, learner, reterr);
    for (size_t i = 0; i < learner->n_stores && status == AFF_OK; i++) {
        struct learned *store = &learner->stores[i];
        char currency[4];
        int number;
        if (store->learning != NULL)
            continue;
        status = aff_store_find(&learner->connection, store->name, &number, currency, reterr);
        if (status == AFF_NOTFOUND) {
            store->next_us = now_us + LIST_EVERY_US; /* it has gone, and may come back */
            status = AFF_OK;
            continue;
        }
        if (status == AFF_OK) {
            status = aff_learning_new(&learner->connection, number, &settings, &store->learning);
            if (status != AFF_OK)
                return aff_error_set(reterr, status, "%s", aff_status_text(status));
        }
    }
    if (status == AFF_OK)
        learner->listed_us = now_us;
    return status;
}

static void show(struct aff_learner *learner, const struct learned *store,
                 const struct aff_learning_report *report, uint32_t renewed)
{
    struct aff_learned_store *shown = aff_learner_board_lock(learner->board, store->name);

    if (shown == NULL)
        return;
    shown->leads = store->leads;
    if (store->leads) {
        shown->epoch = report->epoch;
        shown->version = report->version;
        shown->published = report->published;
        shown->queued = report->folded > 0 ? 0 : report->queued;
        shown->oldest_us = report->folded > 0 ? 0 : report->oldest_us;
        shown->swept_us = report->swept_at_us;
        shown->memory_bytes = report->memory_bytes;
    }
    if (report->folded > 0) {
        shown->folds++;
        shown->orders += report->folded;
        shown->folded_us = aff_clock_now_us();
    }
    shown->rows += report->rows;
    shown->renewed += renewed;
    shown->error[0] = '\0';
    aff_learner_board_unlock(learner->board);
}

static void show_failure(struct aff_learner *learner, const char *name, const struct aff_error *error)
{
    struct aff_learned_store *shown = aff_learner_board_lock(learner->board, name);

    if (shown == NULL)
        return;
    shown->failures++;
    (void)snprintf(shown->error, sizeof shown->error, "%s", error->text);
    aff_learner_board_unlock(learner->board);
}

static void tell_lead(struct aff_learner *learner, const struct learned *store,
                      const struct aff_learning_report *report)
{
    if (report->took_lead && !report->lost_lead)
        aff_log(learner->log, AFF_LOG_INFO, "leads",
                AFF_LOG_FIELDS({"store", store->name, 0}, {"epoch", NULL, report->epoch}),
                "this service folds the orders of store %s", store->name);
    if (report->lost_lead)
        aff_log(learner->log, AFF_LOG_WARNING, "overtaken",
                AFF_LOG_FIELDS({"store", store->name, 0}, {"epoch", NULL, report->epoch}),
                "another service has taken store %s over; nothing that this one began afterwards is kept",
                store->name);
}

/* ---- rebuilds ---- */

static void start_rebuild(struct aff_learner *learner, struct learned *store, const char *reason)
{
    if (learner->rebuilding[0] != '\0' || aff_clock_monotonic_us() < store->rebuild_from_us)
        return;
    if (aff_learner_rebuild_start(learner->rebuild, &learner->config, store->name, reason))
        (void)snprintf(learner->rebuilding, sizeof learner->rebuilding, "%s", store->name);
}

/* One that failed is tried again later and later. */
static void end_rebuild(struct aff_learner *learner)
{
    bool good = false;

    if (!aff_learner_rebuild_ended(learner->rebuild, &good))
        return;
    for (size_t i = 0; i < learner->n_stores; i++) {
        struct learned *store = &learner->stores[i];
        if (strcmp(store->name, learner->rebuilding) != 0)
            continue;
        store->rebuild_attempts = good ? 0 : store->rebuild_attempts + 1;
        store->rebuild_from_us = aff_clock_monotonic_us();
        if (!good)
            store->rebuild_from_us += aff_loader_pause_us(store->rebuild_attempts + 1, RETRY_MOST_S,
                                                          aff_random_unit(&learner->random));
    }
    learner->rebuilding[0] = '\0';
}

static bool is_due(int64_t last_us, int64_t hours)
{
    return hours > 0 && last_us != 0 && aff_clock_now_us() - last_us >= hours * HOUR_US;
}

/* ---- work ---- */

/* A slice of the cycle that renews all rows, if it is time for one. */
static aff_status sweep(struct aff_learner *learner, struct learned *store,
                        const struct aff_learning_report *report, uint32_t *ret_changed,
                        struct aff_error *reterr)
{
    int64_t last_us =
        report->swept_at_us > report->rebuilt_at_us ? report->swept_at_us : report->rebuilt_at_us;
    bool done = false;

    *ret_changed = 0;
    if (!store->sweeping && !is_due(last_us, learner->config.learn_sweep_hours))
        return AFF_OK;
    store->sweeping = true;
    aff_status status = aff_learning_sweep(store->learning, SWEEP_SLICE, ret_changed, &done, reterr);
    store->sweeping = status == AFF_OK && !done;
    return status;
}

static aff_status trim(struct learned *store, struct aff_error *reterr)
{
    int64_t now_us = aff_clock_monotonic_us();

    if (store->trim_us != 0 && now_us - store->trim_us < TRIM_EVERY_US)
        return AFF_OK;
    store->trim_us = now_us;
    return aff_learning_trim(store->learning, reterr);
}

static aff_status work(struct aff_learner *learner, struct learned *store, struct aff_learning_report *report,
                       struct aff_error *reterr)
{
    uint32_t renewed = 0;
    aff_status status = aff_learning_step(store->learning, report, reterr);

    store->leads = status == AFF_OK && report->state != AFF_LEARNING_FOLLOWS;
    if (status != AFF_OK)
        return status;
    tell_lead(learner, store, report);
    if (report->state == AFF_LEARNING_IDLE)
        status = sweep(learner, store, report, &renewed, reterr);
    if (status == AFF_OK && store->leads)
        status = trim(store, reterr);
    if (status != AFF_OK)
        return status;
    show(learner, store, report, renewed);
    if (report->state == AFF_LEARNING_REBUILD)
        start_rebuild(learner, store, report->generation == 0 ? "it never was" : "many orders wait");
    else if (store->leads && is_due(report->rebuilt_at_us, learner->config.learn_rebuild_hours))
        start_rebuild(learner, store, "learn.rebuild_hours are over");
    return AFF_OK;
}

/* A failure that is the store's own: said, and tried again after a pause. Counts that cannot be are mended by
 * counting anew. */
static void store_failed(struct aff_learner *learner, struct learned *store, const struct aff_error *error)
{
    store->next_us = aff_clock_monotonic_us() + aff_loader_pause_us(store->attempts++,
                                                                    learner->config.database_retry_max_s,
                                                                    aff_random_unit(&learner->random));
    show_failure(learner, store->name, error);
    if (is_news(store->logged, &store->logged_us, error->text))
        aff_log(learner->log, AFF_LOG_ERROR, "fold_failed",
                AFF_LOG_FIELDS({"store", store->name, 0}, {"sqlstate", error->sqlstate, 0}), "store %s: %s",
                store->name, error->text);
    if (error->status == AFF_DATA)
        start_rebuild(learner, store, "its counts are not what they should be");
}

static bool is_of_connection(const struct aff_learner *learner, const struct aff_error *error)
{
    return !aff_connection_good(&learner->connection) || error->status == AFF_SCHEMA ||
           error->status == AFF_CANCELLED;
}

/* One round over all stores; *ret_busy: there is more to do at once. A failure of the connection is returned.
 */
static aff_status round_of_stores(struct aff_learner *learner, bool *ret_busy, struct aff_error *reterr)
{
    aff_status status = connect(learner, reterr);

    if (status == AFF_OK)
        status = list(learner, reterr);
    for (size_t i = 0; i < learner->n_stores && status == AFF_OK && !must_stop(learner); i++) {
        struct learned *store = &learner->stores[i];
        struct aff_learning_report report;
        struct aff_error error = {0};
        if (store->learning == NULL || aff_clock_monotonic_us() < store->next_us)
            continue;
        if (work(learner, store, &report, &error) == AFF_OK) {
            store->attempts = 0;
            store->logged[0] = '\0';
            *ret_busy = *ret_busy || report.state == AFF_LEARNING_BUSY || store->sweeping;
            if (!store->leads)
                store->next_us = aff_clock_monotonic_us() + TRY_LEAD_US;
        } else if (is_of_connection(learner, &error)) {
            *reterr = error;
            status = error.status;
        } else if (error.status == AFF_NOTFOUND) {
            aff_learning_free(store->learning); /* it was removed; listing finds it if it comes back */
            store->learning = NULL;
            store->leads = false;
        } else if (!must_stop(learner))
            store_failed(learner, store, &error);
    }
    return status;
}

static void database_failed(struct aff_learner *learner, const struct aff_error *error)
{
    disconnect(learner);
    if (!must_stop(learner) && is_news(learner->logged, &learner->logged_us, error->text))
        aff_log(learner->log, AFF_LOG_ERROR, "learner", AFF_LOG_FIELDS({"sqlstate", error->sqlstate, 0}),
                "nothing is folded: %s", error->text);
}

static void *run(void *argument)
{
    struct aff_learner *learner = argument;
    unsigned attempt = 0;
    bool go_on = true;

    (void)pthread_setname_np(pthread_self(), "learner");
    while (go_on) {
        struct aff_error error = {0};
        bool busy = false;
        take_config(learner);
        end_rebuild(learner);
        if (!learner->config.learn_enabled) {
            disconnect(learner);
            go_on = wait_for(learner, AFF_SECOND_US);
        } else if (round_of_stores(learner, &busy, &error) == AFF_OK) {
            attempt = 0;
            go_on = busy ? !must_stop(learner) : wait_for(learner, learner->config.learn_fold_ms * 1000);
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

void aff_learner_wake(struct aff_learner *learner)
{
    (void)pthread_mutex_lock(&learner->lock);
    learner->woken = true;
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
