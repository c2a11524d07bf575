/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbourhood ridge: how well the products of a cart predict one target product, from pair weights alone.
 *
 * Ridge regression of the target j on its M closest others N (by G_ij / sqrt(G_ii)): solve
 * (G_NN + lambda I) w = G_Nj, with G the matrix of basket weights in units of one new one-product basket. It
 * is the column of an item-item linear model (Ning, Karypis, SLIM, ICDM 2011; Steck, EASE, WWW 2019)
 * restricted to a neighbourhood, so that it needs no inverse of the whole catalogue. w_i is what product i in
 * the cart adds to the score of j. */
#pragma once

#include "core/base/status.h"
#include "core/learn/pairs.h"

#include <stdint.h>

struct aff_ridge;         /* shared by the threads: pair weights as floats */
struct aff_ridge_scratch; /* of one thread */

/* What one predictor adds to the target's score. */
struct aff_coefficient {
    uint32_t row; /* of the predictor */
    float value;
};

/* `pairs` must outlive the ridge; `others` (M, 1 to 500) and `lambda` (above 0) hold for all targets. */
AFF_MUST_CHECK aff_status aff_ridge_new(const struct aff_pairs *pairs, uint32_t others, double lambda,
                                        struct aff_ridge **ret_ridge);
void aff_ridge_free(struct aff_ridge *ridge); /* NULL is a no-op */

AFF_MUST_CHECK aff_status aff_ridge_scratch_new(const struct aff_ridge *ridge,
                                                struct aff_ridge_scratch **ret_scratch);
void aff_ridge_scratch_free(struct aff_ridge_scratch *scratch); /* NULL is a no-op */

/* Solves for one target. `ret_coefficients` has room for `others` entries, which come out by ascending row.
 * Threads may solve at once, each with its own scratch. AFF_DATA if the matrix is not positive definite,
 * which true counts cannot be. */
AFF_MUST_CHECK aff_status aff_ridge_solve(const struct aff_ridge *ridge, struct aff_ridge_scratch *scratch,
                                          uint32_t target, struct aff_coefficient *ret_coefficients,
                                          uint32_t *ret_n);
