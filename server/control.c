/* SPDX-License-Identifier: Apache-2.0 */
/* The main thread: signals, reload, and the way out. */
#include "server/app_internal.h"

#include <signal.h>
#include <string.h>

#define LOOK_MS 5 /* between looks at whether all connections have ended */

static int64_t now_ms(struct aff_app *app)
{
    return (int64_t)uv_now(&app->loop);
}

static void finish(struct aff_app *app)
{
    uint64_t open = atomic_load_explicit(&app->open, memory_order_relaxed);

    app->life = AFF_LIFE_STOPPED;
    if (open > 0)
        aff_log(&app->log, AFF_LOG_WARNING, "drain_timeout",
                AFF_LOG_FIELDS({"connections", NULL, (int64_t)open}),
                "connections are cut off: http.drain_timeout_s is over");
    aff_app_stop_threads(app);
    aff_log(&app->log, AFF_LOG_INFO, "stopped", NULL, "affinityd has stopped");
    uv_stop(&app->loop);
}

static void on_look(uv_timer_t *timer)
{
    struct aff_app *app = timer->data;
    bool quiesced = true;

    for (unsigned i = 0; i < app->n_workers; i++)
        quiesced = quiesced && aff_worker_is_quiesced(&app->workers[i]);
    bool empty = quiesced && atomic_load_explicit(&app->open, memory_order_relaxed) == 0;
    if (empty || now_ms(app) >= app->drained_by_ms)
        finish(app);
}

static void on_delay_over(uv_timer_t *timer)
{
    struct aff_app *app = timer->data;

    app->life = AFF_LIFE_DRAINING;
    app->drained_by_ms = now_ms(app) + app->config.http_drain_timeout_s * 1000;
    for (unsigned i = 0; i < app->n_workers; i++)
        aff_worker_quiesce(&app->workers[i]);
    (void)uv_timer_start(&app->timer, on_look, LOOK_MS, LOOK_MS);
}

static void on_terminate(uv_signal_t *handle, int number)
{
    struct aff_app *app = handle->data;

    if (app->life != AFF_LIFE_SERVING) {
        aff_log(&app->log, AFF_LOG_WARNING, "stopped", NULL, "a second signal ends affinityd at once");
        (void)signal(number, SIG_DFL);
        (void)raise(number);
    }
    app->life = AFF_LIFE_DELAY;
    atomic_store_explicit(&app->board.draining, true, memory_order_relaxed);
    aff_log(&app->log, AFF_LOG_INFO, "draining",
            AFF_LOG_FIELDS({"delay_ms", NULL, app->config.http_drain_delay_ms},
                           {"timeout_s", NULL, app->config.http_drain_timeout_s}),
            "affinityd is about to stop; open requests are answered first");
    if (app->loader != NULL)
        aff_loader_stop(app->loader);
    aff_source_stop(app->source);
    aff_tuner_stop(app->tuner);
    if (app->learner != NULL)
        aff_learner_stop(app->learner);
    (void)uv_timer_start(&app->timer, on_delay_over, (uint64_t)app->config.http_drain_delay_ms, 0);
}

/* Names the changed keys that only a restart takes over. */
static void warn_of_restart(struct aff_app *app, const struct aff_config *next)
{
    const struct aff_config *now = &app->config;
    const struct {
        const char *key;
        bool changed;
    } fixed[] = {
        {"http.address", strcmp(now->http_address, next->http_address) != 0},
        {"http.port", now->http_port != next->http_port},
        {"http.workers", now->http_workers != next->http_workers},
        {"events.sessions", now->events_sessions != next->events_sessions},
        {"spool.directory", strcmp(now->spool_directory, next->spool_directory) != 0},
        {"spool.limit_mb", now->spool_limit_mb != next->spool_limit_mb},
        {"write.threads", now->write_threads != next->write_threads},
        {"snapshot.directory", strcmp(now->snapshot_directory, next->snapshot_directory) != 0},
        {"snapshot.every_s", now->snapshot_every_s != next->snapshot_every_s},
    };

    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (fixed[i].changed)
            aff_log(&app->log, AFF_LOG_WARNING, "config", AFF_LOG_FIELDS({"key", fixed[i].key, 0}),
                    "%s has changed, which takes a restart", fixed[i].key);
}

