/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learner_internal.h"

#include "core/base/clock.h"
#include "server/loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The leads end with the session. */
static void disconnect(struct aff_learner *learner)
{
    aff_learner_drop_stores(learner);
    aff_background_disconnect(&learner->background);
}

static aff_status connect(struct aff_learner *learner, struct aff_error *reterr)
{
    struct aff_background *background = &learner->background;

    if (background->connection.pg != NULL)
        return AFF_OK;
    aff_status status = aff_background_connect(background, "affinityd learner", 0, reterr);
    if (status == AFF_OK)
        status = aff_learning_session(&background->connection, (int)background->config.learn_lease_s, reterr);
    if (status == AFF_OK)
        aff_failure_log_clear(&learner->said);
    return status;
}

static void database_failed(struct aff_learner *learner, const struct aff_error *error)
{
    disconnect(learner);
    if (!aff_background_must_stop(&learner->background) && aff_failure_log_is_news(&learner->said, error))
        aff_log(learner->log, AFF_LOG_ERROR, "learner", AFF_LOG_FIELDS({"sqlstate", error->sqlstate, 0}),
                "nothing is folded: %s", error->text);
}

static aff_status fold_all(struct aff_learner *learner, bool *ret_behind, struct aff_error *reterr)
{
    aff_status status = connect(learner, reterr);

    return status == AFF_OK ? aff_learner_round(learner, ret_behind, reterr) : status;
}

static void *run(void *argument)
{
    struct aff_learner *learner = argument;
    const struct aff_config *config = &learner->background.config;
    int64_t pause_us = 0;
    unsigned attempt = 0;

    while (aff_background_wait(&learner->background, pause_us)) {
        struct aff_error error = {0};
        bool behind = false;
        /* Settings of learning hold from the next connection on. */
        if (learner->background.reconfigured || !config->learn_enabled)
            disconnect(learner);
        aff_learner_end_rebuild(learner);
        if (!config->learn_enabled) {
            pause_us = AFF_SECOND_US;
        } else if (fold_all(learner, &behind, &error) == AFF_OK) {
            attempt = 0;
            pause_us = behind ? 0 : config->learn_fold_ms * 1000;
        } else {
            database_failed(learner, &error);
            pause_us = aff_loader_pause_us(attempt++, config->database_retry_max_s,
                                           aff_random_unit(&learner->random));
        }
    }
    disconnect(learner);
    return NULL;
}

static void name_leader(struct aff_learner *learner)
{
    char host[56] = "";

    (void)gethostname(host, sizeof host - 1);
    (void)snprintf(learner->name, sizeof learner->name, "affinityd %s %ld", host, (long)getpid());
}

aff_status aff_learner_start(const struct aff_config *config, struct aff_learner_board *board,
                             struct aff_log *log, struct aff_learner **ret_learner, struct aff_error *reterr)
{
    struct aff_learner *learner = calloc(1, sizeof *learner);

    if (learner != NULL)
        learner->rebuild = aff_learner_rebuild_new(board, log);
    if (learner == NULL || learner->rebuild == NULL) {
        free(learner);
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    }
    learner->board = board;
    learner->log = log;
    learner->random.state = (uint64_t)aff_clock_now_us() ^ (uint64_t)getpid() << 32;
    name_leader(learner);
    aff_status status = aff_background_start(&learner->background, config, "learner", run, learner, reterr);
    if (status == AFF_OK) {
        *ret_learner = learner;
        return AFF_OK;
    }
    aff_learner_rebuild_free(learner->rebuild);
    free(learner);
    return status;
}

void aff_learner_configure(struct aff_learner *learner, const struct aff_config *config)
{
    aff_background_configure(&learner->background, config);
}

void aff_learner_stop(struct aff_learner *learner)
{
    aff_learner_rebuild_cancel(learner->rebuild);
    aff_background_stop(&learner->background);
}

void aff_learner_join(struct aff_learner *learner)
{
    if (learner == NULL)
        return;
    aff_background_join(&learner->background);
    aff_learner_rebuild_free(learner->rebuild);
    free(learner);
}
