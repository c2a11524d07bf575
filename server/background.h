/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that works beside the requests, mostly in the database: it waits for its next turn, is told of
 * news by the main thread, and is stopped whatever it is doing. Each such thread holds one of these and adds
 * what it does; `run` is a loop over aff_background_wait(). */
#pragma once

#include "config/config.h"
#include "core/base/status.h"
#include "sql/cancel.h"
#include "sql/connection.h"

#include <pthread.h>

/* Connections of one thread that a stop ends: `connection`, and one that it opened otherwise. */
enum { AFF_BACKGROUND_CONNECTIONS = 2 };

/* Zero before the start, but for `listens`. */
struct aff_background {
    pthread_t thread;
    int wake_fd;          /* eventfd: there is news from another thread */
    pthread_mutex_t lock; /* of the next four */
    struct aff_config next_config;
    bool has_config, must_stop;
    struct aff_cancel *cancels[AFF_BACKGROUND_CONNECTIONS]; /* NULL: not open */

    /* The thread's own. */
    struct aff_config config;
    bool reconfigured; /* the wait that ended last has taken over a new `config` */
    bool listens;      /* a wait ends with a notification on `connection`, too */
    struct aff_connection connection;
};

/* Starts the thread, with a copy of the configuration (server/thread.h says how). On a failure nothing is
 * left to clean up. */
AFF_MUST_CHECK aff_status aff_background_start(struct aff_background *background,
                                               const struct aff_config *config, const char *name,
                                               void *(*run)(void *argument), void *argument,
                                               struct aff_error *reterr);

/* ---- by any thread ---- */

/* Lets the thread take over this configuration when it waits next; a wait ends at once. */
void aff_background_configure(struct aff_background *background, const struct aff_config *config);

/* Tells the thread to end, breaking off what it is doing in the database. */
void aff_background_stop(struct aff_background *background);

/* Waits for the thread, which has closed what it opened, and lets go of the rest. Once after each start. */
void aff_background_join(struct aff_background *background);

bool aff_background_must_stop(struct aff_background *background);

/* ---- by the thread itself ---- */

/* Waits for news, at most `pause_us`, and takes a new configuration over; false: the thread must end. */
bool aff_background_wait(struct aff_background *background, int64_t pause_us);

/* Opens `connection` to database.url, shown as `application`, and checks the schema. `patience_ms` is that of
 * struct aff_connection; errors are those of aff_connection_open() and aff_migrate_check(). On a failure the
 * caller disconnects. */
AFF_MUST_CHECK aff_status aff_background_connect(struct aff_background *background, const char *application,
                                                 int patience_ms, struct aff_error *reterr);

/* Closes `connection`, if it is open, and forgets the other one, which its owner closes then. */
void aff_background_disconnect(struct aff_background *background);

/* Lets a stop end what `other` does, too, until the thread disconnects. */
void aff_background_add(struct aff_background *background, struct aff_connection *other);
