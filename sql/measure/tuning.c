/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/measure/tuning.h"

#include "sql/load/model.h"
#include "sql/load/parts.h"
#include "sql/measure/orders.h"
#include "sql/sessions/fitted.h"
#include "sql/sessions/load_traces.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct tuning {
    struct aff_connection *connection;
    const struct aff_tuning_settings *settings;
    struct aff_tuning_report *report;
    int store;
    struct aff_model whole; /* catalogue, sessions, weights in use */
    struct aff_measured_orders orders;
    struct aff_train train;
    const char *phase, *unit;
};

static aff_status fail(aff_status status, struct aff_error *reterr)
{
    return aff_error_set(reterr, status, "%s", aff_status_text(status));
}

static bool tell(void *context, uint64_t done, uint64_t total)
{
    const struct tuning *tuning = context;
    const struct aff_tuning_settings *settings = tuning->settings;

    return settings->progress == NULL ||
           settings->progress(settings->context, tuning->phase, tuning->unit, done, total);
}

static aff_status begin_phase(struct tuning *tuning, const char *phase, const char *unit,
                              struct aff_error *reterr)
{
    tuning->phase = phase;
    tuning->unit = unit;
    return tell(tuning, 0, 0) ? AFF_OK : fail(AFF_CANCELLED, reterr);
}

/* ---- what is learned from and asked about ---- */

/* In one snapshot, like a model, but only the parts that questions need. */
static aff_status read_store(struct tuning *tuning, struct aff_error *reterr)
{
    struct aff_model *whole = &tuning->whole;
    struct aff_error ignored;
    aff_status status = aff_load_begin(tuning->connection, tuning->store, reterr);

    if (status == AFF_OK)
        status = aff_fitted_read(tuning->connection, tuning->store, &whole->fitted, &whole->fitted_version,
                                 reterr);
    if (status == AFF_OK)
        status = aff_load_products(tuning->connection, tuning->store, &whole->catalogue, reterr);
    if (status == AFF_OK)
        status = aff_load_sessions(tuning->connection, tuning->store, whole->catalogue,
                                   &whole->traces->sessions, reterr);
    if (status == AFF_OK)
        status = aff_measured_orders_read(tuning->connection, tuning->store, whole->catalogue,
                                          &tuning->orders, reterr);
    if (status == AFF_OK && !tell(tuning, tuning->orders.n, tuning->orders.n))
        status = fail(AFF_CANCELLED, reterr);
    (void)!aff_execute(tuning->connection, "ROLLBACK", &ignored); /* nothing was written */
    return status;
}

/* The last tenth is asked about; of a small store more, so that there is enough to tell fits apart, but never
 * more than three tenths. */
static uint32_t count_asked(uint32_t n)
{
    enum { WANTED = 2000 };
    const uint32_t tenth = n / 10, most = (uint32_t)((uint64_t)n * 3 / 10);

    if (tenth >= WANTED)
        return tenth;
    return most < WANTED ? most : WANTED;
}

static aff_status split(struct tuning *tuning, struct aff_error *reterr)
{
    const struct aff_tuning_settings *settings = tuning->settings;
    const struct aff_sequences *sessions = tuning->whole.traces->sessions;
    const uint32_t n_products = aff_catalogue_size(tuning->whole.catalogue);
    const uint32_t n_sessions = sessions == NULL ? 0 : sessions->n;
    uint64_t limit_bytes = settings->limit_bytes == 0 ? UINT64_MAX : settings->limit_bytes;
    /* Products and sessions are held twice, the second time as they were before the last ones. */
    const uint64_t taken = 2 * (aff_catalogue_bytes(tuning->whole.catalogue) + aff_sequences_bytes(sessions));
    const uint32_t first =
        taken >= limit_bytes
            ? tuning->orders.n
            : aff_train_first_order(&tuning->orders, n_products, &settings->train, limit_bytes - taken);

    if (tuning->orders.n > 0 && first == tuning->orders.n)
        return aff_error_set(reterr, AFF_LIMIT,
                             "%" PRIu64 " MB are too little to fit the weights of %" PRIu32
                             " products; raise tune.memory_mb",
                             settings->limit_bytes >> 20, n_products);
    aff_measured_orders_drop(&tuning->orders, first);
    tuning->report->asked_orders = count_asked(tuning->orders.n);
    tuning->report->orders = tuning->orders.n - tuning->report->asked_orders;
    tuning->report->asked_sessions = count_asked(n_sessions);
    tuning->report->sessions = n_sessions - tuning->report->asked_sessions;
    return AFF_OK;
}

static aff_status prepare(struct tuning *tuning, struct aff_error *reterr)
{
    struct aff_train_settings train = tuning->settings->train;

    train.session_holders = AFF_TRACES_HOLDERS;
    train.watch = (struct aff_watch){tell, tuning};
    aff_status status = begin_phase(tuning, "reading orders", "orders", reterr);
    if (status == AFF_OK)
        status = read_store(tuning, reterr);
    if (status == AFF_OK)
        status = split(tuning, reterr);
    if (status == AFF_OK)
        status = begin_phase(tuning, "learning", "products", reterr);
    if (status != AFF_OK)
        return status;
    return aff_train(&tuning->whole, &tuning->orders, tuning->report->orders, tuning->report->sessions,
                     &train, &tuning->train, reterr);
}

