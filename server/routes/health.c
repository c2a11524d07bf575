/* SPDX-License-Identifier: Apache-2.0 */
/* Is it alive, may it be sent requests, and how is it: for balancers, for people, and for monitoring. */
#include "core/base/clock.h"
#include "server/call.h"
#include "server/learner_board.h"
#include "server/present.h"
#include "server/present_events.h"
#include "server/present_tuner.h"
#include "server/routes/routes.h"

static const char *const database_states[] = {
    [AFF_DATABASE_CONNECTING] = "connecting",
    [AFF_DATABASE_OK] = "ok",
    [AFF_DATABASE_DOWN] = "down",
};

static void write_string(struct aff_json *json, const char *name, const char *value)
{
    aff_json_name(json, name);
    aff_json_string(json, value);
}

static void write_uint(struct aff_json *json, const char *name, uint64_t value)
{
    aff_json_name(json, name);
    aff_json_uint(json, value);
}

static bool usual_store_loaded(const struct aff_context *context)
{
    struct aff_store *store = aff_stores_find(context->shared->stores, aff_text_of(context->live.store));

    if (store == NULL)
        return false;
    bool loaded = aff_slot_acquire(store->slot) != NULL;
    aff_slot_release(store->slot);
    return loaded;
}

static void write_reason(struct aff_json *json, const char *code, const char *text)
{
    aff_json_open_object(json);
    write_string(json, "code", code);
    write_string(json, "text", text);
    aff_json_close_object(json);
}

/* Writes why the configured store has no model. */
static void write_missing(struct aff_json *json, const struct aff_context *context,
                          const struct aff_board_view *view)
{
    for (size_t i = 0; i < view->n_loads; i++) {
        if (view->loads[i].text[0] != '\0' && strcmp(view->loads[i].store, context->live.store) == 0) {
            write_reason(json, "load_failed", view->loads[i].text);
            return;
        }
    }
    if (view->database == AFF_DATABASE_DOWN)
        write_reason(json, "database", view->database_error);
    else
        write_reason(json, "loading", "the index is not loaded yet");
}

void aff_route_live(struct aff_call *call)
{
    aff_json_open_object(call->reply->body);
    write_string(call->reply->body, "status", "alive");
    aff_json_close_object(call->reply->body);
    call->reply->status = 200;
    call->reply->media = AFF_MEDIA_JSON;
}

void aff_route_ready(struct aff_call *call)
{
    struct aff_context *context = call->context;
    struct aff_json *json = call->reply->body;
    bool loaded = usual_store_loaded(context), draining = aff_board_draining(context->shared->board);
    struct aff_board_view view;

    aff_json_open_object(json);
    aff_json_name(json, "ready");
    aff_json_bool(json, loaded && !draining);
    aff_json_name(json, "reasons");
    aff_json_open_array(json);
    if (draining)
        write_reason(json, "draining", "the service is about to stop");
    if (!loaded) {
        aff_board_read(context->shared->board, &view);
        write_missing(json, context, &view);
    }
    aff_json_close_array(json);
    aff_json_close_object(json);
    call->reply->status = loaded && !draining ? 200 : 503;
    call->reply->media = AFF_MEDIA_JSON;
    if (!loaded || draining)
        call->reply->retry_after_s = 1;
}

static void write_database(struct aff_json *json, const struct aff_board_view *view)
{
    char seen[AFF_TIME_TEXT] = "";

    if (view->database_seen_us != 0)
        aff_time_format(view->database_seen_us, seen);
    aff_json_name(json, "database");
    aff_json_open_object(json);
    write_string(json, "state", database_states[view->database]);
    aff_json_name(json, "seen_at");
    aff_present_time(json, seen);
    aff_json_name(json, "error");
    aff_present_time(json, view->database_error);
    aff_json_close_object(json);
}

static void write_model(struct aff_call *call, struct aff_store *store, const struct aff_model *model)
{
    struct aff_json *json = call->reply->body;
    uint64_t together = 0, next = 0, viewed = 0;
    size_t counts;

    (void)aff_neighbours_bytes(model->together, &counts, &together);
    (void)aff_neighbours_bytes(model->next, &counts, &next);
    if (model->viewed != NULL)
        (void)aff_neighbours_bytes(model->viewed, &counts, &viewed);
    aff_json_name(json, "index");
    aff_present_index(json, model, aff_notes_of(&call->context->notes, model),
                      aff_store_age_s(store, aff_clock_now_us()));
    aff_json_name(json, "snapshot_at");
    char snapshot_at[AFF_TIME_TEXT] = "";
    if (model->snapshot_at_us != 0)
        aff_time_format(model->snapshot_at_us, snapshot_at);
    aff_present_time(json, snapshot_at);
    write_string(json, "currency", model->currency);
    write_uint(json, "orders", model->totals.orders);
    write_uint(json, "sessions", model->totals.sessions);
    write_uint(json, "products", aff_catalogue_size(model->catalogue));
    write_uint(json, "customers", aff_customers_size(model->customers));
    aff_json_name(json, "neighbours");
    aff_json_open_object(json);
    write_uint(json, "together", together);
    write_uint(json, "next", next);
    write_uint(json, "viewed", viewed);
    aff_json_close_object(json);
    write_uint(json, "memory_bytes", aff_model_bytes(model));
    aff_json_name(json, "fitted");
    aff_present_fitted(json, &model->fitted);
}

