/* SPDX-License-Identifier: Apache-2.0 */
#include "server/loader.h"

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/index/model.h"
#include "sql/cancel.h"
#include "sql/connection.h"
#include "sql/load_model.h"
#include "sql/migrate.h"
#include "sql/stores.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_PAUSE_US (AFF_SECOND_US / 2)
#define REPEAT_LOG_US (60 * AFF_SECOND_US) /* the same failure is logged again after this */

/* What the loader knows about one store of the database; kept by the place in aff_stores. */
struct followed {
    bool loaded;
    uint64_t loaded_version, failed_version;
    bool failed;
    int64_t next_try_us; /* monotonic; after a failure */
    unsigned attempts;
};

/* One line of the poll. */
struct seen {
    char name[AFF_ID_MAX + 1];
    uint64_t published;
};

struct aff_loader {
    struct aff_stores *stores;
    struct aff_board *board;
    struct aff_log *log;
    pthread_t thread;
    pthread_mutex_t lock; /* of the next five */
    pthread_cond_t wake;
    struct aff_config next_config;
    bool has_config, must_stop;
    struct aff_cancel *cancel; /* of the open connection */

    /* The thread's own. */
    struct aff_config config;
    struct aff_connection connection;
    struct aff_random random;
    struct followed followed[AFF_STORES_MAX];
    struct seen seen[AFF_STORES_MAX];
    size_t n_seen;
    char logged[512]; /* the failure that was logged last */
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

/* Waits, at most `pause_us`, for news from the main thread; false: the loader must stop. */
static bool wait_for(struct aff_loader *loader, int64_t pause_us)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + pause_us % AFF_SECOND_US * 1000;
    until.tv_sec += pause_us / AFF_SECOND_US + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    (void)pthread_mutex_lock(&loader->lock);
    while (!loader->must_stop && !loader->has_config)
        if (pthread_cond_timedwait(&loader->wake, &loader->lock, &until) != 0)
            break;
    bool go_on = !loader->must_stop;
    (void)pthread_mutex_unlock(&loader->lock);
    return go_on;
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

/* The same failure is said once, and once a minute while it lasts. */
static void log_failure(struct aff_loader *loader, const char *event, const struct aff_error *error)
{
    int64_t now_us = aff_clock_monotonic_us();

    if (strcmp(loader->logged, error->text) == 0 && now_us - loader->logged_us < REPEAT_LOG_US)
        return;
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
    status = aff_migrate_check(&loader->connection, reterr);
    if (status == AFF_OK) {
        loader->logged[0] = '\0';
        aff_log(loader->log, AFF_LOG_INFO, "database", NULL, "the database answers and its schema fits");
    }
    return status;
}

static void see(void *context, const char *name, uint64_t published)
{
    struct aff_loader *loader = context;

    if (loader->n_seen == AFF_STORES_MAX || strlen(name) > AFF_ID_MAX)
        return;
    struct seen *seen = &loader->seen[loader->n_seen++];
    memcpy(seen->name, name, strlen(name) + 1);
    seen->published = published;
}

/* Bytes that a load may take: old and new index of a store live side by side until the swap. */
static uint64_t bytes_left(struct aff_loader *loader)
{
    uint64_t limit = (uint64_t)loader->config.memory_limit_mb << 20, used = 0;
    size_t n = atomic_load_explicit(&loader->stores->n, memory_order_relaxed);

    for (size_t i = 0; i < n; i++) {
        struct aff_store *store = atomic_load_explicit(&loader->stores->at[i], memory_order_relaxed);
        const struct aff_model *model = aff_slot_model(store->slot);
        if (model != NULL)
            used += aff_model_bytes(model);
    }
    return used < limit ? limit - used : 1;
}

static void load_failed(struct aff_loader *loader, struct followed *followed, const struct seen *seen,
                        const struct aff_error *error)
{
    bool repeated = followed->failed && followed->failed_version == seen->published;

    followed->attempts = repeated ? followed->attempts + 1 : 0;
    followed->failed = true;
    followed->failed_version = seen->published;
    followed->next_try_us = aff_clock_monotonic_us() +
                            aff_loader_pause_us(followed->attempts, loader->config.database_retry_max_s,
                                                aff_random_unit(&loader->random));
    aff_board_load(loader->board, seen->name, error, 0);
    if (!repeated)
        aff_log(loader->log, AFF_LOG_ERROR, "load_failed", AFF_LOG_FIELDS({"store", seen->name, 0}),
                "store %s: %s%s", seen->name, error->text,
                followed->loaded ? "; the index before it goes on being served" : "");
}

/* Loads one store if there is something new. A failure that is the store's own is dealt with here; one of the
 * connection is returned. */
static aff_status follow(struct aff_loader *loader, const struct seen *seen, struct aff_error *reterr)
{
    struct aff_store *store;
    struct aff_model *model = NULL;
    aff_status status = aff_stores_add(loader->stores, aff_text_of(seen->name), &store);
    size_t place = 0;

    if (status != AFF_OK) {
        if (!loader->too_many_logged)
            aff_log(loader->log, AFF_LOG_ERROR, "load_failed", NULL, "store %s: %s", seen->name,
                    aff_status_text(status));
        loader->too_many_logged = true;
        return AFF_OK;
    }
    while (atomic_load_explicit(&loader->stores->at[place], memory_order_relaxed) != store)
        place++;
    struct followed *followed = &loader->followed[place];
    if (followed->loaded && followed->loaded_version == seen->published)
        return AFF_OK;
    if (followed->failed && followed->failed_version == seen->published &&
        aff_clock_monotonic_us() < followed->next_try_us)
        return AFF_OK;
    int64_t started_us = aff_clock_monotonic_us();
    (void)pthread_mutex_lock(&store->publish);
    status = aff_model_load(&loader->connection, seen->name, bytes_left(loader), &model, reterr);
    if (status != AFF_OK || must_stop(loader)) {
        (void)pthread_mutex_unlock(&store->publish);
        aff_model_free(model);
        if (status == AFF_OK || status == AFF_BACKEND || status == AFF_SCHEMA || status == AFF_CANCELLED)
            return status == AFF_OK ? AFF_CANCELLED : status;
        load_failed(loader, followed, seen, reterr);
        return AFF_OK;
    }
    int64_t took_us = aff_clock_monotonic_us() - started_us;
    *followed = (struct followed){.loaded = true, .loaded_version = model->version};
    aff_log(loader->log, AFF_LOG_INFO, "loaded",
            AFF_LOG_FIELDS({"store", seen->name, 0}, {"version", NULL, (int64_t)model->version},
                           {"products", NULL, aff_catalogue_size(model->catalogue)},
                           {"customers", NULL, aff_customers_size(model->customers)},
                           {"orders", NULL, (int64_t)model->totals.orders},
                           {"memory_bytes", NULL, (int64_t)aff_model_bytes(model)},
                           {"took_us", NULL, took_us}),
            "store %s is loaded", seen->name);
    aff_slot_publish(store->slot, model);
    (void)pthread_mutex_unlock(&store->publish);
    aff_board_load(loader->board, seen->name, NULL, took_us);
    return AFF_OK;
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

static void *run(void *argument)
{
    struct aff_loader *loader = argument;
    unsigned attempt = 0;
    bool go_on = true;

    (void)pthread_setname_np(pthread_self(), "loader");
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
    return NULL;
}

aff_status aff_loader_start(const struct aff_config *config, struct aff_stores *stores,
                            struct aff_board *board, struct aff_log *log, struct aff_loader **ret_loader,
                            struct aff_error *reterr)
{
    struct aff_loader *loader = calloc(1, sizeof *loader);
    pthread_condattr_t attributes;
    sigset_t all, before;

    if (loader == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    loader->stores = stores;
    loader->board = board;
    loader->log = log;
    loader->config = *config;
    loader->random.state = (uint64_t)aff_clock_now_us();
    (void)pthread_mutex_init(&loader->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&loader->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&loader->thread, NULL, run, loader);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0) {
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
    (void)pthread_cond_signal(&loader->wake);
    (void)pthread_mutex_unlock(&loader->lock);
}

void aff_loader_stop(struct aff_loader *loader)
{
    (void)pthread_mutex_lock(&loader->lock);
    loader->must_stop = true;
    if (loader->cancel != NULL)
        aff_cancel_send(loader->cancel);
    (void)pthread_cond_signal(&loader->wake);
    (void)pthread_mutex_unlock(&loader->lock);
}

void aff_loader_join(struct aff_loader *loader)
{
    if (loader == NULL)
        return;
    (void)pthread_join(loader->thread, NULL);
    (void)pthread_cond_destroy(&loader->wake);
    (void)pthread_mutex_destroy(&loader->lock);
    free(loader);
}
