/* SPDX-License-Identifier: Apache-2.0 */
#include "server/snapshots.h"

#include "config/traces.h"
#include "core/base/clock.h"
#include "core/index/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REPEAT_LOG_US (60 * AFF_SECOND_US)

/* Versions of a store that its newest file has; by the place in aff_stores. */
struct saved {
    bool any;
    uint64_t version, generation, catalogue_version;
};

struct aff_snapshots {
    char directory[AFF_CONFIG_TEXT];
    int64_t every_us;
    struct aff_stores *stores;
    struct aff_log *log;
    pthread_t thread;
    pthread_mutex_t lock; /* of the next two */
    pthread_cond_t wake;
    bool must_stop;
    struct saved saved[AFF_STORES_MAX]; /* the thread's own, as the rest */
    char logged[512];
    int64_t logged_us;
};

/* ---- opening ---- */

static void log_refused(void *context, const char *path, const struct aff_error *error)
{
    aff_log(context, AFF_LOG_WARNING, "snapshot_refused", AFF_LOG_FIELDS({"file", path, 0}), "%s",
            error->text);
}

static void publish(struct aff_snapshots *snapshots, struct aff_model *model,
                    const struct aff_snapshot_info *info)
{
    struct aff_store *store;
    size_t place = 0;

    if (aff_stores_add(snapshots->stores, aff_text_of(model->store), &store) != AFF_OK) {
        aff_model_free(model);
        return;
    }
    while (atomic_load_explicit(&snapshots->stores->at[place], memory_order_relaxed) != store)
        place++;
    snapshots->saved[place] = (struct saved){true, info->version, info->generation, info->catalogue_version};
    atomic_store_explicit(&store->freshness.current_us, info->written_at_us, memory_order_relaxed);
    aff_log(snapshots->log, AFF_LOG_INFO, "snapshot_opened",
            AFF_LOG_FIELDS({"store", info->store, 0}, {"version", NULL, (int64_t)info->version},
                           {"products", NULL, info->products}, {"bytes", NULL, (int64_t)info->file_bytes},
                           {"age_s", NULL, (aff_clock_now_us() - info->written_at_us) / AFF_SECOND_US}),
            "store %s is served from a snapshot until the database answers", info->store);
    aff_slot_publish(store->slot, model);
}

static void open_store(struct aff_snapshots *snapshots, const char *store, const struct aff_config *config)
{
    const struct aff_snapshot_options options = {
        .store = aff_text_of(store), .memory_limit_bytes = (uint64_t)config->memory_limit_mb << 20};
    const struct aff_traces_bounds bounds = aff_config_traces(config);
    struct aff_snapshot_info info;
    struct aff_model *model = NULL;
    struct aff_error error = {0};

    if (aff_snapshot_latest(snapshots->directory, &options, log_refused, snapshots->log, &model, &info,
                            &error) != AFF_OK) {
        aff_log(snapshots->log, AFF_LOG_ERROR, "snapshot", AFF_LOG_FIELDS({"store", store, 0}), "%s",
                error.text);
        return;
    }
    if (model->traces != NULL)
        aff_traces_restrict(model->traces, &bounds);
    publish(snapshots, model, &info);
}

static bool known(const struct aff_snapshots *snapshots, const char *store)
{
    return aff_stores_find(snapshots->stores, aff_text_of(store)) != NULL;
}

/* Files name their stores in their heads; one that is damaged there says nothing, and another file of its
 * store may. */
static void open_all(struct aff_snapshots *snapshots, const struct aff_config *config)
{
    static const char ending[] = ".snapshot";
    DIR *directory = opendir(snapshots->directory);

    if (directory == NULL) {
        aff_log(snapshots->log, AFF_LOG_ERROR, "snapshot",
                AFF_LOG_FIELDS({"directory", snapshots->directory, 0}),
                "snapshot.directory '%s' cannot be read: %s; make it and give it to the service's user",
                snapshots->directory, strerror(errno));
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char path[AFF_CONFIG_TEXT + sizeof entry->d_name];
        size_t size = strlen(entry->d_name);
        struct aff_snapshot_info info;
        if (size < sizeof ending || strcmp(entry->d_name + size - (sizeof ending - 1), ending) != 0)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", snapshots->directory, entry->d_name);
        if (aff_snapshot_inspect(path, &info, NULL) == AFF_OK && !known(snapshots, info.store))
            open_store(snapshots, info.store, config);
    }
    (void)closedir(directory);
}

/* ---- writing ---- */

static void log_failure(struct aff_snapshots *snapshots, const char *store, const struct aff_error *error)
{
    int64_t now_us = aff_clock_monotonic_us();

    if (strcmp(snapshots->logged, error->text) == 0 && now_us - snapshots->logged_us < REPEAT_LOG_US)
        return;
    memcpy(snapshots->logged, error->text, sizeof snapshots->logged);
    snapshots->logged_us = now_us;
    aff_log(snapshots->log, AFF_LOG_ERROR, "snapshot", AFF_LOG_FIELDS({"store", store, 0}), "%s",
            error->text);
}