static void take_over(struct aff_app *app, struct aff_config *next)
{
    struct aff_live live = aff_live_of(next);

    warn_of_restart(app, next);
    /* What a restart takes stays as it is, so that the next reload still sees the difference. */
    memcpy(next->http_address, app->config.http_address, sizeof next->http_address);
    next->http_port = app->config.http_port;
    next->http_workers = app->config.http_workers;
    memcpy(next->spool_directory, app->config.spool_directory, sizeof next->spool_directory);
    next->spool_limit_mb = app->config.spool_limit_mb;
    next->events_sessions = app->config.events_sessions;
    next->write_threads = app->config.write_threads;
    memcpy(next->snapshot_directory, app->config.snapshot_directory, sizeof next->snapshot_directory);
    next->snapshot_every_s = app->config.snapshot_every_s;
    app->config = *next;
    aff_log_set_level(&app->log, next->log_level);
    for (unsigned i = 0; i < app->n_workers; i++)
        aff_worker_set_live(&app->workers[i], &live);
    if (app->loader != NULL)
        aff_loader_configure(app->loader, next);
    if (app->events != NULL)
        aff_events_configure(app->events, next);
    if (app->writer != NULL)
        aff_writer_configure(app->writer, next);
    aff_source_configure(app->source, next);
    aff_viewed_configure(app->viewed, next);
    if (app->learner != NULL)
        aff_learner_configure(app->learner, next);
    if (app->tuner != NULL)
        aff_tuner_configure(app->tuner, next);
}

static void on_hangup(uv_signal_t *handle, int number)
{
    struct aff_app *app = handle->data;
    struct aff_config next;
    struct aff_error error;

    (void)number;
    if (app->reload == NULL || app->life != AFF_LIFE_SERVING)
        return;
    if (app->reload(app->reload_context, &next, &error) != AFF_OK) {
        aff_board_reloaded(&app->board, false);
        aff_log(&app->log, AFF_LOG_ERROR, "config", NULL, "%s; the configuration stays as it was",
                error.text);
        return;
    }
    take_over(app, &next);
    aff_board_reloaded(&app->board, true);
    aff_log(&app->log, AFF_LOG_INFO, "config", NULL, "the configuration has been read again");
}

static int watch(struct aff_app *app, uv_signal_t *handle, uv_signal_cb callback, int number)
{
    int failure = uv_signal_init(&app->loop, handle);

    handle->data = app;
    return failure != 0 ? failure : uv_signal_start(handle, callback, number);
}

aff_status aff_control_start(struct aff_app *app, struct aff_error *reterr)
{
    int failure = uv_loop_init(&app->loop);

    if (failure == 0) {
        app->has_loop = true;
        (void)uv_timer_init(&app->loop, &app->timer);
        app->timer.data = app;
        failure = watch(app, &app->terminate, on_terminate, SIGTERM);
    }
    if (failure == 0)
        failure = watch(app, &app->interrupt, on_terminate, SIGINT);
    if (failure == 0)
        failure = watch(app, &app->hangup, on_hangup, SIGHUP);
    if (failure != 0)
        return aff_error_set(reterr, AFF_IO, "cannot make the main loop: %s", uv_strerror(failure));
    return AFF_OK;
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void aff_control_done(struct aff_app *app)
{
    if (!app->has_loop)
        return;
    uv_walk(&app->loop, close_handle, NULL);
    (void)uv_run(&app->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&app->loop);
    app->has_loop = false;
}

void aff_app_run(struct aff_app *app)
{
    (void)uv_run(&app->loop, UV_RUN_DEFAULT);
}
