/* SPDX-License-Identifier: Apache-2.0 */
/* How much a basket counts: newer ones more, long ones less.
 *
 * Forward decay (Cormode, Shkapenyuk, Srivastava, Xu, ICDE 2009): a basket of time t weighs 2^((t - landmark)
 * / half-life), relative to a landmark that all weights of a store share, so sums never have to be touched
 * again as time goes by. Times 1 / sqrt(distinct products), so that a wholesale basket does not drown the
 * rest. Weights are integers in fixed point: their sums do not depend on the order of adding, and taking a
 * basket back leaves exactly what was there before it. */
#pragma once

#include <stdint.h>

/* 1 in fixed point: the weight of a basket with one product at the landmark. */
#define AFF_WEIGHT_ONE INT64_C(1048576)

/* No basket weighs more, however far it lies after the landmark: sums of 2^31 of them fit 63 bits. */
#define AFF_WEIGHT_MAX (INT64_C(1) << 32)

struct aff_decay {
    int64_t landmark_us;
    int64_t half_life_s; /* at least 1 */
};

/* round(2^20 x 2^((at - landmark) / half-life) x size^-1/2), at most AFF_WEIGHT_MAX; `size`: distinct
 * products, at least 1. */
int64_t aff_decay_weight(const struct aff_decay *decay, int64_t at_us, uint32_t size);
