/* SPDX-License-Identifier: Apache-2.0 */
#include "server/viewed.h"

#include "config/traces.h"
#include "core/base/clock.h"
#include "core/index/update.h"
#include "server/background.h"
#include "server/failure_log.h"
#include "sql/load/model.h"
#include "sql/sessions/load_traces.h"
#include "sql/sessions/read_sessions.h"

#include <stdlib.h>

#define IDLE_US (5 * AFF_SECOND_US) /* between looks for a new configuration while it is switched off */
#define PATIENCE_MS 60000           /* a server that says nothing for so long is given up */

/* Sessions that are brought to the catalogue's rows under the publish lock at a time: some milliseconds. */
enum { SLICE = 20000 };

/* What was read last of a store; by the place in aff_stores. */
struct read_last {
    bool any;
    int64_t changes;
};

struct aff_viewed_thread {
    struct aff_background background;
    struct aff_stores *stores;
    struct aff_log *log;
    struct read_last last[AFF_STORES_MAX];
    struct aff_failure_log said;
};

static void log_failure(struct aff_viewed_thread *viewed, const char *store, const struct aff_error *error)
{
    if (aff_background_must_stop(&viewed->background) || !aff_failure_log_is_news(&viewed->said, error))
        return;
    aff_log(viewed->log, AFF_LOG_ERROR, "sessions",
            AFF_LOG_FIELDS({"store", store, 0}, {"sqlstate", error->sqlstate, 0}),
            "sessions are not read again: %s; those that were read before stay", error->text);
}

/* ---- one store ---- */

/* The model that a reading began with. */
struct target {
    struct aff_store *store;
    int64_t loaded_at_us;
    uint32_t n_products;
    struct aff_traces_bounds bounds;
    uint64_t bytes; /* that the sessions may take */
};

/* Adds the sessions from .. to - 1 with the rows of their products. False: all was loaded anew meanwhile, so
 * that rows are others. */
static bool add_slice(struct target *target, const struct aff_read_sessions *sessions, uint32_t from,
                      uint32_t to, uint32_t *rows, struct aff_sequences_builder *builder,
                      aff_status *ret_status)
{
    *ret_status = AFF_OK;
    (void)pthread_mutex_lock(&target->store->publish);
    const struct aff_model *model = aff_slot_model(target->store->slot);
    const bool same = model != NULL && model->loaded_at_us == target->loaded_at_us;
    for (uint32_t s = from; same && s < to && *ret_status == AFF_OK; s++) {
        uint32_t n = 0;
        for (uint32_t i = sessions->starts[s]; i < sessions->starts[s + 1]; i++) {
            const uint32_t row = aff_catalogue_find_key(model->catalogue, sessions->products[i]);
            if (row != AFF_NO_ROW)
                rows[n++] = row;
        }
        *ret_status = aff_sequences_builder_add(builder, rows, n, sessions->at_s[s]);
    }
    if (same)
        target->n_products = aff_catalogue_size(model->catalogue);
    (void)pthread_mutex_unlock(&target->store->publish);
    return same;
}

/* Most views of one session. */
static uint32_t longest(const struct aff_read_sessions *sessions)
{
    uint32_t most = 0;

    for (uint32_t s = 0; s < sessions->n; s++)
        if (sessions->starts[s + 1] - sessions->starts[s] > most)
            most = sessions->starts[s + 1] - sessions->starts[s];
    return most;
}

/* AFF_BUSY: all was loaded anew meanwhile. */
static aff_status build(struct target *target, const struct aff_read_sessions *sessions,
                        struct aff_traces *traces)
{
    struct aff_sequences_builder *builder = NULL;
    struct aff_sequences *read = NULL;
    uint32_t *rows = malloc(((size_t)longest(sessions) + 1) * sizeof *rows);
    aff_status status = rows == NULL ? AFF_NOMEM : aff_sequences_builder_new(&builder);

    for (uint32_t from = 0; from < sessions->n && status == AFF_OK; from += SLICE) {
        const uint32_t to = sessions->n - from < SLICE ? sessions->n : from + SLICE;
        if (!add_slice(target, sessions, from, to, rows, builder, &status))
            status = AFF_BUSY;
    }
    if (status == AFF_OK)
        status = aff_sequences_builder_finish(builder, target->n_products, target->bounds.holders, &read);
    aff_sequences_builder_free(builder);
    free(rows);
    return status == AFF_OK
               ? aff_traces_learn_views_within(traces, read, target->bounds.holders, target->bytes)
               : status;
}

/* Publishes what was made; takes ownership of the traces' parts. */
static aff_status publish(const struct target *target, struct aff_traces *traces)
{
    struct aff_update *update = NULL;
    aff_status status = AFF_BUSY;

    (void)pthread_mutex_lock(&target->store->publish);
    const struct aff_model *model = aff_slot_model(target->store->slot);
    if (model != NULL && model->loaded_at_us == target->loaded_at_us)
        status = aff_update_begin(target->store->slot, &update);
    if (status == AFF_OK)
        status = aff_update_sessions(update, traces);
    if (status == AFF_OK)
        aff_update_publish(update);
    else
        aff_update_drop(update);
    (void)pthread_mutex_unlock(&target->store->publish);
    return status;
}

/* What the sessions of a model take. */
static uint64_t sessions_bytes(const struct aff_model *model)
{
    const struct aff_traces_sizes sizes = aff_traces_sizes(model->traces);

    return sizes.alike + sizes.viewed;
}

