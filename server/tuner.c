/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tuner.h"

#include "config/blend.h"
#include "config/train.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "server/background.h"
#include "server/failure_log.h"
#include "server/loader.h"
#include "sql/measure/tuning.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define LOOK_MOST_US (60 * AFF_SECOND_US) /* between looks at whether a store is due */

enum { LOW_PRIORITY = 10, RETRY_MOST_S = 3600, HOUR_S = 3600, LOOKS = 20 };

/* What the thread knows about the store at the same place of the board; zero at the beginning. */
struct tuned_store {
    int64_t next_us; /* monotonic; not before, after a failure */
    unsigned attempts;
    struct aff_failure_log said;
};

struct aff_tuner {
    struct aff_background background;
    struct aff_learner_board *board;
    struct aff_log *log;
    struct aff_random random;
    struct tuned_store stores[AFF_LEARNED_STORES];
};

static bool go_on(void *context, const char *phase, const char *unit, uint64_t done, uint64_t total)
{
    struct aff_tuner *tuner = context;

    (void)phase;
    (void)unit;
    (void)done;
    (void)total;
    return !aff_background_must_stop(&tuner->background);
}

/* ---- board and log ---- */

static void show_running(struct aff_tuner *tuner, const char *name, bool running)
{
    struct aff_learned_store *shown = aff_learner_board_lock(tuner->board, name);

    if (shown == NULL)
        return;
    shown->fitting = running;
    aff_learner_board_unlock(tuner->board);
}

static void show_end(struct aff_tuner *tuner, const char *name, const struct aff_tuning_report *report,
                     int64_t took_us, bool good)
{
    struct aff_learned_store *shown = aff_learner_board_lock(tuner->board, name);

    if (shown == NULL)
        return;
    shown->fit_failures += !good;
    if (good) {
        shown->fits++;
        shown->fits_adopted += (uint64_t)report->n_adopted;
        shown->fitted_us = aff_clock_now_us();
        shown->fit_took_us = took_us;
    }
    aff_learner_board_unlock(tuner->board);
}

/* The log's one line a fit: each situation's gain with the least that it is with 95 %. */
static void tell(struct aff_tuner *tuner, const char *name, const struct aff_tuning_report *report,
                 int64_t took_us)
{
    char figures[512] = "";
    size_t used = 0;

    for (int s = 0; s < AFF_SITUATION_MAX && used < sizeof figures; s++) {
        const struct aff_tuned *tuned = &report->of[s];
        const struct aff_fit *fit = &tuned->fit;
        if (!tuned->fitted)
            continue;
        used +=
            (size_t)snprintf(figures + used, sizeof figures - used, "%s%s %+.4f (at least %+.4f, %s)",
                             used == 0 ? "" : ", ", aff_situation_name(tuned->situation), fit->gain,
                             fit->gain - AFF_FIT_Z * fit->standard_error, fit->better ? "adopted" : "kept");
    }
    aff_log(tuner->log, AFF_LOG_INFO, "tuned",
            AFF_LOG_FIELDS({"store", name, 0}, {"orders", NULL, report->orders},
                           {"sessions", NULL, report->sessions}, {"adopted", NULL, report->n_adopted},
                           {"took_us", NULL, took_us}, {"gains", figures, 0}),
            "the weights of store %s were fitted: %s", name,
            figures[0] == '\0'      ? "there are too few orders and sessions"
            : report->n_adopted > 0 ? "some are better and put to use"
                                    : "none is better than what is in use");
}

/* Tried again later and later: what fails once, such as a store that is too large, often fails again, and
 * each attempt reads the store. */
static void failed(struct aff_tuner *tuner, struct tuned_store *store, const char *name,
                   const struct aff_error *error)
{
    store->next_us = aff_clock_monotonic_us() +
                     aff_loader_pause_us(store->attempts++, RETRY_MOST_S, aff_random_unit(&tuner->random));
    if (aff_background_must_stop(&tuner->background) || !aff_failure_log_is_news(&store->said, error))
        return;
    aff_log(tuner->log, error->status == AFF_BUSY ? AFF_LOG_INFO : AFF_LOG_ERROR, "tune_failed",
            AFF_LOG_FIELDS({"store", name, 0}, {"sqlstate", error->sqlstate, 0}),
            "the weights of store %s were not fitted: %s; those in use stay", name, error->text);
}

