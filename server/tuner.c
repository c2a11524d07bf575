/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tuner.h"

#include "config/blend.h"
#include "config/train.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "server/loader.h"
#include "sql/cancel.h"
#include "sql/connection.h"
#include "sql/measure/tuning.h"
#include "sql/migrate.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define LOOK_MOST_US (60 * AFF_SECOND_US)  /* between looks at whether a store is due */
#define REPEAT_LOG_US (60 * AFF_SECOND_US) /* the same failure is logged again after this */

enum { LOW_PRIORITY = 10, RETRY_MOST_S = 3600, HOUR_S = 3600, LOOKS = 20 };

/* What the thread knows about the store at the same place of the board; zero at the beginning. */
struct tuned_store {
    int64_t next_us; /* monotonic; not before, after a failure */
    unsigned attempts;
    char logged[512]; /* the failure that was logged last */
    int64_t logged_us;
};

struct aff_tuner {
    struct aff_learner_board *board;
    struct aff_log *log;
    pthread_t thread;
    pthread_mutex_t lock; /* of the next four */
    pthread_cond_t wake;
    struct aff_config next_config;
    bool has_config, must_stop;
    struct aff_cancel *cancel; /* of the open connection */

    /* The thread's own. */
    struct aff_config config;
    struct aff_connection connection;
    struct aff_random random;
    struct tuned_store stores[AFF_LEARNED_STORES];
};

static bool must_stop(struct aff_tuner *tuner)
{
    (void)pthread_mutex_lock(&tuner->lock);
    bool stop = tuner->must_stop;
    (void)pthread_mutex_unlock(&tuner->lock);
    return stop;
}

/* Waits, at most `pause_us`, for news from the main thread; false: the tuner must stop. */
static bool wait_for(struct aff_tuner *tuner, int64_t pause_us)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    const int64_t nanoseconds = until.tv_nsec + pause_us % AFF_SECOND_US * 1000;
    until.tv_sec += pause_us / AFF_SECOND_US + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    (void)pthread_mutex_lock(&tuner->lock);
    while (!tuner->must_stop && !tuner->has_config)
        if (pthread_cond_timedwait(&tuner->wake, &tuner->lock, &until) != 0)
            break;
    if (tuner->has_config) {
        tuner->config = tuner->next_config;
        tuner->has_config = false;
        for (size_t i = 0; i < AFF_LEARNED_STORES; i++)
            tuner->stores[i].next_us = 0;
    }
    const bool go_on = !tuner->must_stop;
    (void)pthread_mutex_unlock(&tuner->lock);
    return go_on;
}

static void set_cancel(struct aff_tuner *tuner, struct aff_cancel *cancel)
{
    (void)pthread_mutex_lock(&tuner->lock);
    struct aff_cancel *before = tuner->cancel;
    tuner->cancel = cancel;
    (void)pthread_mutex_unlock(&tuner->lock);
    aff_cancel_free(before);
}

