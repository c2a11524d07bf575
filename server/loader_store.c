/* SPDX-License-Identifier: Apache-2.0 */
#include "server/loader_store.h"

#include "config/traces.h"
#include "core/base/clock.h"
#include "core/index/model.h"
#include "core/index/update.h"
#include "server/loader.h"
#include "sql/follow/follow.h"
#include "sql/load/model.h"
#include "sql/sessions/fitted.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Lists by popularity take time in proportion to the catalogue, so they follow the counts at this distance.
 */
#define POPULARITY_EVERY_US (5 * AFF_SECOND_US)

/* Bytes that a load may take: old and new index of a store live side by side until the swap. */
static uint64_t bytes_left(const struct aff_following *following)
{
    const struct aff_stores *stores = following->stores;
    const uint64_t limit = (uint64_t)following->background->config.memory_limit_mb << 20;
    size_t n = atomic_load_explicit(&stores->n, memory_order_relaxed);
    uint64_t used = 0;

    for (size_t i = 0; i < n; i++) {
        struct aff_store *store = atomic_load_explicit(&stores->at[i], memory_order_relaxed);
        const struct aff_model *model = aff_slot_acquire(store->slot);
        if (model != NULL)
            used += aff_model_bytes(model);
        aff_slot_release(store->slot);
    }
    return used < limit ? limit - used : 1;
}

static void note(struct aff_store *store, const struct aff_store_seen *seen)
{
    struct aff_freshness *freshness = &store->freshness;

    atomic_store_explicit(&freshness->lag_us, (int64_t)(seen->lag_s * (double)AFF_SECOND_US),
                          memory_order_relaxed);
    atomic_store_explicit(&freshness->queued, seen->queued, memory_order_relaxed);
    (void)pthread_mutex_lock(&freshness->lock);
    memcpy(freshness->leader, seen->leader, sizeof freshness->leader);
    (void)pthread_mutex_unlock(&freshness->lock);
}

static void is_current(struct aff_store *store, int64_t at_us)
{
    atomic_store_explicit(&store->freshness.current_us, at_us, memory_order_relaxed);
}

