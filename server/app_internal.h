/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the app, shared by the file that starts it and the one that controls it. */
#pragma once

#include "server/app.h"
#include "server/events.h"
#include "server/learner.h"
#include "server/listener.h"
#include "server/loader.h"
#include "server/memory.h"
#include "server/snapshots.h"
#include "server/source.h"
#include "server/tuner.h"
#include "server/viewed.h"
#include "server/worker.h"
#include "server/writer.h"

#include <uv.h>

enum aff_life {
    AFF_LIFE_SERVING,
    AFF_LIFE_DELAY,    /* readiness says no, everything is answered as before */
    AFF_LIFE_DRAINING, /* no new connections; open ones end with their next answer */
    AFF_LIFE_STOPPED,
};

struct aff_app {
    struct aff_config config;
    aff_status (*reload)(void *context, struct aff_config *ret_config, struct aff_error *reterr);
    void *reload_context;
    bool without_database;
    struct aff_log log;
    struct aff_board board;
    struct aff_stores stores;
    struct aff_listener listener;
    int port;
    struct aff_loader *loader;
    struct aff_snapshots *snapshots; /* NULL: none are kept */
    struct aff_memory memory;
    struct aff_events *events;
    struct aff_writer *writer;
    struct aff_source_thread *source; /* NULL: no tables of the shop are mapped */
    struct aff_learner *learner;
    struct aff_viewed_thread *viewed;
    struct aff_learner_board learner_board;
    struct aff_tuner *tuner;
    struct aff_worker *workers;
    unsigned n_workers;
    struct aff_counters *counters;
    struct aff_shared shared;
    _Atomic uint64_t open;    /* connections of all workers */
    _Atomic uint64_t waiting; /* requests of all workers that wait for another thread */

    /* Of the main thread's loop. */
    uv_loop_t loop;
    bool has_loop;
    uv_signal_t terminate, interrupt, hangup;
    uv_timer_t timer;
    enum aff_life life;
    int64_t drained_by_ms; /* loop time at which open requests are given up */
};

/* Makes the main thread's loop with its signal handlers. */
AFF_MUST_CHECK aff_status aff_control_start(struct aff_app *app, struct aff_error *reterr);
void aff_control_done(struct aff_app *app);

/* Stops workers and loader and waits for them. */
void aff_app_stop_threads(struct aff_app *app);
