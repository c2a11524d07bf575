/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbourhood ridge: how well a product's closest others predict it, from pair weights alone.
 *
 * Ridge regression of product i on its M closest others N (by G_ki / sqrt(G_kk)): solve (G_NN + lambda I) w =
 * G_Ni, with G the matrix of basket weights in units of one new one-product basket. It is one column of an
 * item-item linear model (Ning, Karypis, SLIM, ICDM 2011; Steck, EASE, WWW 2019) restricted to a
 * neighbourhood, so that it needs no inverse of the whole catalogue.
 *
 * What i in a cart says of j follows from i's own equation. In EASE, with P = (G + lambda I)^-1, the score of
 * j for i is B_ij = -P_ij / P_jj; the solution for i is w_j = -P_ij / P_ii, and its residual is rho_i = G_ii
 * + lambda - G_iN w = 1 / P_ii. So B_ij = w_j rho_j / rho_i: the row of i needs its own solution and
 * everybody's residuals, and a changed order only new solutions of the products in it. */
#pragma once

#include "core/base/status.h"
#include "core/learn/links.h"

#include <stdint.h>

/* Of one thread. */
struct aff_ridge_scratch;

/* w of one other product. */
struct aff_coefficient {
    uint32_t row;
    float value;
};

/* For at most `others` (M, 1 to 500) others. */
AFF_MUST_CHECK aff_status aff_ridge_scratch_new(uint32_t others, struct aff_ridge_scratch **ret_scratch);
void aff_ridge_scratch_free(struct aff_ridge_scratch *scratch); /* NULL is a no-op */

/* Solves the equation of one product; `lambda` above 0. `ret_coefficients` has room for M entries, which come
 * out by ascending row. *ret_residual is rho, above 0. AFF_DATA if the matrix is not positive definite, which
 * true counts cannot be. AFF_NOMEM. Takes M^3 / 3 multiplications, whatever the catalogue's size. */
AFF_MUST_CHECK aff_status aff_ridge_solve(const struct aff_links *links, double lambda,
                                          struct aff_ridge_scratch *scratch, uint32_t product,
                                          struct aff_coefficient *ret_coefficients, uint32_t *ret_n,
                                          float *ret_residual);
