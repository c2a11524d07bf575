/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/run.h"

#include "cli/backtest/ask.h"
#include "core/base/clock.h"
#include "sql/load/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One row of a part before it is asked. */
struct step {
    enum aff_backtest_kind kind;
    int which; /* method, weight that is left out, or number of the variation */
};

static const struct {
    const char *name;
    double diversity, rotation;
} variations[] = {
    {"diversity 0.3", 0.3, 0},
    {"diversity 0.6", 0.6, 0},
    {"rotation 1", 0, 1},
};
enum { VARIATIONS = sizeof variations / sizeof variations[0] };

struct run {
    const struct aff_backtest_settings *settings;
    struct aff_backtest_result *result;
    struct aff_learned learned;
    struct aff_contenders contenders;
    struct aff_watch watch;
    const char *phase, *unit;
    uint64_t done, total; /* queries of the phase, when questions are asked */
    struct aff_task tasks[AFF_BACKTEST_TASK_MAX];
    struct aff_asked asked[AFF_BACKTEST_TASK_MAX];        /* of each part, filled again and again */
    struct aff_query_score *blend[AFF_BACKTEST_TASK_MAX]; /* of each part: scores of the blend */
    struct step steps[AFF_BACKTEST_TASK_MAX][AFF_BACKTEST_ROWS_MAX];
};

static aff_status fail(aff_status status, struct aff_error *reterr)
{
    return aff_error_set(reterr, status, "%s", aff_status_text(status));
}

static bool tell(void *context, uint64_t done, uint64_t total)
{
    const struct run *run = context;

    if (run->settings->progress == NULL)
        return true;
    if (run->total > 0)
        return run->settings->progress(run->settings->context, run->phase, run->unit, run->done + done,
                                       run->total);
    return run->settings->progress(run->settings->context, run->phase, run->unit, done, total);
}

static bool begin_phase(struct run *run, const char *phase, const char *unit)
{
    run->phase = phase;
    run->unit = unit;
    return tell(run, 0, 0);
}

/* ---- what is asked ---- */

static struct aff_backtest_split split_of(uint32_t learned, uint32_t n)
{
    return (struct aff_backtest_split){.learned = learned, .asked = n - learned};
}

static void describe(struct run *run)
{
    struct aff_backtest_result *result = run->result;
    const struct aff_learned *learned = &run->learned;
    const struct aff_sequences *sessions = learned->whole_traces.sessions;
    const struct aff_measured_orders *orders = &learned->orders;

    result->n_products = aff_catalogue_size(learned->whole.catalogue);
    result->orders = split_of(learned->n_orders, orders->n);
    result->orders.left_out = learned->n_left_out;
    if (result->orders.asked > 0) {
        result->orders.from_s = orders->orders[0].at_s;
        result->orders.split_s = orders->orders[learned->n_orders].at_s;
        result->orders.to_s = orders->orders[orders->n - 1].at_s;
    }
    /* Views name products that have no price here, too. */
    result->n_offered = aff_learned_offered(learned, orders->n == 0);
    if (sessions == NULL || sessions->n == 0)
        return;
    result->sessions = split_of(learned->n_sessions, sessions->n);
    if (result->sessions.asked > 0) {
        result->sessions.from_s = sessions->at_s[0];
        result->sessions.split_s = sessions->at_s[learned->n_sessions];
        result->sessions.to_s = sessions->at_s[sessions->n - 1];
    }
}

static void add_row(struct run *run, struct aff_backtest_part *part, struct step step, const char *name)
{
    struct aff_backtest_row *row = &part->rows[part->n_rows];

    if (part->n_rows == AFF_BACKTEST_ROWS_MAX)
        return;
    run->steps[part - run->result->parts][part->n_rows++] = step;
    row->kind = step.kind;
    row->is_blend = step.kind == AFF_BACKTEST_METHOD && step.which == AFF_BACKTEST_BLEND;
    row->is_configured = step.kind == AFF_BACKTEST_METHOD && step.which == AFF_BACKTEST_CONFIGURED;
    (void)snprintf(row->name, sizeof row->name, "%s", name);
}

