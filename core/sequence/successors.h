/* SPDX-License-Identifier: Apache-2.0 */
/* Sequential rules: what comes how soon after a product (SR of Ludewig and Jannach, "Evaluation of
 * session-based recommendation algorithms", UMUAI 28, 2018, section 3.1).
 *
 * The strength of a -> b is the sum over the places where b follows a in the same sequence, at most `reach`
 * places later, of age weight / distance, divided by the age weights of all places of a and `shrink`. So it
 * is a probability of following that is drawn to 0 where a is rare. Built once, then read by many threads. */
#pragma once

#include "core/index/neighbours.h"
#include "core/sequence/sequences.h"

#include <stdbool.h>

struct aff_successors_settings {
    uint32_t reach;        /* places, at least 1 */
    uint32_t keep;         /* rules a product, at least 1 */
    double half_life_days; /* age at which a sequence weighs half, against the newest one */
    double shrink;         /* above 0 */
    bool repeats;          /* the product itself may follow */
};

struct aff_successors {
    uint32_t n_products;
    uint32_t *starts;              /* n_products + 1 */
    struct aff_neighbour *entries; /* of each product by falling score, then by row */
    bool borrowed;                 /* both are in memory that is not its own */
};

/* Takes 16 bytes a product and 8 a place while it runs. */
AFF_MUST_CHECK aff_status aff_successors_build(const struct aff_sequences *sequences,
                                               const struct aff_successors_settings *settings,
                                               struct aff_successors **ret_successors);
void aff_successors_free(struct aff_successors *successors); /* NULL is a no-op */

/* The rules of a product; *ret_n 0 for one that is not held. `successors` may be NULL. */
const struct aff_neighbour *aff_successors_of(const struct aff_successors *successors, uint32_t row,
                                              uint32_t *ret_n);

size_t aff_successors_bytes(const struct aff_successors *successors);
