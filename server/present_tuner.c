/* SPDX-License-Identifier: Apache-2.0 */
#include "server/present_tuner.h"

#include "server/present_learner.h"

void aff_present_fitted(struct aff_json *json, const struct aff_fitted *fitted)
{
    aff_json_open_array(json);
    for (int s = 0; s < AFF_SITUATION_MAX; s++)
        if (fitted->given[s])
            aff_json_string(json, aff_situation_name((enum aff_situation)s));
    aff_json_close_array(json);
}

static double running_of(const struct aff_learned_store *store)
{
    return store->fitting;
}

static double fits_of(const struct aff_learned_store *store)
{
    return (double)store->fits;
}

static double adopted_of(const struct aff_learned_store *store)
{
    return (double)store->fits_adopted;
}

static double failures_of(const struct aff_learned_store *store)
{
    return (double)store->fit_failures;
}

static double time_of(const struct aff_learned_store *store)
{
    return (double)store->fit_took_us / 1e6;
}

static double at_of(const struct aff_learned_store *store)
{
    return (double)store->fitted_us / 1e6;
}

static const struct aff_learner_metric metrics[] = {
    {"affinity_tuner_running", "gauge", "1 while this process fits the store's weights.", running_of},
    {"affinity_tuner_fits_total", "counter", "Times that this process fitted the store's weights.", fits_of},
    {"affinity_tuner_adopted_total", "counter", "Weights of a situation that were better and put to use.",
     adopted_of},
    {"affinity_tuner_failures_total", "counter", "Fits that failed.", failures_of},
    {"affinity_tuner_fit_seconds", "gauge", "Time that the newest fit took.", time_of},
    {"affinity_tuner_fitted_timestamp_seconds", "gauge",
     "When this process last fitted the store's weights; 0: never.", at_of},
};

void aff_present_tuner_metrics(struct aff_json *to, struct aff_learner_board *board)
{
    aff_present_board(to, board, metrics, sizeof metrics / sizeof *metrics);
}
