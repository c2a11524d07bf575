/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in the sessions that hold a product: session neighbours in the family of V-SKNN (Ludewig,
 * Jannach, UMUAI 28, 2018), STAN (Garg et al., SIGIR 2019), VSTAN (Ludewig et al., UMUAI 31, 2021) and
 * VMIS-kNN (Kersbergen et al., SIGMOD 2022), whose index of the newest sequences of each product is used.
 *
 * Those methods look for the sessions that have most in common with the one that is asked about, the newest
 * product counting most. With the weights that are best here, exp(-age / 0.2), the sessions of the newest
 * product are the nearest whatever else they hold, so what they say is summed up for each product beforehand
 * (docs/adr/0021-sessions-summed-up.md).
 *
 * The score of b for product a is the sum over the newest sequences of a (aff_sequences.holders) of
 * length^-length_power times what the places of b count: `own` at the last place of a; exp(-distance /
 * around)
 * + even after it; before * exp(-distance / around) + even before it. */
#pragma once

#include "core/sequence/successors.h"

struct aff_alike_settings {
    uint32_t keep;       /* entries a product, at least 1 */
    double length_power; /* 0.5 is the cosine */
    double around;       /* in places */
    double even, own, before;
};

/* Chosen on the last tenth of the training part of RSC15 (docs/ranking.md). */
struct aff_alike_settings aff_alike_default(void);

/* Takes 12 bytes a product while it runs. Built once, then read by many threads. */
AFF_MUST_CHECK aff_status aff_alike_build(const struct aff_sequences *sequences,
                                          const struct aff_alike_settings *settings,
                                          struct aff_successors **ret_alike);