static bool go_on(void *context, const char *phase, const char *unit, uint64_t done, uint64_t total)
{
    (void)phase;
    (void)unit;
    (void)done;
    (void)total;
    return !must_stop(context);
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

static bool is_news(struct tuned_store *store, const char *text)
{
    const int64_t now_us = aff_clock_monotonic_us();

    if (strcmp(store->logged, text) == 0 && now_us - store->logged_us < REPEAT_LOG_US)
        return false;
    (void)snprintf(store->logged, sizeof store->logged, "%s", text);
    store->logged_us = now_us;
    return true;
}

/* Tried again later and later: what fails once, such as a store that is too large, often fails again, and
 * each attempt reads the store. */
static void failed(struct aff_tuner *tuner, struct tuned_store *store, const char *name,
                   const struct aff_error *error)
{
    store->next_us = aff_clock_monotonic_us() +
                     aff_loader_pause_us(store->attempts++, RETRY_MOST_S, aff_random_unit(&tuner->random));
    if (must_stop(tuner) || !is_news(store, error->text))
        return;
    aff_log(tuner->log, error->status == AFF_BUSY ? AFF_LOG_INFO : AFF_LOG_ERROR, "tune_failed",
            AFF_LOG_FIELDS({"store", name, 0}, {"sqlstate", error->sqlstate, 0}),
            "the weights of store %s were not fitted: %s; those in use stay", name, error->text);
}

/* ---- work ---- */

static aff_status connect(struct aff_tuner *tuner, struct aff_error *reterr)
{
    aff_status status =
        aff_connection_open(tuner->config.database_url, "affinityd tuner",
                            (int)tuner->config.database_connect_timeout_s, &tuner->connection, reterr);

    if (status != AFF_OK) {
        tuner->connection = (struct aff_connection){0};
        return status;
    }
    set_cancel(tuner, aff_cancel_new(&tuner->connection));
    return aff_migrate_check(&tuner->connection, reterr);
}

static void disconnect(struct aff_tuner *tuner)
{
    set_cancel(tuner, NULL);
    aff_connection_close(&tuner->connection);
    tuner->connection = (struct aff_connection){0};
}

static void tune(struct aff_tuner *tuner, struct tuned_store *store, const char *name)
{
    const struct aff_config *config = &tuner->config;
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
    aff_status status = connect(tuner, &error);

    if (status == AFF_OK) {
        show_running(tuner, name, true);
        status = aff_tune(&tuner->connection, name, &settings, &report, &error);
        show_running(tuner, name, false);
    }
    disconnect(tuner);
    if (status == AFF_OK) {
        store->attempts = 0;
        store->logged[0] = '\0';
    }
    if (status == AFF_OK && !report.due)
        return;
    const int64_t took_us = aff_clock_monotonic_us() - started_us;
    if (!must_stop(tuner))
        show_end(tuner, name, &report, took_us, status == AFF_OK);
    if (status == AFF_OK)
        tell(tuner, name, &report, took_us);
    else
        failed(tuner, store, name, &error);
}

static void look(struct aff_tuner *tuner)
{
    struct aff_learned_store shown;

    for (size_t at = 0; aff_learner_board_read(tuner->board, at, &shown) && !must_stop(tuner); at++)
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

    (void)pthread_setname_np(pthread_self(), "tuner");
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), LOW_PRIORITY); /* of this thread alone, on Linux */
    while (wait_for(tuner, pause_us(&tuner->config)))
        if (tuner->config.tune_enabled)
            look(tuner);
    return NULL;
}

aff_status aff_tuner_start(const struct aff_config *config, struct aff_learner_board *board,
                           struct aff_log *log, struct aff_tuner **ret_tuner, struct aff_error *reterr)
{
    struct aff_tuner *tuner = calloc(1, sizeof *tuner);
    pthread_condattr_t attributes;
    sigset_t all, before;

    if (tuner == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    tuner->board = board;
    tuner->log = log;
    tuner->config = *config;
    tuner->random.state = (uint64_t)aff_clock_now_us() ^ (uint64_t)getpid() << 32;
    (void)pthread_mutex_init(&tuner->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&tuner->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failure = pthread_create(&tuner->thread, NULL, run, tuner);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0) {
        free(tuner);
        return aff_error_set(reterr, AFF_IO, "cannot start the tuner: %s", strerror(failure));
    }
    *ret_tuner = tuner;
    return AFF_OK;
}

void aff_tuner_configure(struct aff_tuner *tuner, const struct aff_config *config)
{
    (void)pthread_mutex_lock(&tuner->lock);
    tuner->next_config = *config;
    tuner->has_config = true;
    (void)pthread_cond_signal(&tuner->wake);
    (void)pthread_mutex_unlock(&tuner->lock);
}

void aff_tuner_stop(struct aff_tuner *tuner)
{
    if (tuner == NULL)
        return;
    (void)pthread_mutex_lock(&tuner->lock);
    tuner->must_stop = true;
    if (tuner->cancel != NULL)
        aff_cancel_send(tuner->cancel);
    (void)pthread_cond_signal(&tuner->wake);
    (void)pthread_mutex_unlock(&tuner->lock);
}

void aff_tuner_join(struct aff_tuner *tuner)
{
    if (tuner == NULL)
        return;
    (void)pthread_join(tuner->thread, NULL);
    (void)pthread_cond_destroy(&tuner->wake);
    (void)pthread_mutex_destroy(&tuner->lock);
    free(tuner);
}
