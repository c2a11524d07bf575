/* SPDX-License-Identifier: Apache-2.0 */
#include "server/loader.h"

#include "config/traces.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "server/loader_store.h"
#include "sql/cancel.h"
#include "sql/connection.h"
#include "sql/listen.h"
#include "sql/migrate.h"
#include "sql/stores.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FIRST_PAUSE_US (AFF_SECOND_US / 2)
#define PATIENCE_MS 15000                  /* a server that says nothing for so long is given up */
#define REPEAT_LOG_US (60 * AFF_SECOND_US) /* the same failure is logged again after this */

struct aff_loader {
    struct aff_stores *stores;
    struct aff_board *board;
    struct aff_log *log;
    pthread_t thread;
    int wake_fd;          /* eventfd: there is news from another thread */
    pthread_mutex_t lock; /* of the next four */
    struct aff_config next_config;
    bool has_config, must_stop;
    struct aff_cancel *cancel; /* of the open connection */

    /* The thread's own. */
    struct aff_config config;
    struct aff_connection connection;
    struct aff_random random;
    struct aff_followed followed[AFF_STORES_MAX]; /* by the place in aff_stores */
    struct aff_store_seen seen[AFF_STORES_MAX];
    size_t n_seen;
    char logged[512]; /* the failure that was logged last; empty: all went well since */
    aff_status logged_status;
    int64_t logged_us;
    bool too_many_logged;
};

int64_t aff_loader_pause_us(unsigned attempt, int64_t most_s, double chance)
{
    int64_t pause_us = FIRST_PAUSE_US << (attempt < 20 ? attempt : 20);

    if (pause_us > most_s * AFF_SECOND_US)
        pause_us = most_s * AFF_SECOND_US;
    return pause_us - (int64_t)((double)pause_us / 2 * chance);
}

static void wake(struct aff_loader *loader)
{
    const uint64_t one = 1;

    (void)!write(loader->wake_fd, &one, sizeof one);
}

static bool must_stop(struct aff_loader *loader)
{
    (void)pthread_mutex_lock(&loader->lock);
    bool stop = loader->must_stop;
    (void)pthread_mutex_unlock(&loader->lock);
    return stop;
}

static void set_cancel(struct aff_loader *loader, struct aff_cancel *cancel)
{
    (void)pthread_mutex_lock(&loader->lock);
    struct aff_cancel *before = loader->cancel;
    loader->cancel = cancel;
    (void)pthread_mutex_unlock(&loader->lock);
    aff_cancel_free(before);
}

static void disconnect(struct aff_loader *loader)
{
    set_cancel(loader, NULL);
    aff_connection_close(&loader->connection);
    loader->connection = (struct aff_connection){0};
}

/* Takes over what SIGHUP brought. */
static void take_config(struct aff_loader *loader)
{
    bool new_url = false;

    (void)pthread_mutex_lock(&loader->lock);
    if (loader->has_config) {
        new_url = strcmp(loader->config.database_url, loader->next_config.database_url) != 0;
        loader->config = loader->next_config;
        loader->has_config = false;
    }
    (void)pthread_mutex_unlock(&loader->lock);
    if (new_url)
        disconnect(loader);
}

/* The same failure is said once, and once a minute while it lasts. A database that is away is one failure in
 * whatever words: it closes the connection, then refuses the next, then is starting up. */
static void log_failure(struct aff_loader *loader, const char *event, const struct aff_error *error)
{
    int64_t now_us = aff_clock_monotonic_us();
    bool same =
        strcmp(loader->logged, error->text) == 0 ||
        (loader->logged[0] != '\0' && loader->logged_status == AFF_BACKEND && error->status == AFF_BACKEND);

    if (same && now_us - loader->logged_us < REPEAT_LOG_US)
        return;
    loader->logged_status = error->status;
    memcpy(loader->logged, error->text, sizeof loader->logged);
    loader->logged_us = now_us;
    aff_log(loader->log, AFF_LOG_ERROR, event, AFF_LOG_FIELDS({"sqlstate", error->sqlstate, 0}), "%s",
            error->text);
}

static void database_failed(struct aff_loader *loader, const struct aff_error *error)
{
    disconnect(loader);
    if (must_stop(loader))
        return;
    aff_board_database_failed(loader->board, error);
    log_failure(loader, error->status == AFF_SCHEMA ? "schema" : "database", error);
}

static aff_status connect(struct aff_loader *loader, struct aff_error *reterr)
{
    if (loader->connection.pg != NULL)
        return AFF_OK;
    aff_board_connecting(loader->board);
    aff_status status =
        aff_connection_open(loader->config.database_url, "affinityd",
                            (int)loader->config.database_connect_timeout_s, &loader->connection, reterr);
    if (status != AFF_OK) {
        loader->connection = (struct aff_connection){0};
        return status;
    }
    set_cancel(loader, aff_cancel_new(&loader->connection));
    loader->connection.patience_ms = PATIENCE_MS;
    status = aff_migrate_check(&loader->connection, reterr);
    if (status == AFF_OK)
        status =
            aff_execute(&loader->connection, "LISTEN affinity_published; LISTEN affinity_catalogue", reterr);
    if (status == AFF_OK) {
        loader->logged[0] = '\0';
        aff_log(loader->log, AFF_LOG_INFO, "database", NULL, "the database answers and its schema fits");
    }
    return status;
}

static void see(void *context, const struct aff_store_seen *seen)
{
    struct aff_loader *loader = context;

    if (loader->n_seen < AFF_STORES_MAX)
        loader->seen[loader->n_seen++] = *seen;
}

static bool stops(void *context)
{
    return must_stop(context);
}