/* Whether the model is newer than its file. */
static bool is_newer(const struct aff_store *store, const struct saved *saved)
{
    const struct aff_model *model = aff_slot_acquire(store->slot);
    bool newer = model != NULL &&
                 (!saved->any || model->version != saved->version || model->generation != saved->generation ||
                  model->catalogue_version != saved->catalogue_version);

    aff_slot_release(store->slot);
    return newer;
}

static void save_store(struct aff_snapshots *snapshots, const struct aff_store *store, struct saved *saved)
{
    struct aff_snapshot_info info;
    struct aff_error error = {0};
    int64_t started_us = aff_clock_monotonic_us();
    aff_status status = AFF_BUSY;

    /* Busy means that all was loaded anew meanwhile. */
    for (int attempt = 0; attempt < 3 && status == AFF_BUSY; attempt++)
        status = aff_snapshot_save(store->slot, snapshots->directory, NULL, &info, &error);
    if (status != AFF_OK) {
        log_failure(snapshots, store->name, &error);
        return;
    }
    *saved = (struct saved){true, info.version, info.generation, info.catalogue_version};
    aff_log(snapshots->log, AFF_LOG_INFO, "snapshot_saved",
            AFF_LOG_FIELDS({"store", store->name, 0}, {"version", NULL, (int64_t)info.version},
                           {"bytes", NULL, (int64_t)info.file_bytes},
                           {"took_us", NULL, aff_clock_monotonic_us() - started_us}),
            "store %s is saved", store->name);
}

static void save_all(struct aff_snapshots *snapshots)
{
    size_t n = atomic_load_explicit(&snapshots->stores->n, memory_order_acquire);

    for (size_t i = 0; i < n; i++) {
        const struct aff_store *store = atomic_load_explicit(&snapshots->stores->at[i], memory_order_relaxed);
        if (is_newer(store, &snapshots->saved[i]))
            save_store(snapshots, store, &snapshots->saved[i]);
    }
}

/* False: the thread must end. */
static bool wait_for_turn(struct aff_snapshots *snapshots)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += snapshots->every_us / AFF_SECOND_US;
    (void)pthread_mutex_lock(&snapshots->lock);
    while (!snapshots->must_stop)
        if (pthread_cond_timedwait(&snapshots->wake, &snapshots->lock, &until) != 0)
            break;
    bool go_on = !snapshots->must_stop;
    (void)pthread_mutex_unlock(&snapshots->lock);
    return go_on;
}

static void *run(void *argument)
{
    struct aff_snapshots *snapshots = argument;

    (void)pthread_setname_np(pthread_self(), "snapshots");
    aff_reader_enter();
    while (wait_for_turn(snapshots))
        save_all(snapshots);
    save_all(snapshots);
    aff_reader_leave();
    return NULL;
}

/* ---- life ---- */

static aff_status start_thread(struct aff_snapshots *snapshots, struct aff_error *reterr)
{
    pthread_condattr_t attributes;
    sigset_t all, before;

    (void)pthread_mutex_init(&snapshots->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&snapshots->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&snapshots->thread, NULL, run, snapshots);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure == 0)
        return AFF_OK;
    (void)pthread_cond_destroy(&snapshots->wake);
    (void)pthread_mutex_destroy(&snapshots->lock);
    return aff_error_set(reterr, AFF_IO, "cannot start the thread of snapshots: %s", strerror(failure));
}

aff_status aff_snapshots_start(const struct aff_config *config, struct aff_stores *stores,
                               struct aff_log *log, struct aff_snapshots **ret_snapshots,
                               struct aff_error *reterr)
{
    if (config->snapshot_directory[0] == '\0')
        return AFF_OK;
    struct aff_snapshots *snapshots = calloc(1, sizeof *snapshots);
    if (snapshots == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    memcpy(snapshots->directory, config->snapshot_directory, sizeof snapshots->directory);
    snapshots->every_us = config->snapshot_every_s * AFF_SECOND_US;
    snapshots->stores = stores;
    snapshots->log = log;
    open_all(snapshots, config);
    aff_status status = start_thread(snapshots, reterr);
    if (status != AFF_OK) {
        free(snapshots);
        return status;
    }
    *ret_snapshots = snapshots;
    return AFF_OK;
}

void aff_snapshots_stop(struct aff_snapshots *snapshots)
{
    if (snapshots == NULL)
        return;
    (void)pthread_mutex_lock(&snapshots->lock);
    snapshots->must_stop = true;
    (void)pthread_cond_signal(&snapshots->wake);
    (void)pthread_mutex_unlock(&snapshots->lock);
}

void aff_snapshots_join(struct aff_snapshots *snapshots)
{
    if (snapshots == NULL)
        return;
    (void)pthread_join(snapshots->thread, NULL);
    (void)pthread_cond_destroy(&snapshots->wake);
    (void)pthread_mutex_destroy(&snapshots->lock);
    free(snapshots);
}
