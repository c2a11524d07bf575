/* SPDX-License-Identifier: Apache-2.0 */
/* Which pairs are worth offering. */
#pragma once

#include "core/learn/evidence.h"

#include <stdbool.h>

struct aff_floors {
    uint32_t min_orders; /* orders with both, at least */
    double min_lift_low; /* lower end of the lift's 95 % interval, at least; 0: no floor */
    double min_llr;      /* log-likelihood ratio, at least; 0: no floor */
    double min_support, min_lift, min_confidence; /* 0: no floor */
};

/* By absolute count and interval: at least 2 orders with both, lower end of the interval above 1, and a
 * log-likelihood ratio of 6.63, which one in a hundred unrelated pairs reaches (chi-squared, one degree of
 * freedom), half of them with a lift below 1. The interval alone lets one in forty through, and a bestseller
 * meets every product. */
struct aff_floors aff_floors_default(void);

/* The classic preset for small catalogues: support of 3 % and lift of 1.5. */
struct aff_floors aff_floors_classic(void);

bool aff_floors_pass(const struct aff_floors *floors, uint64_t n_ab, uint64_t n_a, uint64_t n_b, uint64_t n);
