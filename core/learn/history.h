/* SPDX-License-Identifier: Apache-2.0 */
/* What each customer has bought: the distinct products of the customer's baskets, as in
 * affinity.customer_history. */
#pragma once

#include "core/base/parallel.h"
#include "core/base/status.h"
#include "core/learn/baskets.h"

#include <stdint.h>

/* Parallel arrays, most recently bought product first, then by ascending product key. */
struct aff_customer_history {
    int64_t customer;
    uint32_t orders; /* baskets */
    int64_t last_at_us;
    uint32_t n;
    const int32_t *products; /* keys */
    const int32_t *counts;   /* baskets that held the product */
    const int64_t *first_at_us, *last_at_us_of;
};

/* Takes one customer's history, borrowed for the call. Called by several threads at once, at most one call a
 * thread number; a failure stops the work. */
typedef aff_status (*aff_history_sink)(void *context, int thread, const struct aff_customer_history *history);

/* Makes the history of every customer, at most `limit` products each. */
AFF_MUST_CHECK aff_status aff_history_build(const struct aff_baskets *baskets, uint32_t limit, int n_threads,
                                            const struct aff_watch *watch, aff_history_sink sink,
                                            void *context);
