/* SPDX-License-Identifier: Apache-2.0 */
#include "server/source.h"

#include "core/base/clock.h"
#include "core/base/random.h"
#include "server/loader.h"
#include "sql/cancel.h"
#include "sql/migrate.h"
#include "sql/source/source.h"
#include "sql/store.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPEAT_LOG_US (60 * AFF_SECOND_US) /* the same failure is logged again after this */
#define BUSY_PAUSE_US (5 * AFF_SECOND_US)  /* another instance reads the tables */
#define HOUR_S 3600

enum { OURS, SHOP, CONNECTIONS };

struct aff_source_thread {
    struct aff_board *board;
    struct aff_log *log;
    pthread_t thread;
    pthread_mutex_t lock; /* of the next five */
    pthread_cond_t wake;
    struct aff_config next_config;
    bool has_config, must_stop;
    struct aff_cancel *cancels[CONNECTIONS]; /* of the open connections */

    /* The thread's own. */
    struct aff_config config;
    struct aff_source_settings settings; /* borrows from `config` */
    struct aff_connection ours;
    struct aff_source *source;
    struct aff_random random;
    char logged[512]; /* the failure that was logged last */
    int64_t logged_us, rejects_logged_us;
    uint64_t rejected; /* since they were logged last */
    char first_rejected[256];
};

static bool is_mapped(const struct aff_config *config)
{
    return config->source_orders[0] != '\0' || config->source_products[0] != '\0' ||
           config->source_customers[0] != '\0';
}

/* Waits, at most `pause_us`, for news from the main thread; false: the thread must end. */
static bool wait_for(struct aff_source_thread *thread, int64_t pause_us)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + pause_us % AFF_SECOND_US * 1000;
    until.tv_sec += pause_us / AFF_SECOND_US + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    (void)pthread_mutex_lock(&thread->lock);
    while (!thread->must_stop && !thread->has_config)
        if (pthread_cond_timedwait(&thread->wake, &thread->lock, &until) != 0)
            break;
    bool go_on = !thread->must_stop;
    (void)pthread_mutex_unlock(&thread->lock);
    return go_on;
}

static bool must_stop(struct aff_source_thread *thread)
{
    (void)pthread_mutex_lock(&thread->lock);
    bool stop = thread->must_stop;
    (void)pthread_mutex_unlock(&thread->lock);
    return stop;
}

static void set_cancel(struct aff_source_thread *thread, int which, struct aff_cancel *cancel)
{
    (void)pthread_mutex_lock(&thread->lock);
    struct aff_cancel *before = thread->cancels[which];
    thread->cancels[which] = cancel;
    (void)pthread_mutex_unlock(&thread->lock);
    aff_cancel_free(before);
}

static void disconnect(struct aff_source_thread *thread)
{
    set_cancel(thread, OURS, NULL);
    set_cancel(thread, SHOP, NULL);
    aff_source_close(thread->source);
    thread->source = NULL;
    aff_connection_close(&thread->ours);
}

/* Takes over what SIGHUP brought, and begins anew with it. */
static void take_config(struct aff_source_thread *thread)
{
    bool taken = false;

    (void)pthread_mutex_lock(&thread->lock);
    if (thread->has_config) {
        thread->config = thread->next_config;
        thread->has_config = false;
        taken = true;
    }
    (void)pthread_mutex_unlock(&thread->lock);
    if (taken)
        disconnect(thread);
}

/* The same failure is said once, and once a minute while it lasts. */
static void failed(struct aff_source_thread *thread, const struct aff_error *error)
{
    int64_t now_us = aff_clock_monotonic_us();

    disconnect(thread);
    if (must_stop(thread) || error->status == AFF_BUSY)
        return;
    aff_board_source_failed(thread->board, error);
    if (strcmp(thread->logged, error->text) == 0 && now_us - thread->logged_us < REPEAT_LOG_US)
        return;
    memcpy(thread->logged, error->text, sizeof thread->logged);
    thread->logged_us = now_us;
    aff_log(thread->log, AFF_LOG_ERROR, "source", AFF_LOG_FIELDS({"sqlstate", error->sqlstate, 0}), "%s",
            error->text);
}

