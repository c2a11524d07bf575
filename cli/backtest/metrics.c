/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define Z_95 1.959963984540054 /* the standard normal quantile of 0.975 */

const char *aff_metric_name(enum aff_metric metric)
{
    static const char *const names[] = {
#define X(name, text) text,
        AFF_METRIC_LIST(X)
#undef X
    };
    return names[metric];
}

static bool is_among(const uint32_t *rows, uint32_t n, uint32_t row)
{
    for (uint32_t i = 0; i < n; i++)
        if (rows[i] == row)
            return true;
    return false;
}

struct aff_query_score aff_query_score(const uint32_t *shown, uint32_t n_shown, uint32_t k,
                                       const uint32_t *truth, uint32_t n_truth, const int64_t *prices)
{
    struct aff_query_score score = {0};
    double gain = 0, best = 0;

    for (uint32_t i = 0; i < n_shown && i < k; i++) {
        if (!is_among(truth, n_truth, shown[i]))
            continue;
        if (score.of[AFF_METRIC_MRR] == 0)
            score.of[AFF_METRIC_MRR] = 1.0 / (i + 1);
        score.of[AFF_METRIC_HR] = 1;
        gain += 1 / log2(i + 2.0);
        score.of[AFF_METRIC_RECALL] += 1.0 / n_truth;
        score.of[AFF_METRIC_REVENUE] += (double)prices[shown[i]];
    }
    for (uint32_t i = 0; i < n_truth && i < k; i++)
        best += 1 / log2(i + 2.0);
    score.of[AFF_METRIC_NDCG] = best > 0 ? gain / best : 0;
    return score;
}

static struct aff_figure figure_of(double value, double error)
{
    return (struct aff_figure){value, value - Z_95 * error, value + Z_95 * error};
}

static double value_of(const struct aff_query_score *scores, const struct aff_query_score *beside,
                       enum aff_metric metric, uint32_t query)
{
    return scores[query].of[metric] - (beside == NULL ? 0 : beside[query].of[metric]);
}

aff_status aff_metric_mean(const struct aff_query_score *scores, const struct aff_query_score *beside,
                           enum aff_metric metric, const uint32_t *groups, uint32_t n, uint32_t n_groups,
                           struct aff_figure *ret_figure)
{
    double *off = calloc((size_t)n_groups + 1, sizeof *off); /* sum over the group of value - mean */
    double sum = 0, squares = 0;

    if (off == NULL)
        return AFF_NOMEM;
    for (uint32_t q = 0; q < n; q++)
        sum += value_of(scores, beside, metric, q);
    const double mean = sum / n;
    for (uint32_t q = 0; q < n; q++)
        off[groups[q]] += value_of(scores, beside, metric, q) - mean;
    for (uint32_t g = 0; g < n_groups; g++)
        squares += off[g] * off[g];
    const double error = n_groups > 1 ? sqrt(squares * n_groups / (n_groups - 1.0)) / n : INFINITY;
    *ret_figure = figure_of(mean, error);
    /* A figure is never negative, a share never above 1; a difference may be both. */
    if (beside == NULL)
        ret_figure->low = fmax(ret_figure->low, 0);
    if (beside == NULL && metric != AFF_METRIC_REVENUE)
        ret_figure->high = fmin(ret_figure->high, 1);
    free(off);
    return AFF_OK;
}

aff_status aff_metric_coverage(const uint32_t *shown, const uint32_t *n_shown, uint32_t k,
                               const uint32_t *groups, uint32_t n, uint32_t n_groups, uint32_t n_rows,
                               uint32_t n_offered, struct aff_figure *ret_figure)
{
    const uint32_t nobody = 0, several = UINT32_MAX;
    uint32_t *by = calloc((size_t)n_rows + 1, sizeof *by); /* 1 + the only group that shows the product */
    uint32_t *alone = calloc((size_t)n_groups + 1, sizeof *alone); /* products that only this group shows */
    uint32_t distinct = 0, sum = 0;
    double squares = 0;

    if (by == NULL || alone == NULL) {
        free(by);
        free(alone);
        return AFF_NOMEM;
    }
    for (uint32_t q = 0; q < n; q++)
        for (uint32_t i = 0; i < n_shown[q]; i++) {
            uint32_t *of = &by[shown[(size_t)q * k + i]];
            distinct += *of == nobody;
            *of = *of == nobody || *of == groups[q] + 1 ? groups[q] + 1 : several;
        }
    for (uint32_t row = 0; row < n_rows; row++)
        if (by[row] != nobody && by[row] != several) {
            alone[by[row] - 1]++;
            sum++;
        }
    for (uint32_t g = 0; g < n_groups; g++) {
        const double off = alone[g] - (double)sum / n_groups;
        squares += off * off;
    }
    const double total = n_offered > 0 ? n_offered : 1;
    const double error = n_groups > 1 ? sqrt(squares * (n_groups - 1.0) / n_groups) / total : INFINITY;
    *ret_figure = figure_of(distinct / total, error);
    ret_figure->low = fmax(ret_figure->low, 0);
    ret_figure->high = fmin(ret_figure->high, 1);
    free(by);
    free(alone);
    return AFF_OK;
}