/* ---- work ---- */

static void tune(struct aff_tuner *tuner, struct tuned_store *store, const char *name)
{
    const struct aff_config *config = &tuner->background.config;
    const double due_s = config->tune_hours * HOUR_S;
    const struct aff_tuning_settings settings = {
        .train = aff_config_train(config, 1),
        .configured = aff_config_blend(config),
        .limit_bytes = (uint64_t)config->tune_memory_mb << 20,
        .by = "affinityd",
        .due_s = due_s < 1 ? 1 : (int64_t)due_s,
        .progress = go_on,
        .context = tuner,
    };
    struct aff_tuning_report report = {0};
    struct aff_error error = {0};
    const int64_t started_us = aff_clock_monotonic_us();
    aff_status status = aff_background_connect(&tuner->background, "affinityd tuner", 0, &error);

    if (status == AFF_OK) {
        show_running(tuner, name, true);
        status = aff_tune(&tuner->background.connection, name, &settings, &report, &error);
        show_running(tuner, name, false);
    }
    aff_background_disconnect(&tuner->background);
    if (status == AFF_OK) {
        store->attempts = 0;
        aff_failure_log_clear(&store->said);
    }
    if (status == AFF_OK && !report.due)
        return;
    const int64_t took_us = aff_clock_monotonic_us() - started_us;
    if (!aff_background_must_stop(&tuner->background))
        show_end(tuner, name, &report, took_us, status == AFF_OK);
    if (status == AFF_OK)
        tell(tuner, name, &report, took_us);
    else
        failed(tuner, store, name, &error);
}

static void look(struct aff_tuner *tuner)
{
    struct aff_learned_store shown;

    for (size_t at = 0;
         aff_learner_board_read(tuner->board, at, &shown) && !aff_background_must_stop(&tuner->background);
         at++)
        if (shown.leads && aff_clock_monotonic_us() >= tuner->stores[at].next_us)
            tune(tuner, &tuner->stores[at], shown.name);
}

static int64_t pause_us(const struct aff_config *config)
{
    const double part_s = config->tune_hours * HOUR_S / LOOKS;

    if (!config->tune_enabled || part_s * (double)AFF_SECOND_US > (double)LOOK_MOST_US)
        return LOOK_MOST_US;
    return part_s < 1 ? AFF_SECOND_US : (int64_t)(part_s * (double)AFF_SECOND_US);
}

static void *run(void *argument)
{
    struct aff_tuner *tuner = argument;
    struct aff_background *background = &tuner->background;

    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), LOW_PRIORITY); /* of this thread alone, on Linux */
    while (aff_background_wait(background, pause_us(&background->config))) {
        for (size_t i = 0; background->reconfigured && i < AFF_LEARNED_STORES; i++)
            tuner->stores[i].next_us = 0;
        if (background->config.tune_enabled)
            look(tuner);
    }
    return NULL;
}

aff_status aff_tuner_start(const struct aff_config *config, struct aff_learner_board *board,
                           struct aff_log *log, struct aff_tuner **ret_tuner, struct aff_error *reterr)
{
    struct aff_tuner *tuner = calloc(1, sizeof *tuner);

    if (tuner == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    tuner->board = board;
    tuner->log = log;
    tuner->random.state = (uint64_t)aff_clock_now_us() ^ (uint64_t)getpid() << 32;
    aff_status status = aff_background_start(&tuner->background, config, "tuner", run, tuner, reterr);
    if (status == AFF_OK)
        *ret_tuner = tuner;
    else
        free(tuner);
    return status;
}

void aff_tuner_configure(struct aff_tuner *tuner, const struct aff_config *config)
{
    aff_background_configure(&tuner->background, config);
}

void aff_tuner_stop(struct aff_tuner *tuner)
{
    if (tuner != NULL)
        aff_background_stop(&tuner->background);
}

void aff_tuner_join(struct aff_tuner *tuner)
{
    if (tuner == NULL)
        return;
    aff_background_join(&tuner->background);
    free(tuner);
}
