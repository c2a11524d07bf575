/* SPDX-License-Identifier: Apache-2.0 */
/* The service as a whole: owns everything, starts it in order and stops it in the reverse order. */
#pragma once

#include "config/config.h"
#include "core/base/status.h"
#include "core/index/model.h"

#include <stdbool.h>

struct aff_app;

struct aff_app_plan {
    const struct aff_config *config; /* copied */
    /* Reads the configuration anew for SIGHUP; NULL: there is nothing to read. */
    aff_status (*reload)(void *context, struct aff_config *ret_config, struct aff_error *reterr);
    void *reload_context;
    bool without_database; /* serves only what aff_app_publish() is given */
    int log_file;          /* descriptor of the log */
};

/* Opens the socket and starts all threads. On a failure nothing is left running. */
AFF_MUST_CHECK aff_status aff_app_start(const struct aff_app_plan *plan, struct aff_app **ret_app,
                                        struct aff_error *reterr);

/* Serves a model under its store's name, without a database. Takes ownership. From the thread that called
 * start, before run. */
AFF_MUST_CHECK aff_status aff_app_publish(struct aff_app *app, struct aff_model *model);

/* The port that it listens on. */
int aff_app_port(const struct aff_app *app);

/* Handles signals until the service has stopped: SIGTERM and SIGINT drain it (a second one ends the process
 * at once), SIGHUP reloads the configuration. */
void aff_app_run(struct aff_app *app);

/* Frees what is left; NULL is a no-op. The app must have run to its end or never have run. */
void aff_app_free(struct aff_app *app);
