/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learner_internal.h"

#include "config/rows.h"
#include "core/base/clock.h"
#include "server/loader.h"
#include "sql/load/model.h"
#include "sql/stores.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LIST_EVERY_US (5 * AFF_SECOND_US)
#define TRY_LEAD_US AFF_SECOND_US /* between attempts to lead a store that another leads */
#define TRIM_EVERY_US (10 * AFF_SECOND_US)
#define SCRATCH "verify-" /* stores of 'affinityctl verify', which folds them itself */
#define HOUR_US (3600 * AFF_SECOND_US)

enum { SWEEP_SLICE = 50, RETRY_MOST_S = 600, MANY_QUEUED = 1000 };

static void see(void *context, const struct aff_store_seen *seen)
{
    struct aff_learner *learner = context;
    const char *name = seen->name;

    for (size_t i = 0; i < learner->n_stores; i++)
        if (strcmp(learner->stores[i].name, name) == 0)
            return;
    if (learner->n_stores == AFF_LEARNED_STORES || strncmp(name, SCRATCH, strlen(SCRATCH)) == 0)
        return;
    struct aff_led_store *store = &learner->stores[learner->n_stores++];
    (void)snprintf(store->name, sizeof store->name, "%s", name);
}

aff_status aff_learner_list(struct aff_learner *learner, struct aff_error *reterr)
{
    int64_t now_us = aff_clock_monotonic_us();
    struct aff_learning_settings settings = {
        .name = learner->name,
        .rows = aff_config_rows(&learner->config),
        .limit_bytes = (uint64_t)learner->config.learn_memory_mb << 20,
        .viewed = {.wait_s = learner->config.learn_session_wait_s,
                   .window_us = learner->config.learn_session_days * AFF_DAY_US,
                   .rows = aff_config_viewed(&learner->config)}};

    if (learner->listed_us != 0 && now_us - learner->listed_us < LIST_EVERY_US)
        return AFF_OK;
    aff_status status = aff_stores_list(&learner->connection, see, learner, reterr);
    for (size_t i = 0; i < learner->n_stores && status == AFF_OK; i++) {
        struct aff_led_store *store = &learner->stores[i];
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

static void show(struct aff_learner *learner, const struct aff_led_store *store,
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
        shown->fold_took_us = report->fold_us;
    }
    if (report->publish_us > 0)
        shown->publish_took_us = report->publish_us;
    shown->rows += report->rows;
    shown->renewed += renewed;
    shown->sessions += report->sessions;
    shown->viewed_rows += report->viewed_rows;
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

static void tell_lead(struct aff_learner *learner, const struct aff_led_store *store,
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

static void start_rebuild(struct aff_learner *learner, struct aff_led_store *store, const char *reason)
{
    if (learner->rebuilding[0] != '\0' || aff_clock_monotonic_us() < store->rebuild_from_us)
        return;
    if (aff_learner_rebuild_start(learner->rebuild, &learner->config, store->name, reason))
        (void)snprintf(learner->rebuilding, sizeof learner->rebuilding, "%s", store->name);
}

/* One that failed is tried again later and later. */
void aff_learner_end_rebuild(struct aff_learner *learner)
{
    bool good = false;

    if (!aff_learner_rebuild_ended(learner->rebuild, &good))
        return;
    for (size_t i = 0; i < learner->n_stores; i++) {
        struct aff_led_store *store = &learner->stores[i];
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
static aff_status sweep(struct aff_learner *learner, struct aff_led_store *store,
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

static aff_status trim(struct aff_led_store *store, struct aff_error *reterr)
{
    int64_t now_us = aff_clock_monotonic_us();

    if (store->trim_us != 0 && now_us - store->trim_us < TRIM_EVERY_US)
        return AFF_OK;
    store->trim_us = now_us;
    return aff_learning_trim(store->learning, reterr);
}

static aff_status work(struct aff_learner *learner, struct aff_led_store *store,
                       struct aff_learning_report *report, struct aff_error *reterr)
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

/* Whether counting anew may mend it: the counts are not what they should be, by our own word (no SQLSTATE) or
 * by a rule of a table. A missing right or a statement that took too long would fail a rebuild as well. */
static bool is_of_counts(const struct aff_error *error)
{
    return error->status == AFF_DATA &&
           (error->sqlstate[0] == '\0' || memcmp(error->sqlstate, "22", 2) == 0 ||
            memcmp(error->sqlstate, "23", 2) == 0);
}

/* A failure that is the store's own: said, and tried again after a pause. */
static void store_failed(struct aff_learner *learner, struct aff_led_store *store,
                         const struct aff_error *error)
{
    store->next_us = aff_clock_monotonic_us() + aff_loader_pause_us(store->attempts++,
                                                                    learner->config.database_retry_max_s,
                                                                    aff_random_unit(&learner->random));
    show_failure(learner, store->name, error);
    if (aff_learner_is_news(store->logged, &store->logged_us, error->text))
        aff_log(learner->log, AFF_LOG_ERROR, "fold_failed",
                AFF_LOG_FIELDS({"store", store->name, 0}, {"sqlstate", error->sqlstate, 0}), "store %s: %s",
                store->name, error->text);
    if (is_of_counts(error))
        start_rebuild(learner, store, "its counts are not what they should be");
}

static bool is_of_connection(const struct aff_learner *learner, const struct aff_error *error)
{
    return !aff_connection_good(&learner->connection) || error->status == AFF_SCHEMA ||
           error->status == AFF_CANCELLED;
}

void aff_learner_drop_stores(struct aff_learner *learner)
{
    for (size_t i = 0; i < learner->n_stores; i++) {
        struct aff_led_store *store = &learner->stores[i];
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
    learner->listed_us = 0;
}

aff_status aff_learner_round(struct aff_learner *learner, bool *ret_behind, struct aff_error *reterr)
{
    aff_status status = aff_learner_list(learner, reterr);

    for (size_t i = 0; i < learner->n_stores && status == AFF_OK && !aff_learner_must_stop(learner); i++) {
        struct aff_led_store *store = &learner->stores[i];
        struct aff_learning_report report;
        struct aff_error error = {0};
        if (store->learning == NULL || aff_clock_monotonic_us() < store->next_us)
            continue;
        if (work(learner, store, &report, &error) == AFF_OK) {
            store->attempts = 0;
            store->logged[0] = '\0';
            *ret_behind = *ret_behind || report.queued >= MANY_QUEUED || report.sessions_wait;
            if (!store->leads)
                store->next_us = aff_clock_monotonic_us() + TRY_LEAD_US;
        } else if (is_of_connection(learner, &error)) {
            *reterr = error;
            status = error.status;
        } else if (error.status == AFF_NOTFOUND) {
            aff_learning_free(store->learning); /* it was removed; listing finds it if it comes back */
            store->learning = NULL;
            store->leads = false;
        } else if (!aff_learner_must_stop(learner))
            store_failed(learner, store, &error);
    }
    return status;
}
