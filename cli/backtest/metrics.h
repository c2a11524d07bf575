/* SPDX-License-Identifier: Apache-2.0 */
/* How well answers foresaw what was bought, and how sure that is.
 *
 * Of one answer, of whose items the first k are looked at, g_i being 1 if item i is among the n hidden
 * products:
 *
 * HR       1 if any g_i is 1
 * MRR      1 / i of the first such item
 * NDCG     sum g_i / log2(i + 1), divided by that of the best order, sum over i = 1 .. min(n, k) of 1 /
 * log2(i + 1) (Jarvelin, Kekalainen, "Cumulated gain-based evaluation of IR techniques", TOIS 20, 2002)
 * recall   sum g_i / n
 * revenue  sum g_i * price of item i, minor units
 *
 * Of all answers: the mean of each, and coverage, the share of products that may be offered which any of them
 * shows (Ge, Delgado-Battenfeld, Jannach, "Beyond accuracy", RecSys 2010).
 *
 * Intervals are normal ones of 95 %. Queries about one order or session depend on each other, so the standard
 * error is that of groups: of a mean that of a ratio of sums, sqrt(G / (G - 1) sum (S_g - mean * n_g)^2) /
 * sum n_g (Cochran, "Sampling techniques", 1977, section 6.4), of coverage that of the jackknife over groups,
 * which is not too small on the average (Efron, Stein, "The jackknife estimate of variance", Annals of
 * Statistics 9, 1981). */
#pragma once

#include "core/base/status.h"

#include <stdint.h>

#define AFF_METRIC_LIST(X)                                                                                   \
    X(HR, "HR")                                                                                              \
    X(MRR, "MRR")                                                                                            \
    X(NDCG, "NDCG")                                                                                          \
    X(RECALL, "recall")                                                                                      \
    X(REVENUE, "revenue")                                                                                    \
    X(COVERAGE, "coverage")

enum aff_metric {
#define X(name, text) AFF_METRIC_##name,
    AFF_METRIC_LIST(X)
#undef X
        AFF_METRIC_MAX
};
enum { AFF_METRIC_OF_QUERY = AFF_METRIC_COVERAGE }; /* those before it are means over queries */

const char *aff_metric_name(enum aff_metric metric);

struct aff_query_score {
    double of[AFF_METRIC_OF_QUERY];
};

/* Scores the first `n_shown` items (catalogue rows, at most k). `truth` has n_truth different rows, at least
 * one; `prices` one price a row, minor units. */
struct aff_query_score aff_query_score(const uint32_t *shown, uint32_t n_shown, uint32_t k,
                                       const uint32_t *truth, uint32_t n_truth, const int64_t *prices);

/* A value and its interval. */
struct aff_figure {
    double value, low, high;
};

/* The mean of one metric. `groups` names the group of each query, below n_groups; those of one group stand
 * side by side or not. `beside` NULL, or scores whose values are taken off query by query. AFF_NOMEM. n must
 * not be 0. */
AFF_MUST_CHECK aff_status aff_metric_mean(const struct aff_query_score *scores,
                                          const struct aff_query_score *beside, enum aff_metric metric,
                                          const uint32_t *groups, uint32_t n, uint32_t n_groups,
                                          struct aff_figure *ret_figure);

/* Coverage of `n` answers: query q shows shown[q * k] .. shown[q * k + n_shown[q] - 1], rows below n_rows;
 * n_offered products may be offered. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_metric_coverage(const uint32_t *shown, const uint32_t *n_shown, uint32_t k,
                                              const uint32_t *groups, uint32_t n, uint32_t n_groups,
                                              uint32_t n_rows, uint32_t n_offered,
                                              struct aff_figure *ret_figure);
