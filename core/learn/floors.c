/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/floors.h"

struct aff_floors aff_floors_default(void)
{
    return (struct aff_floors){.min_orders = 2, .min_lift_low = 1, .min_llr = 6.63};
}

struct aff_floors aff_floors_classic(void)
{
    return (struct aff_floors){.min_orders = 1, .min_support = 0.03, .min_lift = 1.5};
}

bool aff_floors_pass(const struct aff_floors *floors, uint64_t n_ab, uint64_t n_a, uint64_t n_b, uint64_t n)
{
    if (n_ab < floors->min_orders)
        return false;
    struct aff_evidence evidence = aff_evidence_of(n_ab, n_a, n_b, n);
    return evidence.lift_low >= floors->min_lift_low && evidence.llr >= floors->min_llr &&
           evidence.support >= floors->min_support && evidence.lift >= floors->min_lift &&
           evidence.confidence >= floors->min_confidence;
}
