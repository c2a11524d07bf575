/* SPDX-License-Identifier: Apache-2.0 */
#include "server/snapshots.h"

#include "config/traces.h"
#include "core/base/clock.h"
#include "core/index/snapshot.h"
#include "server/background.h"
#include "server/failure_log.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Versions of a store that its newest file has; by the place in aff_stores. */
struct saved {
    bool any;
    uint64_t version, generation, catalogue_version;
};

struct aff_snapshots {
    struct aff_background background;
    struct aff_stores *stores;
    struct aff_log *log;
    struct saved saved[AFF_STORES_MAX]; /* the thread's own, as the rest */
    struct aff_failure_log said;
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

    if (aff_snapshot_latest(config->snapshot_directory, &options, log_refused, snapshots->log, &model, &info,
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
    DIR *directory = opendir(config->snapshot_directory);

    if (directory == NULL) {
        aff_log(snapshots->log, AFF_LOG_ERROR, "snapshot",
                AFF_LOG_FIELDS({"directory", config->snapshot_directory, 0}),
                "snapshot.directory '%s' cannot be read: %s; make it and give it to the service's user",
                config->snapshot_directory, strerror(errno));
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char path[AFF_CONFIG_TEXT + sizeof entry->d_name];
        size_t size = strlen(entry->d_name);
        struct aff_snapshot_info info;
        if (size < sizeof ending || strcmp(entry->d_name + size - (sizeof ending - 1), ending) != 0)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", config->snapshot_directory, entry->d_name);
        if (aff_snapshot_inspect(path, &info, NULL) == AFF_OK && !known(snapshots, info.store))
            open_store(snapshots, info.store, config);
    }
    (void)closedir(directory);
}

/* ---- writing ---- */

static void log_failure(struct aff_snapshots *snapshots, const char *store, const struct aff_error *error)
{
    if (aff_failure_log_is_news(&snapshots->said, error))
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
        status = aff_snapshot_save(store->slot, snapshots->background.config.snapshot_directory, NULL, &info,
                                   &error);
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

static void *run(void *argument)
{
    struct aff_snapshots *snapshots = argument;
    const int64_t every_us = snapshots->background.config.snapshot_every_s * AFF_SECOND_US;

    aff_reader_enter();
    while (aff_background_wait(&snapshots->background, every_us))
        save_all(snapshots);
    save_all(snapshots);
    aff_reader_leave();
    return NULL;
}

/* ---- life ---- */

aff_status aff_snapshots_start(const struct aff_config *config, struct aff_stores *stores,
                               struct aff_log *log, struct aff_snapshots **ret_snapshots,
                               struct aff_error *reterr)
{
    if (config->snapshot_directory[0] == '\0')
        return AFF_OK;
    struct aff_snapshots *snapshots = calloc(1, sizeof *snapshots);
    if (snapshots == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    snapshots->stores = stores;
    snapshots->log = log;
    open_all(snapshots, config);
    aff_status status =
        aff_background_start(&snapshots->background, config, "snapshots", run, snapshots, reterr);
    if (status == AFF_OK)
        *ret_snapshots = snapshots;
    else
        free(snapshots);
    return status;
}

void aff_snapshots_stop(struct aff_snapshots *snapshots)
{
    if (snapshots != NULL)
        aff_background_stop(&snapshots->background);
}

void aff_snapshots_join(struct aff_snapshots *snapshots)
{
    if (snapshots == NULL)
        return;
    aff_background_join(&snapshots->background);
    free(snapshots);
}
