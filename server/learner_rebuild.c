/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learner_rebuild.h"

#include "config/rows.h"
#include "sql/rebuild.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct aff_learner_rebuild {
    struct aff_learner_board *board;
    struct aff_log *log;
    atomic_bool cancel, ended;

    /* Of the learner's thread while no rebuild runs, of the rebuild's own thread while it does. */
    bool running, good;
    pthread_t thread;
    struct aff_config config;
    char store_name[AFF_ID_MAX + 1];
};

struct aff_learner_rebuild *aff_learner_rebuild_new(struct aff_learner_board *board, struct aff_log *log)
{
    struct aff_learner_rebuild *rebuild = calloc(1, sizeof *rebuild);

    if (rebuild == NULL)
        return NULL;
    rebuild->board = board;
    rebuild->log = log;
    return rebuild;
}

static void note(struct aff_learner_rebuild *rebuild, bool rebuilding, bool good)
{
    struct aff_learned_store *store = aff_learner_board_lock(rebuild->board, rebuild->store_name);

    if (store == NULL)
        return;
    store->rebuilding = rebuilding;
    store->rebuilds += good;
    aff_learner_board_unlock(rebuild->board);
}

static bool go_on(void *context, const char *phase, const char *unit, uint64_t done, uint64_t total)
{
    struct aff_learner_rebuild *rebuild = context;

    (void)phase;
    (void)unit;
    (void)done;
    (void)total;
    return !atomic_load_explicit(&rebuild->cancel, memory_order_relaxed);
}

static void tell(struct aff_learner_rebuild *rebuild, aff_status status,
                 const struct aff_rebuild_report *report, const struct aff_error *error)
{
    if (status == AFF_OK)
        aff_log(rebuild->log, AFF_LOG_INFO, "rebuilt",
                AFF_LOG_FIELDS({"store", rebuild->store_name, 0}, {"orders", NULL, (int64_t)report->orders},
                               {"version", NULL, (int64_t)report->version}),
                "store %s was counted anew", rebuild->store_name);
    else if (status == AFF_BUSY || status == AFF_CANCELLED)
        aff_log(rebuild->log, AFF_LOG_INFO, "rebuild_ended",
                AFF_LOG_FIELDS({"store", rebuild->store_name, 0}), "store %s was not counted anew: %s",
                rebuild->store_name, error->text);
    else
        aff_log(rebuild->log, AFF_LOG_ERROR, "rebuild_failed",
                AFF_LOG_FIELDS({"store", rebuild->store_name, 0}, {"sqlstate", error->sqlstate, 0}),
                "store %s could not be counted anew: %s; the tables are as they were", rebuild->store_name,
                error->text);
}

static void *run(void *argument)
{
    struct aff_learner_rebuild *rebuild = argument;
    const struct aff_config *config = &rebuild->config;
    struct aff_rebuild_settings settings = {.baskets = aff_config_baskets(config),
                                            .rows = aff_config_rows(config),
                                            .floors_name = config->learn_floors,
                                            .n_threads = (int)config->learn_threads,
                                            .session_window_us = config->learn_session_days * AFF_DAY_US};
    struct aff_rebuild_progress progress = {go_on, rebuild};
    struct aff_rebuild_report report = {0};
    struct aff_error error = {0};

    (void)pthread_setname_np(pthread_self(), "rebuild");
    note(rebuild, true, false);
    aff_status status =
        aff_rebuild(config->database_url, (int)config->database_connect_timeout_s, "affinityd rebuild",
                    rebuild->store_name, &settings, &progress, &report, &error);
    note(rebuild, false, status == AFF_OK);
    tell(rebuild, status, &report, &error);
    rebuild->good = status == AFF_OK;
    atomic_store_explicit(&rebuild->ended, true, memory_order_release);
    return NULL;
}

bool aff_learner_rebuild_start(struct aff_learner_rebuild *rebuild, const struct aff_config *config,
                               const char *store_name, const char *reason)
{
    sigset_t all, before;

    if (rebuild->running || atomic_load_explicit(&rebuild->cancel, memory_order_relaxed))
        return false;
    rebuild->config = *config;
    (void)snprintf(rebuild->store_name, sizeof rebuild->store_name, "%s", store_name);
    atomic_store_explicit(&rebuild->ended, false, memory_order_relaxed);
    aff_log(rebuild->log, AFF_LOG_INFO, "rebuild", AFF_LOG_FIELDS({"store", store_name, 0}),
            "store %s is counted anew: %s", store_name, reason);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    rebuild->running = pthread_create(&rebuild->thread, NULL, run, rebuild) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rebuild->running;
}

bool aff_learner_rebuild_ended(struct aff_learner_rebuild *rebuild, bool *ret_good)
{
    if (!rebuild->running || !atomic_load_explicit(&rebuild->ended, memory_order_acquire))
        return false;
    (void)pthread_join(rebuild->thread, NULL);
    rebuild->running = false;
    *ret_good = rebuild->good;
    return true;
}

void aff_learner_rebuild_cancel(struct aff_learner_rebuild *rebuild)
{
    atomic_store_explicit(&rebuild->cancel, true, memory_order_relaxed);
}

void aff_learner_rebuild_free(struct aff_learner_rebuild *rebuild)
{
    if (rebuild == NULL)
        return;
    aff_learner_rebuild_cancel(rebuild);
    if (rebuild->running)
        (void)pthread_join(rebuild->thread, NULL);
    free(rebuild);
}
