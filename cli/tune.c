/* SPDX-License-Identifier: Apache-2.0 */
/* affinityctl tune: fits the weights of the sources to the newest orders and sessions of a store. */
#include "cli/command.h"
#include "cli/measure/fit.h"
#include "cli/settings.h"
#include "config/blend.h"
#include "config/traces.h"
#include "sql/load/model.h"
#include "sql/sessions/fitted.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_RESET = 1, OPTION_DRY_RUN, LEAST_QUESTIONS = 100, EVIDENCE_BYTES = 512 };

static const struct option options[] = {
    AFF_COMMON_OPTIONS,
    {"reset", no_argument, NULL, OPTION_RESET},
    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "Usage: affinityctl tune [OPTION...]\n"
    "\n"
    "Learns from the first 90 % of the store's orders and sessions in memory, asks what the last 10 % "
    "answer\n"
    "(hidden products of carts, next baskets, next views), and fits the weights of the sources to half of\n"
    "these questions, for each situation by itself. Weights that are better than those in use on the other\n"
    "half, by more than the standard error, are stored with these figures and used from the next load on.\n"
    "\n"
    "Options:\n"
    "  --dry-run         only show what would be stored\n"
    "  --reset           go back to the weights of the configuration; fits are kept for the record\n"
    "\n" AFF_COMMON_HELP "\n"
    "Examples:\n"
    "  affinityctl tune\n"
    "  affinityctl tune --store outlet --dry-run\n"
    "  affinityctl tune --reset\n";

struct tuning {
    const struct aff_settings *settings;
    struct aff_connection *connection;
    struct aff_model *whole;
    struct aff_measured_orders orders;
    struct aff_train train;
    uint32_t n_orders, n_sessions; /* that are learned from */
    int store;
    bool dry_run;
};

static void print_fit(const struct aff_task *task, const struct aff_fit *fit)
{
    const enum aff_situation situation = task->situation;
    const bool next = situation == AFF_SITUATION_NEXT_BASKET, views = situation == AFF_SITUATION_VIEWS;
    const struct aff_task_score *before = &fit->before_mean, *after = &fit->after_mean;
    struct aff_weights weights = fit->after;

    (void)printf("%-12s %5" PRIu32
                 " questions  %s %.4f -> %.4f  %s %.4f -> %.4f  gain %+.4f (s.e. %.4f): %s\n",
                 aff_situation_name(situation), fit->n,
                 next    ? "recall@10"
                 : views ? "HR@20"
                         : "HR@10",
                 (double)(next ? before->recall : before->hit), (double)(next ? after->recall : after->hit),
                 views ? "MRR@20" : "NDCG@10", (double)(views ? before->mrr : before->ndcg),
                 (double)(views ? after->mrr : after->ndcg), fit->gain, fit->standard_error,
                 fit->better ? "adopted" : "kept as it was");
    if (!fit->better)
        return;
    (void)printf("            ");
    for (int w = 0; w < AFF_WEIGHT_MAX; w++)
        if (*aff_weights_at(&weights, w) > 0)
            (void)printf(" %s %g", aff_weight_name(w), *aff_weights_at(&weights, w));
    (void)printf("\n");
}

static aff_status store_fit(const struct tuning *tuning, const struct aff_task *task,
                            const struct aff_fit *fit, struct aff_error *reterr)
{
    char evidence[EVIDENCE_BYTES];
    const struct aff_task_score *before = &fit->before_mean, *after = &fit->after_mean;

    (void)snprintf(evidence, sizeof evidence,
                   "{\"questions\": %" PRIu32 ", \"gain\": %.6f, \"standard_error\": %.6f,"
                   " \"before\": {\"hit\": %.4f, \"ndcg\": %.4f, \"mrr\": %.4f, \"recall\": %.4f},"
                   " \"after\": {\"hit\": %.4f, \"ndcg\": %.4f, \"mrr\": %.4f, \"recall\": %.4f}}",
                   fit->n, fit->gain, fit->standard_error, (double)before->hit, (double)before->ndcg,
                   (double)before->mrr, (double)before->recall, (double)after->hit, (double)after->ndcg,
                   (double)after->mrr, (double)after->recall);
    return aff_fitted_add(tuning->connection, tuning->store, task->situation, &fit->after, evidence,
                          fit->better, reterr);
}

static aff_status tune_one(const struct tuning *tuning, enum aff_situation situation,
                           struct aff_error *reterr)
{
    const struct aff_blend blend = aff_config_blend(&tuning->settings->config);
    const struct aff_fitted *fitted = &tuning->whole->traces->fitted;
    const struct aff_weights *in_use =
        fitted->given[situation] ? &fitted->of[situation] : &blend.of[situation];
    struct aff_task task;
    struct aff_fit fit;
    aff_status status =
        aff_task_make(situation, tuning->whole, &tuning->orders, tuning->n_orders, tuning->n_sessions, &task);

    if (status != AFF_OK || task.n < LEAST_QUESTIONS) {
        if (status == AFF_OK)
            (void)printf("%-12s %5" PRIu32 " questions: too few, at least %d are needed\n",
                         aff_situation_name(situation), task.n, LEAST_QUESTIONS);
        goto out;
    }
    status = aff_fit_weights(&task, tuning->train.model, in_use, blend.personal_half_life_days, &fit);
    if (status != AFF_OK)
        goto out;
    print_fit(&task, &fit);
    (void)fflush(stdout);
    if (!tuning->dry_run)
        status = store_fit(tuning, &task, &fit, reterr);
    aff_task_done(&task);
    return status;
out:
    aff_task_done(&task);
    return status == AFF_OK ? AFF_OK : aff_error_set(reterr, status, "%s", aff_status_text(status));
}

static aff_status prepare(struct tuning *tuning, struct aff_error *reterr)
{
    enum { MEGABYTE = 1 << 20 };
    const struct aff_config *config = &tuning->settings->config;
    const struct aff_load_bounds bounds = {.limit_bytes = (uint64_t)config->memory_limit_mb * MEGABYTE,
                                           .traces = aff_config_traces(config)};
    char currency[4];
    aff_status status =
        aff_store_find(tuning->connection, config->store_name, &tuning->store, currency, reterr);

    if (status == AFF_OK)
        status = aff_model_load(tuning->connection, config->store_name, &bounds, &tuning->whole, reterr);
    if (status == AFF_OK)
        status = aff_measured_orders_read(tuning->connection, tuning->store, tuning->whole->catalogue,
                                          &tuning->orders, reterr);
    if (status != AFF_OK)
        return status;
    const struct aff_sequences *sessions = tuning->whole->traces->sessions;
    tuning->n_orders = (uint32_t)((uint64_t)tuning->orders.n * 9 / 10);
    tuning->n_sessions = sessions == NULL ? 0 : (uint32_t)((uint64_t)sessions->n * 9 / 10);
    return aff_train(tuning->whole, &tuning->orders, tuning->n_orders, tuning->n_sessions, config,
                     &tuning->train, reterr);
}

static aff_status run(struct tuning *tuning, bool reset, struct aff_error *reterr)
{
    char currency[4];
    int64_t n = 0;
    aff_status status = AFF_OK;

    if (reset) {
        status = aff_store_find(tuning->connection, tuning->settings->config.store_name, &tuning->store,
                                currency, reterr);
        if (status == AFF_OK)
            status = aff_fitted_reset(tuning->connection, tuning->store, &n, reterr);
        if (status == AFF_OK)
            (void)printf("%" PRId64 " fits are no longer used\n", n);
        return status;
    }
    status = prepare(tuning, reterr);
    for (int s = 0; status == AFF_OK && s < AFF_SITUATION_MAX; s++)
        status = tune_one(tuning, (enum aff_situation)s, reterr);
    return status;
}

int aff_command_tune(int argc, char **argv)
{
    struct aff_settings settings = {0};
    struct aff_connection connection = {0};
    struct tuning tuning = {.settings = &settings, .connection = &connection};
    struct aff_error error;
    bool reset = false;

    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == OPTION_RESET) {
            reset = true;
        } else if (option == OPTION_DRY_RUN) {
            tuning.dry_run = true;
        } else if (!aff_settings_take(&settings, option, optarg)) {
            (void)fprintf(stderr, "see 'affinityctl tune --help'\n");
            return AFF_EXIT_USAGE;
        }
    }
    if (settings.help) {
        (void)fputs(help, stdout);
        return AFF_EXIT_OK;
    }
    if (optind < argc) {
        (void)fprintf(stderr, "affinityctl tune: '%s' is not expected; see 'affinityctl tune --help'\n",
                      argv[optind]);
        return AFF_EXIT_USAGE;
    }
    aff_status status = aff_settings_load(&settings, &error);
    if (status == AFF_OK)
        status = aff_settings_connect(&settings, &connection, &error);
    if (status == AFF_OK)
        status = run(&tuning, reset, &error);
    aff_train_done(&tuning.train);
    aff_measured_orders_done(&tuning.orders);
    aff_model_free(tuning.whole);
    aff_connection_close(&connection);
    return status == AFF_OK ? AFF_EXIT_OK : aff_settings_fail("tune", &error);
}