/* ---- what is left out ---- */

/* Ids of customers do not go into a log. */
static void reject(void *context, enum aff_source_what what, struct aff_text id, const char *reason)
{
    struct aff_source_thread *thread = context;

    if (thread->rejected++ > 0)
        return;
    if (what == AFF_SOURCE_CUSTOMERS)
        (void)snprintf(thread->first_rejected, sizeof thread->first_rejected, "a customer: %s", reason);
    else
        (void)snprintf(thread->first_rejected, sizeof thread->first_rejected, "%s '%.*s': %s",
                       aff_source_word(what), (int)id.size, id.at == NULL ? "" : id.at, reason);
}

static void log_rejected(struct aff_source_thread *thread)
{
    int64_t now_us = aff_clock_monotonic_us();

    if (thread->rejected == 0 ||
        (thread->rejects_logged_us != 0 && now_us - thread->rejects_logged_us < REPEAT_LOG_US))
        return;
    aff_log(thread->log, AFF_LOG_WARNING, "source_rejected",
            AFF_LOG_FIELDS({"rejected", NULL, (int64_t)thread->rejected}),
            "entries of the shop's tables break a rule and are left out, first %s", thread->first_rejected);
    thread->rejected = 0;
    thread->rejects_logged_us = now_us;
}

/* ---- the way ---- */

static struct aff_source_settings settings_of(const struct aff_config *config)
{
    return (struct aff_source_settings){.url = config->source_url[0] == '\0' ? config->database_url
                                                                             : config->source_url,
                                        .application = "affinityd source",
                                        .timeout_s = (int)config->database_connect_timeout_s,
                                        .relations = {[AFF_SOURCE_ORDERS] = config->source_orders,
                                                      [AFF_SOURCE_LINES] = config->source_lines,
                                                      [AFF_SOURCE_PRODUCTS] = config->source_products,
                                                      [AFF_SOURCE_CUSTOMERS] = config->source_customers},
                                        .triggers = strcmp(config->source_changes, "trigger") == 0,
                                        .outbox = config->source_outbox,
                                        .overlap_s = config->source_overlap_s};
}

static aff_status connect(struct aff_source_thread *thread, struct aff_error *reterr)
{
    const struct aff_config *config = &thread->config;
    const char *currency = config->source_currency[0] == '\0' ? NULL : config->source_currency;
    int store;

    if (thread->source != NULL)
        return AFF_OK;
    thread->settings = settings_of(config);
    aff_status status = aff_connection_open(config->database_url, thread->settings.application,
                                            (int)config->database_connect_timeout_s, &thread->ours, reterr);
    if (status != AFF_OK)
        return status;
    set_cancel(thread, OURS, aff_cancel_new(&thread->ours));
    status = aff_migrate_check(&thread->ours, reterr);
    if (status == AFF_OK)
        status = aff_store_ensure(&thread->ours, config->store_name, currency, &store, NULL, reterr);
    if (status == AFF_OK)
        status = aff_source_open(&thread->settings, &thread->ours, config->store_name, reject, thread,
                                 &thread->source, reterr);
    if (status != AFF_OK)
        return status;
    set_cancel(thread, SHOP, aff_cancel_new(aff_source_connection(thread->source)));
    thread->logged[0] = '\0';
    aff_log(thread->log, AFF_LOG_INFO, "source", AFF_LOG_FIELDS({"store", config->store_name, 0}),
            "the shop's own tables are read");
    return AFF_OK;
}

static bool go_on(void *context, uint64_t done, uint64_t total)
{
    (void)done;
    (void)total;
    return !must_stop(context);
}

