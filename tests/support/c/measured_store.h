/* SPDX-License-Identifier: Apache-2.0 */
/* Stores of orders that are made up by a rule, for tests of fitting: what the weights should find is known.
 */
#pragma once

#include "core/base/random.h"
#include "core/index/model.h"
#include "core/measure/orders.h"

struct measured_store {
    struct aff_model whole; /* catalogue and, maybe, sessions */
    struct aff_traces traces;
    struct aff_measured_orders orders;
};

/* `n_orders` orders of `n_customers` customers over two years, four products each. Of every ten products
 * `loyal` come from three that the customer likes, the others by chance from all. */
void measured_store_make(struct aff_random *random, uint32_t n_products, uint32_t n_customers,
                         uint32_t n_orders, uint32_t loyal, struct measured_store *ret);

/* Adds `n` sessions of five views by chance. */
void measured_store_add_sessions(struct aff_random *random, uint32_t n, struct measured_store *store);
void measured_store_done(struct measured_store *store);
