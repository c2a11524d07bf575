/* SPDX-License-Identifier: Apache-2.0 */
/* The statistics of a pair, derived from exact counts whenever they are asked for and never stored.
 *
 * With n_ab orders that hold both, n_a and n_b orders that hold each, and n orders in all (Agrawal,
 * Imielinski, Swami, SIGMOD 1993; Brin, Motwani, Ullman, Tsur, SIGMOD 1997): support = n_ab / n, confidence =
 * n_ab / n_a, reverse confidence = n_ab / n_b, lift = n_ab n / (n_a n_b). Interval of the lift: exp(ln lift
 * +- z s), s^2 = 1/n_ab - 1/n_a + 1/n_b - 1/n, the delta-method variance of the log of a ratio of two
 * proportions (Katz, Baptista, Azen, Pike, Biometrics 1978), applied to P(b|a) / P(b) as if they were
 * independent samples. Log-likelihood ratio: G^2 = 2 sum k ln(k / expected) over the 2 x 2 table (Dunning,
 * 1993). */
#pragma once

#include <stdint.h>

struct aff_evidence {
    double support, confidence, reverse_confidence;
    double lift, lift_low, lift_high; /* 95 % interval */
    double llr;
};

/* All four counts in orders, 0 <= n_ab <= min(n_a, n_b) <= n. With n_ab == 0 or n == 0 everything is 0; never
 * NaN. */
struct aff_evidence aff_evidence_of(uint64_t n_ab, uint64_t n_a, uint64_t n_b, uint64_t n);

/* The same without promotions: what is left of the pair if only those baskets hold a product that hold no
 * discounted line of it, over the same `n` baskets. d_ab: baskets with both and a discounted line of one of
 * them; d_a and d_b: baskets with a discounted line of each. So
 *
 *     lift without discounts = (n_ab - d_ab) n / ((n_a - d_a) (n_b - d_b))
 *
 * A pair that is bought together because both are reduced loses its lift; one that goes together keeps it.
 * Discounts above their counts are read as all of them. */
struct aff_evidence aff_evidence_without(uint64_t n_ab, uint64_t d_ab, uint64_t n_a, uint64_t d_a,
                                         uint64_t n_b, uint64_t d_b, uint64_t n);

/* Support, confidence, reverse confidence and lift of weighted counts; interval and llr are 0. */
struct aff_evidence aff_evidence_weighted(double w_ab, double w_a, double w_b, double w);
