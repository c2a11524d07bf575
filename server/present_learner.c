/* SPDX-License-Identifier: Apache-2.0 */
#include "server/present_learner.h"

#include "core/base/clock.h"
#include "server/exposition.h"

static double leads_of(const struct aff_learned_store *store)
{
    return store->leads;
}

static double epoch_of(const struct aff_learned_store *store)
{
    return (double)store->epoch;
}

static double queue_of(const struct aff_learned_store *store)
{
    return store->leads ? (double)store->queued : 0;
}

static double queue_age_of(const struct aff_learned_store *store)
{
    return store->leads ? aff_learned_lag_s(store, aff_clock_now_us()) : 0;
}

static double folds_of(const struct aff_learned_store *store)
{
    return (double)store->folds;
}

static double folded_of(const struct aff_learned_store *store)
{
    return (double)store->orders;
}

static double rows_of(const struct aff_learned_store *store)
{
    return (double)store->rows;
}

static double counted_sessions_of(const struct aff_learned_store *store)
{
    return (double)store->sessions;
}

static double viewed_rows_of(const struct aff_learned_store *store)
{
    return (double)store->viewed_rows;
}

static double renewed_of(const struct aff_learned_store *store)
{
    return (double)store->renewed;
}

static double rebuilds_of(const struct aff_learned_store *store)
{
    return (double)store->rebuilds;
}

static double failures_of(const struct aff_learned_store *store)
{
    return (double)store->failures;
}

static double fold_time_of(const struct aff_learned_store *store)
{
    return (double)store->fold_took_us / 1e6;
}

static double publish_time_of(const struct aff_learned_store *store)
{
    return (double)store->publish_took_us / 1e6;
}

static double memory_of(const struct aff_learned_store *store)
{
    return (double)store->memory_bytes;
}

static const struct aff_learner_metric learner_metrics[] = {
    {"affinity_learner_leads", "gauge", "1 if this process folds the store's orders.", leads_of},
    {"affinity_learner_epoch", "gauge", "Number of the lead that this process had last.", epoch_of},
    {"affinity_learner_queue", "gauge",
     "Changes of orders that wait to be folded; 0 unless this process leads.", queue_of},
    {"affinity_learner_queue_age_seconds", "gauge",
     "Time that the oldest of these changes has waited; 0 unless this process leads.", queue_age_of},
    {"affinity_learner_folds_total", "counter", "Folds.", folds_of},
    {"affinity_learner_orders_total", "counter", "Changed orders folded.", folded_of},
    {"affinity_learner_rows_total", "counter", "Neighbour rows made after folds.", rows_of},
    {"affinity_learner_sessions_total", "counter", "Sessions counted, or taken back.", counted_sessions_of},
    {"affinity_learner_viewed_rows_total", "counter", "Neighbour rows made after counts of sessions.",
     viewed_rows_of},
    {"affinity_learner_renewed_total", "counter", "Neighbour rows that a renewal of all rows changed.",
     renewed_of},
    {"affinity_learner_rebuilds_total", "counter", "Full rebuilds by this process.", rebuilds_of},
    {"affinity_learner_failures_total", "counter", "Folds and renewals that failed.", failures_of},
    {"affinity_learner_fold_seconds", "gauge", "Time that the newest fold took.", fold_time_of},
    {"affinity_learner_publish_seconds", "gauge", "Time from the newest fold's commit to its publication.",
     publish_time_of},
    {"affinity_learner_memory_bytes", "gauge", "Memory of the pair counts that folds work on.", memory_of},
};

void aff_present_board(struct aff_json *to, struct aff_learner_board *board,
                       const struct aff_learner_metric *metrics, size_t n)
{
    struct aff_learned_store store;

    for (size_t i = 0; i < n; i++) {
        const struct aff_learner_metric *metric = &metrics[i];
        aff_exposition_family(to, metric->name, metric->type, metric->help);
        for (size_t at = 0; aff_learner_board_read(board, at, &store); at++) {
            const struct aff_label labels[] = {{"store", aff_text_of(store.name)}, {NULL, {NULL, 0}}};
            aff_exposition_real(to, metric->name, labels, metric->value(&store));
        }
    }
}

void aff_present_learner_metrics(struct aff_json *to, struct aff_learner_board *board)
{
    aff_present_board(to, board, learner_metrics, sizeof learner_metrics / sizeof *learner_metrics);
}