static void count(_Atomic uint64_t *counter, uint64_t by)
{
    (void)atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

static void load_failed(struct aff_following *following, struct aff_followed *followed, bool served,
                        const struct aff_store_seen *seen, const struct aff_error *error)
{
    bool repeated = followed->failed && followed->failed_version == seen->published;

    followed->attempts = repeated ? followed->attempts + 1 : 0;
    followed->failed = true;
    followed->failed_version = seen->published;
    followed->next_try_us =
        aff_clock_monotonic_us() + aff_loader_pause_us(followed->attempts,
                                                       following->background->config.database_retry_max_s,
                                                       aff_random_unit(following->random));
    aff_board_load(following->board, seen->name, error, 0);
    if (!repeated)
        aff_log(following->log, AFF_LOG_ERROR, "load_failed", AFF_LOG_FIELDS({"store", seen->name, 0}),
                "store %s: %s%s", seen->name, error->text,
                served ? "; the index before it goes on being served" : "");
}

/* Told of a failure that ends the round: of the connection, or because the loader stops. */
static bool ends_round(const struct aff_following *following, aff_status status)
{
    return status == AFF_BACKEND || status == AFF_SCHEMA || status == AFF_CANCELLED ||
           aff_background_must_stop(following->background);
}

static void log_loaded(const struct aff_following *following, const struct aff_store_seen *seen,
                       const struct aff_model *model, int64_t took_us)
{
    aff_log(following->log, AFF_LOG_INFO, "loaded",
            AFF_LOG_FIELDS({"store", seen->name, 0}, {"version", NULL, (int64_t)model->version},
                           {"products", NULL, aff_catalogue_size(model->catalogue)},
                           {"customers", NULL, aff_customers_size(model->customers)},
                           {"orders", NULL, (int64_t)model->totals.orders},
                           {"memory_bytes", NULL, (int64_t)aff_model_bytes(model)},
                           {"took_us", NULL, took_us}),
            "store %s is loaded", seen->name);
}

/* Says once a load what did not find room. */
static void log_left_out(const struct aff_following *following, const struct aff_store_seen *seen,
                         const struct aff_model *model)
{
    const struct aff_traces *traces = model->traces;

    if (traces->sessions_left_out == 0 && !traces->baskets_left_out)
        return;
    aff_log(following->log, AFF_LOG_WARNING, "sessions_left_out",
            AFF_LOG_FIELDS({"store", seen->name, 0}, {"sessions", NULL, traces->sessions_left_out},
                           {"kept", NULL, traces->n_sessions}),
            "store %s: no memory for its %" PRIu32 " oldest sessions%s; raise memory.limit_mb or lower"
            " recommend.sessions",
            seen->name, traces->sessions_left_out,
            traces->baskets_left_out ? ", nor for the order in which baskets were filled" : "");
}

/* With the publisher's lock: replaces the whole model. */
static aff_status load(struct aff_following *following, struct aff_store *store,
                       struct aff_followed *followed, const struct aff_store_seen *seen,
                       struct aff_error *reterr)
{
    struct aff_model *model = NULL;
    int64_t started_us = aff_clock_monotonic_us(), at_us = aff_clock_now_us();
    const struct aff_load_bounds bounds = {.limit_bytes = bytes_left(following),
                                           .traces = aff_config_traces(&following->background->config)};
    aff_status status =
        aff_model_load(&following->background->connection, seen->name, &bounds, &model, reterr);

    if (status != AFF_OK || aff_background_must_stop(following->background)) {
        aff_model_free(model);
        if (status == AFF_OK || ends_round(following, status))
            return status == AFF_OK ? AFF_CANCELLED : status;
        load_failed(following, followed, aff_slot_model(store->slot) != NULL, seen, reterr);
        return AFF_OK;
    }
    int64_t took_us = aff_clock_monotonic_us() - started_us;
    log_loaded(following, seen, model, took_us);
    log_left_out(following, seen, model);
    aff_slot_publish(store->slot, model);
    is_current(store, at_us);
    *followed = (struct aff_followed){.popularity_us = aff_clock_monotonic_us()};
    count(&store->freshness.loads, 1);
    aff_board_load(following->board, seen->name, NULL, took_us);
    return AFF_OK;
}

/* With the publisher's lock: only lists by popularity. */
static void refresh_popularity(struct aff_store *store, struct aff_followed *followed)
{
    struct aff_update *update;

    if (aff_update_begin(store->slot, &update) != AFF_OK)
        return;
    if (aff_update_popularity(update) == AFF_OK) {
        aff_update_publish(update);
        followed->popularity_due = false;
    } else {
        aff_update_drop(update);
    }
    followed->popularity_us = aff_clock_monotonic_us();
}

/* With the publisher's lock: what changed since the model's versions. *ret_behind: all has to be loaded. */
static aff_status catch_up(struct aff_following *following, struct aff_store *store,
                           struct aff_followed *followed, const struct aff_store_seen *seen, bool *ret_behind,
                           struct aff_error *reterr)
{
    struct aff_follow_report report = {0};
    int64_t at_us = aff_clock_now_us();
    bool popularity = aff_clock_monotonic_us() - followed->popularity_us >= POPULARITY_EVERY_US;
    aff_status status =
        aff_follow(&following->background->connection, seen->store, store->slot, popularity, &report, reterr);

    if (status != AFF_OK)
        return status;
    *ret_behind = report.behind;
    if (report.behind)
        return AFF_OK;
    is_current(store, at_us);
    if (popularity)
        followed->popularity_us = aff_clock_monotonic_us();
    followed->popularity_due =
        popularity ? report.counts_changed : followed->popularity_due || report.counts_changed;
    count(&store->freshness.batches, 1);
    count(&store->freshness.rows, (uint64_t)report.products + report.rows + report.customers);
    return AFF_OK;
}

/* With the publisher's lock: the weights that hold now. */
static aff_status take_fitted(struct aff_following *following, struct aff_store *store,
                              const struct aff_store_seen *seen, struct aff_error *reterr)
{
    struct aff_fitted fitted;
    struct aff_update *update = NULL;
    uint64_t version = 0;
    aff_status status =
        aff_fitted_read(&following->background->connection, seen->store, &fitted, &version, reterr);

    if (status != AFF_OK)
        return status;
    status = aff_update_begin(store->slot, &update);
    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    aff_update_fitted(update, &fitted, version);
    aff_update_publish(update);
    aff_log(following->log, AFF_LOG_INFO, "weights",
            AFF_LOG_FIELDS({"store", seen->name, 0}, {"version", NULL, (int64_t)version}),
            "store %s is answered with other fitted weights", seen->name);
    return AFF_OK;
}

/* With the publisher's lock. */
static aff_status bring_up(struct aff_following *following, struct aff_store *store,
                           struct aff_followed *followed, const struct aff_store_seen *seen,
                           struct aff_error *reterr)
{
    const struct aff_model *model = aff_slot_model(store->slot);
    bool wanted = atomic_exchange_explicit(&store->wants_load, false, memory_order_relaxed);
    bool behind = model == NULL || wanted || model->generation != seen->generation;
    int64_t at_us = aff_clock_now_us();

    if (!behind && model->fitted_version != seen->fitted_version) {
        aff_status status = take_fitted(following, store, seen, reterr);
        if (status != AFF_OK && ends_round(following, status))
            return status;
        behind = status != AFF_OK; /* loading all tries it again, or says why not */
        model = aff_slot_model(store->slot);
    }

    if (!behind && model->version == seen->published && model->catalogue_version == seen->catalogue_version &&
        model->snapshot_at_us == 0) {
        is_current(store, at_us);
        if ((followed->popularity_due || aff_catalogue_has_unlisted(model->catalogue)) &&
            aff_clock_monotonic_us() - followed->popularity_us >= POPULARITY_EVERY_US)
            refresh_popularity(store, followed);
        return AFF_OK;
    }
    if (followed->failed && followed->failed_version == seen->published &&
        aff_clock_monotonic_us() < followed->next_try_us)
        return AFF_OK;
    if (!behind) {
        aff_status status = catch_up(following, store, followed, seen, &behind, reterr);
        if (status != AFF_OK && ends_round(following, status))
            return status;
        behind =
            behind || status != AFF_OK; /* what cannot be followed may still be loaded, or says why not */
    }
    if (!behind)
        return AFF_OK;
    return load(following, store, followed, seen, reterr);
}

aff_status aff_loader_follow(struct aff_following *following, struct aff_store *store,
                             struct aff_followed *followed, const struct aff_store_seen *seen,
                             struct aff_error *reterr)
{
    note(store, seen);
    (void)pthread_mutex_lock(&store->publish);
    aff_status status = bring_up(following, store, followed, seen, reterr);
    (void)pthread_mutex_unlock(&store->publish);
    return status;
}
