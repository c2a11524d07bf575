/* SPDX-License-Identifier: Apache-2.0 */
#include "server/background.h"

#include "server/thread.h"
#include "sql/listen.h"
#include "sql/migrate.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { OWN, OTHER };

aff_status aff_background_start(struct aff_background *background, const struct aff_config *config,
                                const char *name, void *(*run)(void *argument), void *argument,
                                struct aff_error *reterr)
{
    background->config = *config;
    background->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (background->wake_fd < 0)
        return aff_error_set(reterr, AFF_IO, "cannot start the thread '%s': %s", name, strerror(errno));
    (void)pthread_mutex_init(&background->lock, NULL);
    aff_status status = aff_thread_start(name, run, argument, &background->thread, reterr);
    if (status == AFF_OK)
        return AFF_OK;
    (void)pthread_mutex_destroy(&background->lock);
    (void)close(background->wake_fd);
    return status;
}

/* With the lock. */
static void wake(struct aff_background *background)
{
    const uint64_t one = 1;

    (void)!write(background->wake_fd, &one, sizeof one);
}

void aff_background_configure(struct aff_background *background, const struct aff_config *config)
{
    (void)pthread_mutex_lock(&background->lock);
    background->next_config = *config;
    background->has_config = true;
    wake(background);
    (void)pthread_mutex_unlock(&background->lock);
}

void aff_background_stop(struct aff_background *background)
{
    (void)pthread_mutex_lock(&background->lock);
    background->must_stop = true;
    for (int i = 0; i < AFF_BACKGROUND_CONNECTIONS; i++)
        if (background->cancels[i] != NULL)
            aff_cancel_send(background->cancels[i]);
    wake(background);
    (void)pthread_mutex_unlock(&background->lock);
}

void aff_background_join(struct aff_background *background)
{
    (void)pthread_join(background->thread, NULL);
    (void)pthread_mutex_destroy(&background->lock);
    (void)close(background->wake_fd);
}

bool aff_background_must_stop(struct aff_background *background)
{
    (void)pthread_mutex_lock(&background->lock);
    const bool stop = background->must_stop;
    (void)pthread_mutex_unlock(&background->lock);
    return stop;
}

bool aff_background_wait(struct aff_background *background, int64_t pause_us)
{
    struct aff_connection none = {0};
    uint64_t news;
    bool notified;

    /* A lost connection is found out by what the thread does next. */
    (void)!aff_listen_wait(background->listens ? &background->connection : &none, background->wake_fd,
                           pause_us, &notified, NULL);
    (void)pthread_mutex_lock(&background->lock);
    (void)!read(background->wake_fd, &news, sizeof news);
    background->reconfigured = background->has_config;
    if (background->has_config)
        background->config = background->next_config;
    background->has_config = false;
    const bool go_on = !background->must_stop;
    (void)pthread_mutex_unlock(&background->lock);
    return go_on;
}

static void set_cancel(struct aff_background *background, int which, struct aff_cancel *cancel)
{
    (void)pthread_mutex_lock(&background->lock);
    struct aff_cancel *before = background->cancels[which];
    background->cancels[which] = cancel;
    if (background->must_stop && cancel != NULL)
        aff_cancel_send(cancel); /* the stop came while the connection was opened */
    (void)pthread_mutex_unlock(&background->lock);
    aff_cancel_free(before);
}

aff_status aff_background_connect(struct aff_background *background, const char *application, int patience_ms,
                                  struct aff_error *reterr)
{
    const struct aff_config *config = &background->config;
    struct aff_connection *connection = &background->connection;
    aff_status status = aff_connection_open(config->database_url, application,
                                            (int)config->database_connect_timeout_s, connection, reterr);

    if (status != AFF_OK)
        return status;
    connection->patience_ms = patience_ms;
    set_cancel(background, OWN, aff_cancel_new(connection));
    return aff_migrate_check(connection, reterr);
}

void aff_background_disconnect(struct aff_background *background)
{
    set_cancel(background, OWN, NULL);
    set_cancel(background, OTHER, NULL);
    aff_connection_close(&background->connection);
}

void aff_background_add(struct aff_background *background, struct aff_connection *other)
{
    set_cancel(background, OTHER, aff_cancel_new(other));
}