/* False: there is no model, or its sessions are not wanted. */
static bool aim(const struct aff_viewed_thread *viewed, struct aff_store *store, struct target *ret)
{
    const uint64_t limit_bytes = (uint64_t)viewed->background.config.memory_limit_mb << 20;

    *ret = (struct target){
        .store = store, .bounds = aff_config_traces(&viewed->background.config), .bytes = UINT64_MAX};
    (void)pthread_mutex_lock(&store->publish);
    const struct aff_model *model = aff_slot_model(store->slot);
    if (model != NULL) {
        const uint64_t others = aff_model_bytes(model) - sessions_bytes(model);
        ret->loaded_at_us = model->loaded_at_us;
        if (limit_bytes > 0)
            ret->bytes = others < limit_bytes ? limit_bytes - others : 0;
    }
    (void)pthread_mutex_unlock(&store->publish);
    return model != NULL && ret->bounds.sessions > 0;
}

static aff_status renew(struct aff_viewed_thread *viewed, struct target *target, int number,
                        struct aff_error *reterr)
{
    const int64_t started_us = aff_clock_monotonic_us();
    struct aff_read_sessions sessions = {0};
    struct aff_traces traces = {0};
    aff_status status =
        aff_sessions_read(&viewed->background.connection, number, target->bounds.sessions, &sessions, reterr);

    if (status != AFF_OK || sessions.n == 0) {
        aff_read_sessions_done(&sessions);
        return status;
    }
    const uint32_t n = sessions.n;
    status = build(target, &sessions, &traces);
    aff_read_sessions_done(&sessions);
    if (status == AFF_OK)
        status = publish(target, &traces);
    aff_traces_drop_views(&traces);
    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    aff_log(viewed->log, AFF_LOG_INFO, "sessions_read",
            AFF_LOG_FIELDS({"store", target->store->name, 0}, {"sessions", NULL, n},
                           {"took_us", NULL, aff_clock_monotonic_us() - started_us}),
            "sessions of store %s were read again", target->store->name);
    return AFF_OK;
}

/* Reads a store's sessions if others were counted since. */
static aff_status look(struct aff_viewed_thread *viewed, struct aff_store *store, struct read_last *last,
                       struct aff_error *reterr)
{
    struct target target;
    char currency[4];
    int64_t changes = 0;
    int number = 0;

    if (!aim(viewed, store, &target))
        return AFF_OK;
    aff_status status =
        aff_store_find(&viewed->background.connection, store->name, &number, currency, reterr);
    if (status == AFF_NOTFOUND)
        return AFF_OK; /* it has gone, and is served as it was */
    if (status == AFF_OK)
        status = aff_sessions_changes(&viewed->background.connection, number, &changes, reterr);
    if (status != AFF_OK || changes == 0 || (last->any && last->changes == changes))
        return status;
    status = renew(viewed, &target, number, reterr);
    if (status == AFF_BUSY)
        return AFF_OK; /* the next turn has it */
    if (status == AFF_OK)
        *last = (struct read_last){true, changes};
    return status;
}

static void look_at_all(struct aff_viewed_thread *viewed)
{
    const size_t n = atomic_load_explicit(&viewed->stores->n, memory_order_acquire);
    struct aff_error error = {0};
    aff_status status =
        aff_background_connect(&viewed->background, "affinityd sessions", PATIENCE_MS, &error);

    if (status != AFF_OK)
        log_failure(viewed, "", &error);
    for (size_t i = 0; i < n && status == AFF_OK && !aff_background_must_stop(&viewed->background); i++) {
        struct aff_store *store = atomic_load_explicit(&viewed->stores->at[i], memory_order_relaxed);
        status = look(viewed, store, &viewed->last[i], &error);
        if (status != AFF_OK)
            log_failure(viewed, store->name, &error);
        if (aff_connection_good(&viewed->background.connection))
            status = AFF_OK;
    }
    if (status == AFF_OK)
        aff_failure_log_clear(&viewed->said);
    /* Minutes pass until the next turn. */
    aff_background_disconnect(&viewed->background);
}

/* ---- the thread ---- */

static int64_t pause_us(const struct aff_config *config)
{
    return config->database_sessions_s == 0 ? IDLE_US : config->database_sessions_s * AFF_SECOND_US;
}

static void *run(void *argument)
{
    struct aff_viewed_thread *viewed = argument;
    const struct aff_config *config = &viewed->background.config;

    while (aff_background_wait(&viewed->background, pause_us(config)))
        if (config->database_sessions_s > 0)
            look_at_all(viewed);
    return NULL;
}

aff_status aff_viewed_start(const struct aff_config *config, struct aff_stores *stores, struct aff_log *log,
                            struct aff_viewed_thread **ret_viewed, struct aff_error *reterr)
{
    struct aff_viewed_thread *viewed = calloc(1, sizeof *viewed);

    if (viewed == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    viewed->stores = stores;
    viewed->log = log;
    aff_status status = aff_background_start(&viewed->background, config, "sessions", run, viewed, reterr);
    if (status == AFF_OK)
        *ret_viewed = viewed;
    else
        free(viewed);
    return status;
}

void aff_viewed_configure(struct aff_viewed_thread *viewed, const struct aff_config *config)
{
    if (viewed != NULL)
        aff_background_configure(&viewed->background, config);
}

void aff_viewed_stop(struct aff_viewed_thread *viewed)
{
    if (viewed != NULL)
        aff_background_stop(&viewed->background);
}

void aff_viewed_join(struct aff_viewed_thread *viewed)
{
    if (viewed == NULL)
        return;
    aff_background_join(&viewed->background);
    free(viewed);
}
