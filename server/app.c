/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app.h"

#include "server/app_internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Connections of one worker beyond the limit of all, so that those too many can be told 503 instead of
 * waiting in the kernel for ever. */
#define SPARE_CONNECTIONS 1024
#define OTHER_FILES 64 /* descriptors that are no connections */

static unsigned count_workers(const struct aff_config *config)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (config->http_workers > 0)
        return (unsigned)config->http_workers;
    return processors < 1 ? 1 : processors > 256 ? 256 : (unsigned)processors;
}

/* Each connection is a descriptor. */
static void raise_file_limit(struct aff_app *app)
{
    struct rlimit files;
    rlim_t wanted = (rlim_t)app->config.http_connections + SPARE_CONNECTIONS + OTHER_FILES;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted)
        return;
    files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur < wanted)
        aff_log(&app->log, AFF_LOG_WARNING, "file_limit",
                AFF_LOG_FIELDS({"limit", NULL, (int64_t)files.rlim_cur}),
                "the limit of open files is too low for http.connections = %lld; raise it (ulimit -n, "
                "LimitNOFILE)",
                (long long)app->config.http_connections);
}

static aff_status start_workers(struct aff_app *app, struct aff_error *reterr)
{
    struct aff_live live = aff_live_of(&app->config);
    unsigned wanted = count_workers(&app->config);

    app->workers = calloc(wanted, sizeof *app->workers);
    app->counters = aligned_alloc(_Alignof(struct aff_counters), wanted * sizeof *app->counters);
    if (app->workers == NULL || app->counters == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    memset(app->counters, 0, wanted * sizeof *app->counters);
    app->shared = (struct aff_shared){
        .stores = &app->stores,
        .board = &app->board,
        .learner_board = &app->learner_board,
        .log = &app->log,
        .counters = app->counters,
        .n_counters = wanted,
        .memory = &app->memory,
        .events = app->events,
        .writer = app->writer,
        .waiting = &app->waiting,
    };
    while (app->n_workers < wanted) {
        struct aff_worker_plan plan = {
            .shared = &app->shared,
            .counters = &app->counters[app->n_workers],
            .live = &live,
            .open = &app->open,
            .listener = app->listener.fd,
            .number = app->n_workers,
            .connections = (unsigned)app->config.http_connections + SPARE_CONNECTIONS,
            .idle_timeout_s = (unsigned)app->config.http_idle_timeout_s,
        };
        aff_status status = aff_worker_start(&app->workers[app->n_workers], &plan, reterr);
        if (status != AFF_OK)
            return status;
        app->n_workers++;
    }
    return AFF_OK;
}

/* The workers hold the socket by their duplicates from here on; closing ours now lets the last of them empty
 * the backlog right before the socket goes. */
static void announce(struct aff_app *app)
{
    aff_log(&app->log, AFF_LOG_INFO, "listening",
            AFF_LOG_FIELDS({"address", app->listener.inherited ? "inherited" : app->config.http_address, 0},
                           {"port", NULL, app->listener.port}, {"workers", NULL, app->n_workers},
                           {"pid", NULL, (int64_t)getpid()}),
            "affinityd %s answers on port %d", AFF_VERSION, app->listener.port);
    aff_listener_close(&app->listener);
}

static aff_status start_all(struct aff_app *app, struct aff_error *reterr)
{
    raise_file_limit(app);
    aff_status status =
        aff_listener_open(app->config.http_address, (int)app->config.http_port, &app->listener, reterr);
    if (status == AFF_OK)
        app->port = app->listener.port;
    if (status == AFF_OK)
        status = aff_control_start(app, reterr);
    if (status == AFF_OK && !app->without_database)
        status = aff_snapshots_start(&app->config, &app->stores, &app->log, &app->snapshots, reterr);
    if (status == AFF_OK && aff_memory_init(&app->memory, (size_t)app->config.events_sessions) != AFF_OK)
        status = aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    if (status == AFF_OK && !app->without_database)
        status = aff_events_start(&app->config, &app->memory, &app->log, &app->events, reterr);
    if (status == AFF_OK && !app->without_database)
        status = aff_writer_start(&app->config, &app->stores, &app->board, &app->log, &app->writer, reterr);
    if (status == AFF_OK)
        status = start_workers(app, reterr);
    if (status == AFF_OK && !app->without_database)
        status = aff_loader_start(&app->config, &app->stores, &app->board, &app->log, &app->loader, reterr);
    if (status == AFF_OK && !app->without_database)
        status = aff_source_start(&app->config, &app->board, &app->log, &app->source, reterr);
    if (status == AFF_OK && !app->without_database)
        status = aff_learner_start(&app->config, &app->learner_board, &app->log, &app->learner, reterr);
    if (status == AFF_OK && !app->without_database)
        status = aff_tuner_start(&app->config, &app->learner_board, &app->log, &app->tuner, reterr);
    if (status == AFF_OK && !app->without_database)
        status = aff_viewed_start(&app->config, &app->stores, &app->log, &app->viewed, reterr);
    return status;
}

aff_status aff_app_start(const struct aff_app_plan *plan, struct aff_app **ret_app, struct aff_error *reterr)
{
    struct aff_app *app = calloc(1, sizeof *app);

    if (app == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    app->config = *plan->config;
    app->reload = plan->reload;
    app->reload_context = plan->reload_context;
    app->without_database = plan->without_database;
    app->listener.fd = -1;
    aff_log_init(&app->log, plan->log_file);
    aff_log_set_level(&app->log, app->config.log_level);
    aff_board_init(&app->board);
    aff_stores_init(&app->stores);
    (void)signal(SIGPIPE, SIG_IGN);
    aff_status status = aff_learner_board_init(&app->learner_board);
    if (status != AFF_OK)
        (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
    else
        status = start_all(app, reterr);
    if (status != AFF_OK) {
        aff_app_free(app);
        return status;
    }
    announce(app);
    *ret_app = app;
    return AFF_OK;
}

aff_status aff_app_publish(struct aff_app *app, struct aff_model *model)
{
    struct aff_store *store;
    aff_status status = aff_stores_add(&app->stores, aff_text_of(model->store), &store);

    if (status != AFF_OK) {
        aff_model_free(model);
        return status;
    }
    aff_slot_publish(store->slot, model);
    return AFF_OK;
}

int aff_app_port(const struct aff_app *app)
{
    return app->port;
}

void aff_app_stop_threads(struct aff_app *app)
{
    if (app->loader != NULL)
        aff_loader_stop(app->loader);
    if (app->writer != NULL)
        aff_writer_stop(app->writer);
    aff_source_stop(app->source);
    aff_tuner_stop(app->tuner);
    aff_viewed_stop(app->viewed);
    if (app->learner != NULL)
        aff_learner_stop(app->learner);
    for (unsigned i = 0; i < app->n_workers; i++)
        aff_worker_stop(&app->workers[i]);
    for (unsigned i = 0; i < app->n_workers; i++)
        aff_worker_join(&app->workers[i]);
    app->n_workers = 0;
    if (app->events != NULL)
        aff_events_stop(app->events);
    aff_events_join(app->events);
    app->events = NULL;
    app->shared.events = NULL;
    aff_writer_join(app->writer);
    app->writer = NULL;
    app->shared.writer = NULL;
    aff_loader_join(app->loader);
    app->loader = NULL;
    aff_source_join(app->source);
    app->source = NULL;
    aff_viewed_join(app->viewed);
    app->viewed = NULL;
    /* The last file has what the loader published last. */
    aff_snapshots_stop(app->snapshots);
    aff_snapshots_join(app->snapshots);
    app->snapshots = NULL;
    aff_tuner_join(app->tuner);
    app->tuner = NULL;
    aff_learner_join(app->learner);
    app->learner = NULL;
}

void aff_app_free(struct aff_app *app)
{
    if (app == NULL)
        return;
    aff_app_stop_threads(app);
    aff_control_done(app);
    aff_memory_done(&app->memory);
    aff_listener_close(&app->listener);
    aff_stores_done(&app->stores);
    aff_board_done(&app->board);
    aff_learner_board_done(&app->learner_board);
    free(app->workers);
    free(app->counters);
    free(app);
}
