/* SPDX-License-Identifier: Apache-2.0 */
#include "server/loader.h"

#include "core/base/clock.h"
#include "core/base/random.h"
#include "server/background.h"
#include "server/failure_log.h"
#include "server/loader_store.h"
#include "sql/stores.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_PAUSE_US (AFF_SECOND_US / 2)
#define PATIENCE_MS 15000 /* a server that says nothing for so long is given up */

struct aff_loader {
    struct aff_background background;
    struct aff_stores *stores;
    struct aff_board *board;
    struct aff_log *log;
    char url[AFF_CONFIG_TEXT]; /* to which the connection was opened */
    struct aff_random random;
    struct aff_followed followed[AFF_STORES_MAX]; /* by the place in aff_stores */
    struct aff_store_seen seen[AFF_STORES_MAX];
    size_t n_seen;
    struct aff_failure_log said;
    bool too_many_logged;
};

int64_t aff_loader_pause_us(unsigned attempt, int64_t most_s, double chance)
{
    int64_t pause_us = FIRST_PAUSE_US << (attempt < 20 ? attempt : 20);

    if (pause_us > most_s * AFF_SECOND_US)
        pause_us = most_s * AFF_SECOND_US;
    return pause_us - (int64_t)((double)pause_us / 2 * chance);
}

static void log_failure(struct aff_loader *loader, const char *event, const struct aff_error *error)
{
    if (aff_failure_log_is_news(&loader->said, error))
        aff_log(loader->log, AFF_LOG_ERROR, event, AFF_LOG_FIELDS({"sqlstate", error->sqlstate, 0}), "%s",
                error->text);
}

static void database_failed(struct aff_loader *loader, const struct aff_error *error)
{
    aff_background_disconnect(&loader->background);
    if (aff_background_must_stop(&loader->background))
        return;
    aff_board_database_failed(loader->board, error);
    log_failure(loader, error->status == AFF_SCHEMA ? "schema" : "database", error);
}

static aff_status connect(struct aff_loader *loader, struct aff_error *reterr)
{
    struct aff_background *background = &loader->background;
    const char *url = background->config.database_url;

    if (background->connection.pg != NULL && strcmp(loader->url, url) == 0)
        return AFF_OK;
    aff_background_disconnect(background);
    memcpy(loader->url, url, sizeof loader->url);
    aff_board_connecting(loader->board);
    aff_status status = aff_background_connect(background, "affinityd", PATIENCE_MS, reterr);
    if (status == AFF_OK)
        status = aff_execute(&background->connection, "LISTEN affinity_published; LISTEN affinity_catalogue",
                             reterr);
    if (status == AFF_OK) {
        aff_failure_log_clear(&loader->said);
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
        .background = &loader->background,
        .stores = loader->stores,
        .board = loader->board,
        .log = loader->log,
        .random = &loader->random,
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
    status = aff_stores_list(&loader->background.connection, see, loader, reterr);
    for (size_t i = 0; status == AFF_OK && i < loader->n_seen; i++) {
        usual_seen = usual_seen || strcmp(loader->seen[i].name, loader->background.config.store_name) == 0;
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
            loader->background.config.store_name);
        missing.sqlstate[0] = '\0';
        aff_board_load(loader->board, loader->background.config.store_name, &missing, 0);
        log_failure(loader, "store_missing", &missing);
    }
    return AFF_OK;
}

static void *run(void *argument)
{
    struct aff_loader *loader = argument;
    const struct aff_config *config = &loader->background.config;
    int64_t pause_us = 0;
    unsigned attempt = 0;

    aff_reader_enter();
    while (aff_background_wait(&loader->background, pause_us)) {
        struct aff_error error = {0};
        if (look(loader, &error) == AFF_OK) {
            attempt = 0;
            pause_us = config->database_poll_ms * 1000;
        } else {
            database_failed(loader, &error);
            pause_us = aff_loader_pause_us(attempt++, config->database_retry_max_s,
                                           aff_random_unit(&loader->random));
        }
    }
    aff_background_disconnect(&loader->background);
    aff_reader_leave();
    return NULL;
}

aff_status aff_loader_start(const struct aff_config *config, struct aff_stores *stores,
                            struct aff_board *board, struct aff_log *log, struct aff_loader **ret_loader,
                            struct aff_error *reterr)
{
    struct aff_loader *loader = calloc(1, sizeof *loader);

    if (loader == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    loader->stores = stores;
    loader->board = board;
    loader->log = log;
    loader->random.state = (uint64_t)aff_clock_now_us();
    loader->said.one_outage = true;
    loader->background.listens = true;
    aff_status status = aff_background_start(&loader->background, config, "loader", run, loader, reterr);
    if (status == AFF_OK)
        *ret_loader = loader;
    else
        free(loader);
    return status;
}

void aff_loader_configure(struct aff_loader *loader, const struct aff_config *config)
{
    aff_background_configure(&loader->background, config);
}

void aff_loader_stop(struct aff_loader *loader)
{
    aff_background_stop(&loader->background);
}

void aff_loader_join(struct aff_loader *loader)
{
    if (loader == NULL)
        return;
    aff_background_join(&loader->background);
    free(loader);
}