static void plan_rows(struct run *run, struct aff_backtest_part *part)
{
    const struct aff_backtest_settings *settings = run->settings;
    struct aff_weights in_use =
        *aff_contender_weights(&run->contenders, aff_backtest_task(part->task)->situation);
    char name[AFF_BACKTEST_NAME];

    for (int m = 0; m < AFF_BACKTEST_METHOD_MAX; m++)
        if ((settings->methods >> m & 1 || m == AFF_BACKTEST_BLEND) &&
            aff_contender_applies(&run->contenders, (enum aff_backtest_method)m, part->task))
            add_row(run, part, (struct step){AFF_BACKTEST_METHOD, m},
                    aff_backtest_method_name((enum aff_backtest_method)m));
    for (int w = 0; settings->leave_one_out && w < AFF_WEIGHT_MAX; w++)
        if (*aff_weights_at(&in_use, w) > 0 && aff_source_applies(w, part->task)) {
            (void)snprintf(name, sizeof name, "without %s", aff_weight_name(w));
            add_row(run, part, (struct step){AFF_BACKTEST_WITHOUT, w}, name);
        }
    for (int v = 0; settings->diversity && v < VARIATIONS; v++)
        add_row(run, part, (struct step){AFF_BACKTEST_VARIED, v}, variations[v].name);
}

static bool has_data(const struct run *run, enum aff_backtest_task task)
{
    const struct aff_backtest_split *split =
        task == AFF_BACKTEST_VIEWS ? &run->result->sessions : &run->result->orders;

    return split->learned > 0 && split->asked > 0;
}

static aff_status plan_part(struct run *run, enum aff_backtest_task name)
{
    const struct aff_backtest_settings *settings = run->settings;
    const struct aff_backtest_task_row *row = aff_backtest_task(name);
    struct aff_backtest_part *part = &run->result->parts[run->result->n_parts];
    struct aff_task *task = &run->tasks[run->result->n_parts];
    struct aff_asked *asked = &run->asked[run->result->n_parts];
    const struct aff_learned *learned = &run->learned;
    aff_status status = aff_task_sample(row->situation, &learned->whole, &learned->orders, learned->n_orders,
                                        learned->n_sessions, settings->n_queries, settings->seed, task);

    if (status != AFF_OK)
        return status;
    *part = (struct aff_backtest_part){
        .task = name,
        .k = settings->limit > 0 ? settings->limit : row->k,
        .n_queries = task->n,
        .n_groups = task->n_groups,
        .fitted = aff_contender_applies(&run->contenders, AFF_BACKTEST_CONFIGURED, name),
    };
    run->result->n_parts++;
    if (part->n_queries < AFF_BACKTEST_LEAST)
        return AFF_OK;
    plan_rows(run, part);
    run->total += (uint64_t)part->n_rows * part->n_queries;
    status = aff_asked_new(task->n, part->k, asked);
    return status;
}

/* ---- asking ---- */

static aff_status reckon(struct run *run, uint32_t p, struct aff_backtest_row *row)
{
    const struct aff_backtest_part *part = &run->result->parts[p];
    const struct aff_asked *asked = &run->asked[p];
    const bool unpriced = part->task == AFF_BACKTEST_VIEWS;
    aff_status status = AFF_OK;

    row->mean_us = asked->mean_us;
    row->compared = run->blend[p] != NULL;
    for (int m = 0; status == AFF_OK && m < AFF_METRIC_OF_QUERY; m++) {
        const enum aff_metric metric = (enum aff_metric)m;
        status = aff_metric_mean(asked->scores, NULL, metric, asked->groups, part->n_queries, part->n_groups,
                                 &row->figures[m]);
        if (status == AFF_OK && row->compared)
            status = aff_metric_mean(asked->scores, run->blend[p], metric, asked->groups, part->n_queries,
                                     part->n_groups, &row->gains[m]);
    }
    if (status == AFF_OK)
        status = aff_metric_coverage(asked->shown, asked->n_shown, part->k, asked->groups, part->n_queries,
                                     part->n_groups, run->result->n_products,
                                     aff_learned_offered(&run->learned, unpriced),
                                     &row->figures[AFF_METRIC_COVERAGE]);
    return status;
}

static aff_status keep_blend(struct run *run, uint32_t p)
{
    const size_t bytes = run->tasks[p].n * sizeof *run->blend[p];

    run->blend[p] = malloc(bytes);
    if (run->blend[p] == NULL)
        return AFF_NOMEM;
    memcpy(run->blend[p], run->asked[p].scores, bytes);
    return AFF_OK;
}