static aff_status look(struct aff_source_thread *thread, struct aff_error *reterr)
{
    const struct aff_watch watch = {go_on, thread};
    struct aff_source_report report = {0};
    int64_t hours = thread->config.source_sweep_hours, swept_s = 0;
    aff_status status = connect(thread, reterr);

    if (status == AFF_OK)
        status = aff_source_swept_s(thread->source, &swept_s, reterr);
    if (status != AFF_OK)
        return status;
    if (swept_s < 0 || (hours > 0 && swept_s >= hours * HOUR_S)) {
        aff_log(thread->log, AFF_LOG_INFO, "source", NULL, "all of the shop's tables are compared");
        status = aff_source_sweep(thread->source, &watch, &report, reterr);
    } else {
        status = aff_source_sync(thread->source, &watch, &report, reterr);
    }
    if (status == AFF_OK)
        aff_board_source_read(thread->board, report.created + report.changed + report.deleted,
                              report.rejected);
    log_rejected(thread);
    return status;
}

static void *run(void *argument)
{
    struct aff_source_thread *thread = argument;
    unsigned attempt = 0;
    bool more = true;

    (void)pthread_setname_np(pthread_self(), "source");
    while (more) {
        struct aff_error error = {0};
        take_config(thread);
        aff_status status = look(thread, &error);
        int64_t pause_us = thread->config.source_poll_ms * 1000;
        if (status != AFF_OK) {
            failed(thread, &error);
            pause_us = status == AFF_BUSY ? BUSY_PAUSE_US
                                          : aff_loader_pause_us(attempt, thread->config.database_retry_max_s,
                                                                aff_random_unit(&thread->random));
        }
        attempt = status == AFF_OK || status == AFF_BUSY ? 0 : attempt + 1;
        more = wait_for(thread, pause_us);
    }
    disconnect(thread);
    return NULL;
}

aff_status aff_source_start(const struct aff_config *config, struct aff_board *board, struct aff_log *log,
                            struct aff_source_thread **ret_thread, struct aff_error *reterr)
{
    struct aff_source_thread *thread;
    pthread_condattr_t attributes;
    sigset_t all, before;

    *ret_thread = NULL;
    if (!is_mapped(config))
        return AFF_OK;
    thread = calloc(1, sizeof *thread);
    if (thread == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    thread->board = board;
    thread->log = log;
    thread->config = *config;
    thread->random.state = (uint64_t)aff_clock_now_us();
    (void)pthread_mutex_init(&thread->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&thread->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&thread->thread, NULL, run, thread);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0) {
        free(thread);
        return aff_error_set(reterr, AFF_IO, "cannot start the reader of the shop's tables: %s",
                             strerror(failure));
    }
    *ret_thread = thread;
    return AFF_OK;
}

void aff_source_configure(struct aff_source_thread *thread, const struct aff_config *config)
{
    if (thread == NULL || !is_mapped(config))
        return;
    (void)pthread_mutex_lock(&thread->lock);
    thread->next_config = *config;
    thread->has_config = true;
    (void)pthread_cond_signal(&thread->wake);
    (void)pthread_mutex_unlock(&thread->lock);
}

void aff_source_stop(struct aff_source_thread *thread)
{
    if (thread == NULL)
        return;
    (void)pthread_mutex_lock(&thread->lock);
    thread->must_stop = true;
    for (int i = 0; i < CONNECTIONS; i++)
        if (thread->cancels[i] != NULL)
            aff_cancel_send(thread->cancels[i]);
    (void)pthread_cond_signal(&thread->wake);
    (void)pthread_mutex_unlock(&thread->lock);
}

void aff_source_join(struct aff_source_thread *thread)
{
    if (thread == NULL)
        return;
    (void)pthread_join(thread->thread, NULL);
    (void)pthread_cond_destroy(&thread->wake);
    (void)pthread_mutex_destroy(&thread->lock);
    free(thread);
}
