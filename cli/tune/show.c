/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tune/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The two figures whose sum a situation's fit looks at. */
struct figures {
    const char *first_name, *second_name;
    double first, second;
};

static struct figures figures_of(enum aff_situation situation, const struct aff_task_score *score)
{
    switch (situation) {
    case AFF_SITUATION_NEXT_BASKET:
        return (struct figures){"recall@10", "NDCG@10", (double)score->recall, (double)score->ndcg};
    case AFF_SITUATION_VIEWS:
        return (struct figures){"HR@20", "MRR@20", (double)score->hit, (double)score->mrr};
    default:
        return (struct figures){"HR@10", "NDCG@10", (double)score->hit, (double)score->ndcg};
    }
}

static double at_least(double gain, double standard_error)
{
    return gain - AFF_FIT_Z * standard_error;
}

/* ---- a fit that was just made ---- */

static void print_weights(const struct aff_weights *weights)
{
    struct aff_weights copy = *weights;

    (void)printf("            ");
    for (int w = 0; w < AFF_FITTED_MAX; w++)
        if (*aff_weights_at(&copy, w) > 0)
            (void)printf(" %s %g", aff_weight_name(w), *aff_weights_at(&copy, w));
    (void)printf("\n");
}

static const char *verdict(const struct aff_fit *fit)
{
    if (fit->better)
        return "adopted";
    return memcmp(&fit->before, &fit->after, sizeof fit->before) == 0 ? "nothing better was found"
                                                                      : "kept as it was";
}

static void print_tuned(const struct aff_tuned *tuned, bool dry_run)
{
    const struct aff_fit *fit = &tuned->fit;
    const struct figures before = figures_of(tuned->situation, &fit->before_mean);
    const struct figures after = figures_of(tuned->situation, &fit->after_mean);

    (void)printf("%-12s %5" PRIu32
                 " questions  %s %.4f -> %.4f  %s %.4f -> %.4f  gain %+.4f, at least %+.4f with 95 %%: %s",
                 aff_situation_name(tuned->situation), fit->n, before.first_name, before.first, after.first,
                 before.second_name, before.second, after.second, fit->gain,
                 at_least(fit->gain, fit->standard_error), verdict(fit));
    if (tuned->number > 0)
        (void)printf(" (fit %" PRId64 ")", tuned->number);
    else if (dry_run && fit->better)
        (void)printf(" without --dry-run");
    (void)printf("\n");
    if (fit->better)
        print_weights(&fit->after);
}

void aff_show_tuning(const struct aff_tuning_report *report, bool dry_run)
{
    (void)printf("learned from %" PRIu32 " orders and %" PRIu32 " sessions, asked about %" PRIu32
                 " and %" PRIu32 "\n",
                 report->orders, report->sessions, report->asked_orders, report->asked_sessions);
    for (int s = 0; s < AFF_SITUATION_MAX; s++) {
        const struct aff_tuned *tuned = &report->of[s];
        if (tuned->fitted)
            print_tuned(tuned, dry_run);
        else
            (void)printf("%-12s %5" PRIu32 " questions: too few, at least %d are needed\n",
                         aff_situation_name(tuned->situation), tuned->questions, AFF_FIT_QUESTIONS);
    }
}

static void write_score(struct aff_json *json, const char *name, const struct aff_task_score *score)
{
    aff_json_name(json, name);
    aff_json_open_object(json);
    aff_json_name(json, "hit");
    aff_json_score(json, (double)score->hit);
    aff_json_name(json, "ndcg");
    aff_json_score(json, (double)score->ndcg);
    aff_json_name(json, "mrr");
    aff_json_score(json, (double)score->mrr);
    aff_json_name(json, "recall");
    aff_json_score(json, (double)score->recall);
    aff_json_close_object(json);
}

static void write_gain(struct aff_json *json, double gain, double standard_error)
{
    aff_json_name(json, "gain");
    aff_json_score(json, gain);
    aff_json_name(json, "standard_error");
    aff_json_score(json, standard_error);
    aff_json_name(json, "gain_at_least");
    aff_json_score(json, at_least(gain, standard_error));
}

static void write_weights(struct aff_json *json, const struct aff_weights *weights)
{
    struct aff_weights copy = *weights;

    aff_json_name(json, "weights");
    aff_json_open_object(json);
    for (int w = 0; w < AFF_FITTED_MAX; w++) {
        aff_json_name(json, aff_weight_name(w));
        aff_json_score(json, *aff_weights_at(&copy, w));
    }
    aff_json_close_object(json);
}