/* What is known of the changes that are not served yet. */
static void write_feed(struct aff_json *json, struct aff_store *store)
{
    struct aff_freshness *freshness = &store->freshness;
    char leader[AFF_ID_MAX + 1];

    (void)pthread_mutex_lock(&freshness->lock);
    memcpy(leader, freshness->leader, sizeof leader);
    (void)pthread_mutex_unlock(&freshness->lock);
    aff_json_name(json, "feed");
    aff_json_open_object(json);
    aff_json_name(json, "leader");
    aff_present_time(json, leader); /* null when empty */
    write_uint(json, "queued", atomic_load_explicit(&freshness->queued, memory_order_relaxed));
    aff_json_name(json, "order_lag_s");
    aff_json_double(json, (double)atomic_load_explicit(&freshness->lag_us, memory_order_relaxed) / 1e6);
    aff_json_close_object(json);
}

/* What this process's learner says of a store. False: it knows nothing of it. */
static bool read_learned(struct aff_learner_board *board, const char *name, struct aff_learned_store *ret)
{
    for (size_t at = 0; board != NULL && aff_learner_board_read(board, at, ret); at++)
        if (strcmp(ret->name, name) == 0)
            return true;
    return false;
}

static void write_learner(struct aff_json *json, struct aff_learner_board *board, const char *name)
{
    struct aff_learned_store learned;
    char folded_at[AFF_TIME_TEXT] = "";

    aff_json_name(json, "learner");
    if (!read_learned(board, name, &learned)) {
        aff_json_null(json);
        return;
    }
    if (learned.folded_us != 0)
        aff_time_format(learned.folded_us, folded_at);
    aff_json_open_object(json);
    aff_json_name(json, "leads");
    aff_json_bool(json, learned.leads);
    aff_json_name(json, "rebuilding");
    aff_json_bool(json, learned.rebuilding);
    write_uint(json, "queued", learned.leads ? learned.queued : 0);
    aff_json_name(json, "lag_s");
    aff_json_double(json, learned.leads ? aff_learned_lag_s(&learned, aff_clock_now_us()) : 0);
    aff_json_name(json, "folded_at");
    aff_present_time(json, folded_at);
    write_uint(json, "failures", learned.failures);
    aff_json_name(json, "error");
    aff_present_time(json, learned.error);
    aff_json_close_object(json);
}

static bool learner_is_well(struct aff_learner_board *board)
{
    struct aff_learned_store learned;

    for (size_t at = 0; board != NULL && aff_learner_board_read(board, at, &learned); at++)
        if (learned.error[0] != '\0')
            return false;
    return true;
}

static void write_stores(struct aff_call *call)
{
    const struct aff_stores *stores = call->context->shared->stores;
    size_t n = atomic_load_explicit(&stores->n, memory_order_acquire);
    struct aff_json *json = call->reply->body;

    aff_json_name(json, "stores");
    aff_json_open_array(json);
    for (size_t i = 0; i < n; i++) {
        struct aff_store *store = atomic_load_explicit(&stores->at[i], memory_order_relaxed);
        const struct aff_model *model = aff_slot_acquire(store->slot);
        aff_json_open_object(json);
        write_string(json, "store", store->name);
        aff_json_name(json, "loaded");
        aff_json_bool(json, model != NULL);
        if (model != NULL)
            write_model(call, store, model);
        write_feed(json, store);
        write_learner(json, call->context->shared->learner_board, store->name);
        aff_json_close_object(json);
        aff_slot_release(store->slot);
    }
    aff_json_close_array(json);
}

static void write_load_errors(struct aff_json *json, const struct aff_board_view *view)
{
    aff_json_name(json, "load_errors");
    aff_json_open_array(json);
    for (size_t i = 0; i < view->n_loads; i++) {
        if (view->loads[i].text[0] == '\0')
            continue;
        aff_json_open_object(json);
        write_string(json, "store", view->loads[i].store);
        write_string(json, "error", view->loads[i].text);
        aff_json_close_object(json);
    }
    aff_json_close_array(json);
}

void aff_route_health(struct aff_call *call)
{
    struct aff_context *context = call->context;
    struct aff_board *board = context->shared->board;
    struct aff_json *json = call->reply->body;
    bool loaded = usual_store_loaded(context);
    struct aff_board_view view;
    bool good;

    aff_board_read(board, &view);
    good = view.database == AFF_DATABASE_OK;
    for (size_t i = 0; i < view.n_loads; i++)
        good = good && view.loads[i].text[0] == '\0';
    good = good && aff_events_are_well(context->shared->events) &&
           learner_is_well(context->shared->learner_board);
    aff_json_open_object(json);
    write_string(json, "status", !loaded ? "unavailable" : good ? "ok" : "degraded");
    write_string(json, "version", AFF_VERSION);
    aff_json_name(json, "uptime_s");
    aff_json_int(json, (aff_clock_now_us() - board->started_us) / AFF_SECOND_US);
    aff_json_name(json, "draining");
    aff_json_bool(json, aff_board_draining(board));
    write_database(json, &view);
    write_stores(call);
    write_load_errors(json, &view);
    aff_present_events(json, context->shared->events);
    aff_json_close_object(json);
    call->reply->status = 200;
    call->reply->media = AFF_MEDIA_JSON;
}
