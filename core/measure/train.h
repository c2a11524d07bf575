/* SPDX-License-Identifier: Apache-2.0 */
/* A model that knows only the first of a store's orders and sessions, learned in memory as a rebuild learns
 * it. */
#pragma once

#include "core/index/model.h"
#include "core/learn/baskets.h"
#include "core/learn/rows.h"
#include "core/measure/orders.h"

struct aff_train_settings {
    struct aff_baskets_settings baskets;
    struct aff_rows_settings rows;
    uint32_t session_holders; /* of each product so many of the newest sessions are kept */
    int n_threads;            /* at least 1 (aff_parallel_threads) */
    struct aff_watch watch;   /* of each long step; cancels it */
};

struct aff_train {
    struct aff_model *model;
    struct aff_pairs *pairs; /* for rows by other methods */
};

/* Learns from the orders before number `n_orders` and the sessions before number `n_sessions` of the given
 * model. Customers have their database keys as ids. Its catalogue has the rows of the given one, with
 * popularity of the earlier orders and eligibility as it is today. Set *ret_train to zero before. */
AFF_MUST_CHECK aff_status aff_train(const struct aff_model *whole, const struct aff_measured_orders *orders,
                                    uint32_t n_orders, uint32_t n_sessions,
                                    const struct aff_train_settings *settings, struct aff_train *ret_train,
                                    struct aff_error *reterr);
void aff_train_done(struct aff_train *train);

/* The number of the first order from which on all orders can be learned from within `limit_bytes`, reckoned
 * with the worst case that no pair of products comes twice; orders->n if not even the newest one can. */
uint32_t aff_train_first_order(const struct aff_measured_orders *orders, uint32_t n_products,
                               const struct aff_train_settings *settings, uint64_t limit_bytes);

enum { AFF_TRAIN_ID = 24 };
/* The id of a customer in such a model. */
struct aff_text aff_train_customer(int64_t customer, char into[AFF_TRAIN_ID]);