static void write_tuned(struct aff_json *json, const struct aff_tuned *tuned)
{
    const struct aff_fit *fit = &tuned->fit;

    aff_json_open_object(json);
    aff_json_name(json, "situation");
    aff_json_string(json, aff_situation_name(tuned->situation));
    aff_json_name(json, "questions");
    aff_json_uint(json, tuned->questions);
    aff_json_name(json, "fitted");
    aff_json_bool(json, tuned->fitted);
    if (tuned->fitted) {
        aff_json_name(json, "fit");
        if (tuned->number > 0)
            aff_json_int(json, tuned->number);
        else
            aff_json_null(json);
        aff_json_name(json, "judges");
        aff_json_uint(json, fit->n);
        aff_json_name(json, "differing");
        aff_json_uint(json, fit->differing);
        write_score(json, "before", &fit->before_mean);
        write_score(json, "after", &fit->after_mean);
        write_gain(json, fit->gain, fit->standard_error);
        aff_json_name(json, "adopted");
        aff_json_bool(json, fit->better);
        write_weights(json, &fit->after);
    }
    aff_json_close_object(json);
}

void aff_show_tuning_json(const struct aff_tuning_report *report, struct aff_json *json)
{
    aff_json_open_object(json);
    aff_json_name(json, "orders");
    aff_json_uint(json, report->orders);
    aff_json_name(json, "asked_orders");
    aff_json_uint(json, report->asked_orders);
    aff_json_name(json, "sessions");
    aff_json_uint(json, report->sessions);
    aff_json_name(json, "asked_sessions");
    aff_json_uint(json, report->asked_sessions);
    aff_json_name(json, "situations");
    aff_json_open_array(json);
    for (int s = 0; s < AFF_SITUATION_MAX; s++)
        write_tuned(json, &report->of[s]);
    aff_json_close_array(json);
    aff_json_close_object(json);
}

/* ---- fits that are stored ---- */

void aff_show_fits_head(void)
{
    (void)printf("%5s  %-20s  %-12s  %9s  %-18s  %-14s  %-14s  %8s  %8s  %-7s  %s\n", "fit", "made at",
                 "situation", "questions", "figures", "before", "after", "gain", "at least", "adopted",
                 "in use");
}

void aff_show_fit(const struct aff_fitted_row *row)
{
    enum { CELL = 32 };
    enum aff_situation situation = AFF_SITUATION_CART;
    char names[CELL], before[CELL], after[CELL];

    for (int s = 0; s < AFF_SITUATION_MAX; s++)
        if (strcmp(row->situation, aff_situation_name((enum aff_situation)s)) == 0)
            situation = (enum aff_situation)s;
    const struct figures was = figures_of(situation, &row->before), is = figures_of(situation, &row->after);
    (void)snprintf(names, sizeof names, "%s, %s", was.first_name, was.second_name);
    (void)snprintf(before, sizeof before, "%.4f, %.4f", was.first, was.second);
    (void)snprintf(after, sizeof after, "%.4f, %.4f", is.first, is.second);
    (void)printf("%5" PRId64 "  %-20s  %-12s  %9" PRIu32 "  %-18s  %-14s  %-14s  %+8.4f  %+8.4f  %-7s  %s\n",
                 row->fit, row->at, row->situation, row->questions, names, before, after, row->gain,
                 at_least(row->gain, row->standard_error), row->adopted ? "yes" : "no",
                 row->in_use ? "yes" : "");
}

void aff_show_fit_json(const struct aff_fitted_row *row, struct aff_json *json)
{
    aff_json_open_object(json);
    aff_json_name(json, "fit");
    aff_json_int(json, row->fit);
    aff_json_name(json, "situation");
    aff_json_string(json, row->situation);
    aff_json_name(json, "fitted_at");
    aff_json_string(json, row->at);
    aff_json_name(json, "adopted");
    aff_json_bool(json, row->adopted);
    aff_json_name(json, "in_use");
    aff_json_bool(json, row->in_use);
    aff_json_name(json, "weights");
    aff_json_raw(json, row->weights, strlen(row->weights));
    write_gain(json, row->gain, row->standard_error);
    aff_json_name(json, "evidence");
    aff_json_raw(json, row->evidence, strlen(row->evidence));
    aff_json_close_object(json);
}