static aff_status ask(struct run *run, uint32_t p, uint32_t at)
{
    struct aff_backtest_part *part = &run->result->parts[p];
    struct aff_backtest_row *row = &part->rows[at];
    const struct step step = run->steps[p][at];
    const enum aff_backtest_method method =
        step.kind == AFF_BACKTEST_METHOD ? (enum aff_backtest_method)step.which : AFF_BACKTEST_BLEND;
    struct aff_contender contender;
    aff_status status = aff_contender_make(&run->contenders, method, part->task, &contender);

    if (status != AFF_OK)
        return status;
    if (step.kind == AFF_BACKTEST_WITHOUT)
        for (int s = 0; s < AFF_SITUATION_MAX; s++)
            *aff_weights_at(&contender.blend.of[s], step.which) = 0;
    if (step.kind == AFF_BACKTEST_VARIED) {
        contender.diversity = variations[step.which].diversity;
        contender.rotation = variations[step.which].rotation;
        contender.seed = run->settings->seed;
    }
    status = aff_ask(&contender, &run->tasks[p], part->k, run->learned.prices, run->settings->train.n_threads,
                     &run->watch, &run->asked[p]);
    if (status == AFF_OK)
        status = reckon(run, p, row);
    if (status == AFF_OK && row->is_blend)
        status = keep_blend(run, p);
    run->done += part->n_queries;
    return status;
}

/* Method by method, so that what one needs is made once for all tasks; the blend first, since the others are
 * compared with it. */
static aff_status ask_all(struct run *run)
{
    aff_status status = AFF_OK;

    for (int m = AFF_BACKTEST_METHOD_MAX; m-- > 0;)
        for (uint32_t p = 0; p < run->result->n_parts; p++)
            for (uint32_t at = 0; status == AFF_OK && at < run->result->parts[p].n_rows; at++)
                if (run->steps[p][at].kind == AFF_BACKTEST_METHOD && run->steps[p][at].which == m)
                    status = ask(run, p, at);
    for (uint32_t p = 0; p < run->result->n_parts; p++)
        for (uint32_t at = 0; status == AFF_OK && at < run->result->parts[p].n_rows; at++)
            if (run->steps[p][at].kind != AFF_BACKTEST_METHOD)
                status = ask(run, p, at);
    return status;
}

/* ---- all ---- */

static aff_status prepare(struct run *run, struct aff_connection *connection, int store,
                          struct aff_error *reterr)
{
    const struct aff_backtest_settings *settings = run->settings;
    const struct aff_learn_wish wish = {
        .test_share = settings->test_share,
        .limit_bytes = settings->limit_bytes,
        .views = (settings->tasks >> AFF_BACKTEST_VIEWS & 1) != 0,
    };
    struct aff_train_settings train = settings->train;

    if (!begin_phase(run, "learning", "products"))
        return fail(AFF_CANCELLED, reterr);
    train.watch = run->watch;
    aff_status status = aff_learn(connection, store, &train, &wish, &run->learned, reterr);
    if (status != AFF_OK)
        return status;
    describe(run);
    for (int t = 0; status == AFF_OK && t < AFF_BACKTEST_TASK_MAX; t++)
        if (settings->tasks >> t & 1 && has_data(run, (enum aff_backtest_task)t))
            status = plan_part(run, (enum aff_backtest_task)t);
    if (status == AFF_OK && run->result->n_parts == 0)
        return aff_error_set(reterr, AFF_DATA,
                             "there is nothing to ask: the store has no %s; see 'affinityctl import --help'",
                             run->learned.orders.n == 0 ? "orders that count" : "sessions");
    return status == AFF_OK ? AFF_OK : fail(status, reterr);
}

static void done(struct run *run)
{
    for (int p = 0; p < AFF_BACKTEST_TASK_MAX; p++) {
        aff_task_done(&run->tasks[p]);
        aff_asked_done(&run->asked[p]);
        free(run->blend[p]);
    }
    aff_contenders_done(&run->contenders);
    aff_learned_done(&run->learned);
    free(run);
}

aff_status aff_backtest(struct aff_connection *connection, const char *store,
                        const struct aff_backtest_settings *settings, struct aff_backtest_result *ret_result,
                        struct aff_error *reterr)
{
    const int64_t began_us = aff_clock_monotonic_us();
    struct run *run = calloc(1, sizeof *run);
    int number;

    if (run == NULL)
        return fail(AFF_NOMEM, reterr);
    *ret_result = (struct aff_backtest_result){
        .store = store, .seed = settings->seed, .test_share = settings->test_share};
    run->settings = settings;
    run->result = ret_result;
    run->watch = (struct aff_watch){tell, run};
    run->contenders = (struct aff_contenders){
        .learned = &run->learned, .configured = &settings->configured, .watch = &run->watch};
    aff_status status = aff_store_find(connection, store, &number, ret_result->currency, reterr);
    if (status == AFF_OK)
        status = prepare(run, connection, number, reterr);
    if (status == AFF_OK) {
        status = begin_phase(run, "asking", "queries") ? ask_all(run) : AFF_CANCELLED;
        if (status != AFF_OK)
            (void)fail(status, reterr);
    }
    ret_result->seconds = (double)(aff_clock_monotonic_us() - began_us) / AFF_SECOND_US;
    done(run);
    return status;
}
