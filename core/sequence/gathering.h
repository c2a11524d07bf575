/* SPDX-License-Identifier: Apache-2.0 */
/* Makes lists of what goes with a product, one product after the other: what each other product counts is
 * summed up, then the best are kept. For the modules of core/sequence alone. */
#pragma once

#include "core/learn/top.h"
#include "core/sequence/successors.h"

struct aff_gathering {
    double *sums;    /* of each product; 0 between products */
    uint32_t *found; /* rows whose sum is above 0 */
    uint32_t n_found;
    struct aff_scored *best; /* room for those that are kept of one product */
    uint32_t keep;
    struct aff_successors *made;
    uint32_t n_made; /* products that have their list */
    size_t capacity; /* of the entries */
};

/* For `n_products` products, of whose lists the best `keep` (at least 1) entries are kept. AFF_NOMEM: to be
 * done with as well. */
AFF_MUST_CHECK aff_status aff_gathering_begin(struct aff_gathering *gathering, uint32_t n_products,
                                              uint32_t keep);

/* Adds to what the product counts in the current list; nothing unless `value` is above 0. */
static inline void aff_gathering_add(struct aff_gathering *gathering, uint32_t row, double value)
{
    if (!(value > 0))
        return;
    if (gathering->sums[row] == 0)
        gathering->found[gathering->n_found++] = row;
    gathering->sums[row] += value;
}

/* Ends the list of the next product: its entries' scores are their sums / `divisor`. AFF_NOMEM, AFF_LIMIT:
 * 2^32 entries in all. */
AFF_MUST_CHECK aff_status aff_gathering_settle(struct aff_gathering *gathering, double divisor);

/* Frees everything. With AFF_OK for `status`, and a list for each product, gives what was made; returns
 * `status`. */
AFF_MUST_CHECK aff_status aff_gathering_end(struct aff_gathering *gathering, aff_status status,
                                            struct aff_successors **ret_made);
