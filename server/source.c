/* SPDX-License-Identifier: Apache-2.0 */
#include "server/source.h"

#include "config/source_mapping.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "server/background.h"
#include "server/failure_log.h"
#include "server/loader.h"
#include "sql/source/source.h"
#include "sql/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPEAT_LOG_US (60 * AFF_SECOND_US) /* what is left out is said again after this */
#define BUSY_PAUSE_US (5 * AFF_SECOND_US)  /* another instance reads the tables */
#define HOUR_S 3600

struct aff_source_thread {
    struct aff_background background; /* its connection is that to our own database */
    struct aff_board *board;
    struct aff_log *log;
    struct aff_source_settings settings; /* borrows from the configuration */
    struct aff_source *source;
    struct aff_random random;
    struct aff_failure_log said;
    int64_t rejects_logged_us;
    uint64_t rejected; /* since they were logged last */
    char first_rejected[256];
};

static bool is_mapped(const struct aff_config *config)
{
    const struct aff_source_mapping mapping = aff_config_source_mapping(config);

    return !aff_source_mapping_is_empty(&mapping);
}

static void disconnect(struct aff_source_thread *thread)
{
    aff_source_close(thread->source);
    thread->source = NULL;
    aff_background_disconnect(&thread->background);
}

static void failed(struct aff_source_thread *thread, const struct aff_error *error)
{
    disconnect(thread);
    if (aff_background_must_stop(&thread->background) || error->status == AFF_BUSY)
        return;
    aff_board_source_failed(thread->board, error);
    if (aff_failure_log_is_news(&thread->said, error))
        aff_log(thread->log, AFF_LOG_ERROR, "source", AFF_LOG_FIELDS({"sqlstate", error->sqlstate, 0}), "%s",
                error->text);
}

/* ---- what is left out ---- */

/* Ids of customers do not go into a log. */
static void reject(void *context, enum aff_source_what what, struct aff_text id, const char *reason)
{
    struct aff_source_thread *thread = context;

    if (thread->rejected++ > 0)
        return;
    if (what == AFF_SOURCE_CUSTOMERS)
        (void)snprintf(thread->first_rejected, sizeof thread->first_rejected, "a customer: %s", reason);
    else
        (void)snprintf(thread->first_rejected, sizeof thread->first_rejected, "%s '%.*s': %s",
                       aff_source_word(what), (int)id.size, id.at == NULL ? "" : id.at, reason);
}

static void log_rejected(struct aff_source_thread *thread)
{
    int64_t now_us = aff_clock_monotonic_us();

    if (thread->rejected == 0 ||
        (thread->rejects_logged_us != 0 && now_us - thread->rejects_logged_us < REPEAT_LOG_US))
        return;
    aff_log(thread->log, AFF_LOG_WARNING, "source_rejected",
            AFF_LOG_FIELDS({"rejected", NULL, (int64_t)thread->rejected}),
            "entries of the shop's tables break a rule and are left out, first %s", thread->first_rejected);
    thread->rejected = 0;
    thread->rejects_logged_us = now_us;
}

/* ---- the way ---- */

static aff_status connect(struct aff_source_thread *thread, struct aff_error *reterr)
{
    const struct aff_config *config = &thread->background.config;
    const char *currency = config->source_currency[0] == '\0' ? NULL : config->source_currency;
    int store;

    if (thread->source != NULL)
        return AFF_OK;
    thread->settings = (struct aff_source_settings){.url = aff_config_source_url(config),
                                                    .application = "affinityd source",
                                                    .timeout_s = (int)config->database_connect_timeout_s,
                                                    .mapping = aff_config_source_mapping(config)};
    aff_status status = aff_background_connect(&thread->background, thread->settings.application, 0, reterr);
    if (status == AFF_OK)
        status = aff_store_ensure(&thread->background.connection, config->store_name, currency, &store, NULL,
                                  reterr);
    if (status == AFF_OK)
        status = aff_source_open(&thread->settings, &thread->background.connection, config->store_name,
                                 reject, thread, &thread->source, reterr);
    if (status != AFF_OK)
        return status;
    aff_background_add(&thread->background, aff_source_connection(thread->source));
    aff_failure_log_clear(&thread->said);
    aff_log(thread->log, AFF_LOG_INFO, "source", AFF_LOG_FIELDS({"store", config->store_name, 0}),
            "the shop's own tables are read");
    return AFF_OK;
}

static bool go_on(void *context, uint64_t done, uint64_t total)
{
    (void)done;
    (void)total;
    return !aff_background_must_stop(context);
}

static aff_status look(struct aff_source_thread *thread, struct aff_error *reterr)
{
    const struct aff_watch watch = {go_on, &thread->background};
    struct aff_source_report report = {0};
    int64_t hours = thread->background.config.source_sweep_hours, swept_s = 0;
    aff_status status = connect(thread, reterr);

    if (status == AFF_OK)
        status = aff_source_swept_s(thread->source, &swept_s, reterr);
    if (status != AFF_OK)
        return status;
    if (swept_s < 0 || (hours > 0 && swept_s >= hours * HOUR_S)) {
        aff_log(thread->log, AFF_LOG_INFO, "source", NULL, "all of the shop's tables are compared");
        status = aff_source_sweep(thread->source, &watch, &report, reterr);
    } else {
        status = aff_source_sync(thread->source, &watch, &report, reterr);
    }
    if (status == AFF_OK)
        aff_board_source_read(thread->board, report.created + report.changed + report.deleted,
                              report.rejected);
    log_rejected(thread);
    return status;
}

static void *run(void *argument)
{
    struct aff_source_thread *thread = argument;
    const struct aff_config *config = &thread->background.config;
    int64_t pause_us = 0;
    unsigned attempt = 0;

    while (aff_background_wait(&thread->background, pause_us)) {
        struct aff_error error = {0};
        if (thread->background.reconfigured)
            disconnect(thread);
        aff_status status = look(thread, &error);
        pause_us = config->source_poll_ms * 1000;
        if (status != AFF_OK) {
            failed(thread, &error);
            pause_us = status == AFF_BUSY ? BUSY_PAUSE_US
                                          : aff_loader_pause_us(attempt, config->database_retry_max_s,
                                                                aff_random_unit(&thread->random));
        }
        attempt = status == AFF_OK || status == AFF_BUSY ? 0 : attempt + 1;
    }
    disconnect(thread);
    return NULL;
}

aff_status aff_source_start(const struct aff_config *config, struct aff_board *board, struct aff_log *log,
                            struct aff_source_thread **ret_thread, struct aff_error *reterr)
{
    struct aff_source_thread *thread;

    *ret_thread = NULL;
    if (!is_mapped(config))
        return AFF_OK;
    thread = calloc(1, sizeof *thread);
    if (thread == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    thread->board = board;
    thread->log = log;
    thread->random.state = (uint64_t)aff_clock_now_us();
    aff_status status = aff_background_start(&thread->background, config, "source", run, thread, reterr);
    if (status == AFF_OK)
        *ret_thread = thread;
    else
        free(thread);
    return status;
}

void aff_source_configure(struct aff_source_thread *thread, const struct aff_config *config)
{
    if (thread != NULL && is_mapped(config))
        aff_background_configure(&thread->background, config);
}

void aff_source_stop(struct aff_source_thread *thread)
{
    if (thread != NULL)
        aff_background_stop(&thread->background);
}

void aff_source_join(struct aff_source_thread *thread)
{
    if (thread == NULL)
        return;
    aff_background_join(&thread->background);
    free(thread);
}
