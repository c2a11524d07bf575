/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/evidence.h"

#include <math.h>

#define Z_95 1.959963984540054 /* the standard normal quantile of 0.975 */

/* One cell's k ln(k / expected), which tends to 0 with k. */
static double cell_llr(double observed, double expected)
{
    return observed > 0 && expected > 0 ? observed * log(observed / expected) : 0;
}

/* Dunning's G^2 of the table {both, a only; b only, neither}. */
static double llr_of(double n_ab, double n_a, double n_b, double n)
{
    double sum = cell_llr(n_ab, n_a * n_b / n) + cell_llr(n_a - n_ab, n_a * (n - n_b) / n) +
                 cell_llr(n_b - n_ab, (n - n_a) * n_b / n) +
                 cell_llr(n - n_a - n_b + n_ab, (n - n_a) * (n - n_b) / n);

    /* Rounding can leave a little less than 0 for independent products. */
    return sum > 0 ? 2 * sum : 0;
}

struct aff_evidence aff_evidence_of(uint64_t n_ab, uint64_t n_a, uint64_t n_b, uint64_t n)
{
    struct aff_evidence evidence = aff_evidence_weighted((double)n_ab, (double)n_a, (double)n_b, (double)n);

    if (!(evidence.lift > 0))
        return evidence;
    double variance = 1 / (double)n_ab - 1 / (double)n_a + 1 / (double)n_b - 1 / (double)n;
    double width = exp(Z_95 * sqrt(variance > 0 ? variance : 0));
    evidence.lift_low = evidence.lift / width;
    evidence.lift_high = evidence.lift * width;
    evidence.llr = llr_of((double)n_ab, (double)n_a, (double)n_b, (double)n);
    return evidence;
}

static uint64_t less(uint64_t count, uint64_t discounted)
{
    return count > discounted ? count - discounted : 0;
}

struct aff_evidence aff_evidence_without(uint64_t n_ab, uint64_t d_ab, uint64_t n_a, uint64_t d_a,
                                         uint64_t n_b, uint64_t d_b, uint64_t n)
{
    return aff_evidence_of(less(n_ab, d_ab), less(n_a, d_a), less(n_b, d_b), n);
}

struct aff_evidence aff_evidence_weighted(double w_ab, double w_a, double w_b, double w)
{
    if (!(w_ab > 0 && w_a > 0 && w_b > 0 && w > 0))
        return (struct aff_evidence){0};
    return (struct aff_evidence){
        .support = w_ab / w,
        .confidence = w_ab / w_a,
        .reverse_confidence = w_ab / w_b,
        .lift = w_ab / w_a * (w / w_b),
    };
}