/* ---- fitting ---- */

static const char *phase_of(enum aff_situation situation)
{
    static const char *const names[] = {
#define X(name, text) "fitting " text,
        AFF_SITUATION_LIST(X)
#undef X
    };
    return names[situation];
}

static aff_status fit(struct tuning *tuning, enum aff_situation situation, struct aff_error *reterr)
{
    const struct aff_blend *configured = &tuning->settings->configured;
    const struct aff_fitted *fitted = &tuning->whole.fitted;
    const struct aff_fit_settings settings = {
        .in_use = fitted->given[situation] ? fitted->of[situation] : configured->of[situation],
        .configured = configured->of[situation],
        .personal_half_life_days = configured->personal_half_life_days,
        .watch = {tell, tuning},
    };
    struct aff_tuned *tuned = &tuning->report->of[situation];
    struct aff_task task;
    aff_status status = aff_task_make(situation, &tuning->whole, &tuning->orders, tuning->report->orders,
                                      tuning->report->sessions, &task);

    tuned->situation = situation;
    tuned->questions = task.n;
    tuning->phase = phase_of(situation);
    tuning->unit = "weights";
    if (status == AFF_OK && task.n >= AFF_FIT_QUESTIONS) {
        status = aff_fit_weights(&task, tuning->train.model, &settings, &tuned->fit);
        tuned->fitted = status == AFF_OK;
    }
    aff_task_done(&task);
    return status == AFF_OK ? AFF_OK : fail(status, reterr);
}

static void write_evidence(const struct tuning *tuning, const struct aff_tuned *tuned, char *into,
                           size_t size)
{
    const struct aff_fit *fit = &tuned->fit;
    const struct aff_task_score *before = &fit->before_mean, *after = &fit->after_mean;

    (void)snprintf(into, size,
                   "{\"by\": \"%s\", \"questions\": %" PRIu32 ", \"differing\": %" PRIu32
                   ", \"gain\": %.6f, \"standard_error\": %.6f,"
                   " \"before\": {\"hit\": %.4f, \"ndcg\": %.4f, \"mrr\": %.4f, \"recall\": %.4f},"
                   " \"after\": {\"hit\": %.4f, \"ndcg\": %.4f, \"mrr\": %.4f, \"recall\": %.4f}}",
                   tuning->settings->by, fit->n, fit->differing, fit->gain, fit->standard_error,
                   (double)before->hit, (double)before->ndcg, (double)before->mrr, (double)before->recall,
                   (double)after->hit, (double)after->ndcg, (double)after->mrr, (double)after->recall);
}

static aff_status store(struct tuning *tuning, struct aff_error *reterr)
{
    struct aff_fitted_new fits[AFF_SITUATION_MAX];
    enum aff_situation situations[AFF_SITUATION_MAX];
    struct aff_tuning_report *report = tuning->report;
    int n = 0;

    for (int s = 0; s < AFF_SITUATION_MAX; s++) {
        const struct aff_tuned *tuned = &report->of[s];
        if (!tuned->fitted)
            continue;
        fits[n] = (struct aff_fitted_new){
            .situation = tuned->situation, .weights = tuned->fit.after, .adopted = tuned->fit.better};
        write_evidence(tuning, tuned, fits[n].evidence, sizeof fits[n].evidence);
        situations[n++] = tuned->situation;
    }
    aff_status status =
        aff_fitted_add(tuning->connection, tuning->store, tuning->whole.fitted_version, fits, n, reterr);
    for (int i = 0; status == AFF_OK && i < n; i++)
        report->of[situations[i]].number = fits[i].fit;
    return status;
}

static aff_status tune_locked(struct tuning *tuning, struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    tuning->report->due = true;
    if (tuning->settings->due_s > 0)
        status = aff_fitted_is_due(tuning->connection, tuning->store, tuning->settings->due_s,
                                   &tuning->report->due, reterr);
    if (status != AFF_OK || !tuning->report->due)
        return status;
    status = prepare(tuning, reterr);
    for (int s = 0; status == AFF_OK && s < AFF_SITUATION_MAX; s++) {
        status = fit(tuning, (enum aff_situation)s, reterr);
        tuning->report->n_adopted += status == AFF_OK && tuning->report->of[s].fit.better;
    }
    if (status == AFF_OK && !tuning->settings->dry_run)
        status = store(tuning, reterr);
    return status;
}

aff_status aff_tune(struct aff_connection *connection, const char *store_name,
                    const struct aff_tuning_settings *settings, struct aff_tuning_report *ret_report,
                    struct aff_error *reterr)
{
    struct aff_traces traces = {0};
    struct tuning tuning = {
        .connection = connection, .settings = settings, .report = ret_report, .whole = {.traces = &traces}};
    char currency[4];

    *ret_report = (struct aff_tuning_report){0};
    aff_status status = aff_store_find(connection, store_name, &tuning.store, currency, reterr);
    if (status != AFF_OK)
        return status;
    status = aff_fitted_lock(connection, tuning.store, reterr);
    if (status != AFF_OK)
        return status;
    status = tune_locked(&tuning, reterr);
    aff_fitted_unlock(connection, tuning.store);
    aff_train_done(&tuning.train);
    aff_measured_orders_done(&tuning.orders);
    aff_sequences_free(traces.sessions);
    aff_catalogue_free(tuning.whole.catalogue);
    return status;
}