/* The store of a line of the poll and its place; NULL, said once, when there are too many. */
static struct aff_store *store_of(struct aff_loader *loader, const struct aff_store_seen *seen,
                                  size_t *ret_place)
{
    struct aff_store *store;
    aff_status status = aff_stores_add(loader->stores, aff_text_of(seen->name), &store);

    if (status != AFF_OK) {
        if (!loader->too_many_logged)
            aff_log(loader->log, AFF_LOG_ERROR, "load_failed", NULL, "store %s: %s", seen->name,
                    aff_status_text(status));
        loader->too_many_logged = true;
        return NULL;
    }
    *ret_place = 0;
    while (atomic_load_explicit(&loader->stores->at[*ret_place], memory_order_relaxed) != store)
        ++*ret_place;
    return store;
}

static aff_status follow(struct aff_loader *loader, const struct aff_store_seen *seen,
                         struct aff_error *reterr)
{
    struct aff_following following = {
        .connection = &loader->connection,
        .stores = loader->stores,
        .board = loader->board,
        .log = loader->log,
        .random = &loader->random,
        .memory_limit_bytes = (uint64_t)loader->config.memory_limit_mb << 20,
        .traces = aff_config_traces(&loader->config),
        .retry_max_s = loader->config.database_retry_max_s,
        .must_stop = stops,
        .context = loader,
    };
    size_t place = 0;
    struct aff_store *store = store_of(loader, seen, &place);

    if (store == NULL)
        return AFF_OK;
    return aff_loader_follow(&following, store, &loader->followed[place], seen, reterr);
}

/* One look into the database, and what follows from it. */
static aff_status look(struct aff_loader *loader, struct aff_error *reterr)
{
    bool usual_seen = false;
    aff_status status = connect(loader, reterr);

    if (status != AFF_OK)
        return status;
    loader->n_seen = 0;
    status = aff_stores_list(&loader->connection, see, loader, reterr);
    for (size_t i = 0; status == AFF_OK && i < loader->n_seen; i++) {
        usual_seen = usual_seen || strcmp(loader->seen[i].name, loader->config.store_name) == 0;
        status = follow(loader, &loader->seen[i], reterr);
    }
    if (status != AFF_OK)
        return status;
    aff_board_database_good(loader->board);
    if (!usual_seen) {
        struct aff_error missing;
        (void)aff_error_set(
            &missing, AFF_NOTFOUND,
            "there is no store '%s' in the database; import orders into it, or set store.name",
            loader->config.store_name);
        missing.sqlstate[0] = '\0';
        aff_board_load(loader->board, loader->config.store_name, &missing, 0);
        log_failure(loader, "store_missing", &missing);
    }
    return AFF_OK;
}

/* Waits for a notification or news from another thread, at most `pause_us`; false: the loader must stop. A
 * lost connection is found out by the next look. */
static bool wait_for(struct aff_loader *loader, int64_t pause_us)
{
    uint64_t news;
    bool notified;

    (void)!aff_listen_wait(&loader->connection, loader->wake_fd, pause_us, &notified, NULL);
    while (read(loader->wake_fd, &news, sizeof news) > 0)
        continue;
    return !must_stop(loader);
}

static void *run(void *argument)
{
    struct aff_loader *loader = argument;
    unsigned attempt = 0;
    bool go_on = true;

    (void)pthread_setname_np(pthread_self(), "loader");
    aff_reader_enter();
    while (go_on) {
        struct aff_error error = {0};
        take_config(loader);
        aff_status status = look(loader, &error);
        if (status == AFF_OK) {
            attempt = 0;
            go_on = wait_for(loader, loader->config.database_poll_ms * 1000);
        } else {
            database_failed(loader, &error);
            go_on = wait_for(loader, aff_loader_pause_us(attempt, loader->config.database_retry_max_s,
                                                         aff_random_unit(&loader->random)));
            attempt++;
        }
    }
    disconnect(loader);
    aff_reader_leave();
    return NULL;
}

aff_status aff_loader_start(const struct aff_config *config, struct aff_stores *stores,
                            struct aff_board *board, struct aff_log *log, struct aff_loader **ret_loader,
                            struct aff_error *reterr)
{
    struct aff_loader *loader = calloc(1, sizeof *loader);
    sigset_t all, before;

    if (loader == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    loader->stores = stores;
    loader->board = board;
    loader->log = log;
    loader->config = *config;
    loader->random.state = (uint64_t)aff_clock_now_us();
    (void)pthread_mutex_init(&loader->lock, NULL);
    loader->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loader->wake_fd < 0) {
        free(loader);
        return aff_error_set(reterr, AFF_IO, "cannot start the loader: %s", strerror(errno));
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&loader->thread, NULL, run, loader);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0) {
        (void)close(loader->wake_fd);
        free(loader);
        return aff_error_set(reterr, AFF_IO, "cannot start the loader: %s", strerror(failure));
    }
    *ret_loader = loader;
    return AFF_OK;
}

void aff_loader_configure(struct aff_loader *loader, const struct aff_config *config)
{
    (void)pthread_mutex_lock(&loader->lock);
    loader->next_config = *config;
    loader->has_config = true;
    (void)pthread_mutex_unlock(&loader->lock);
    wake(loader);
}

void aff_loader_stop(struct aff_loader *loader)
{
    (void)pthread_mutex_lock(&loader->lock);
    loader->must_stop = true;
    if (loader->cancel != NULL)
        aff_cancel_send(loader->cancel);
    (void)pthread_mutex_unlock(&loader->lock);
    wake(loader);
}

void aff_loader_join(struct aff_loader *loader)
{
    if (loader == NULL)
        return;
    (void)pthread_join(loader->thread, NULL);
    (void)close(loader->wake_fd);
    (void)pthread_mutex_destroy(&loader->lock);
    free(loader);
}
