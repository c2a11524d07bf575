/* SPDX-License-Identifier: Apache-2.0 */
/* What a backtest learns and asks about: a store's orders and sessions, split by time, and models of the
 * earlier ones. The later ones are in none of the models. */
#pragma once

#include "cli/backtest/result.h"
#include "core/measure/tasks.h"
#include "core/measure/train.h"
#include "sql/connection.h"

struct aff_learned {
    struct aff_model whole; /* catalogue, sessions and weights in use; of the whole time */
    struct aff_traces whole_traces;
    struct aff_measured_orders orders;
    struct aff_train_settings settings;
    uint32_t n_left_out;           /* older orders that memory did not allow for */
    uint32_t n_orders, n_sessions; /* that are learned from: those before these numbers */
    struct aff_train train;        /* as it is served */
    struct aff_train views; /* the earlier sessions counted as if each was an order; empty if not asked for */
    struct aff_neighbours *nothing; /* rows of no neighbours */
    int64_t *prices;                /* of each catalogue row, 0 where there is none */
};

struct aff_learn_wish {
    double test_share;
    uint64_t limit_bytes; /* for what is learned; the oldest orders that do not fit are left out */
    bool views;           /* count sessions, too */
};

/* Reads in one snapshot and learns. `settings` has its watch set, which cancels. AFF_DATA: too few orders and
 * sessions, the text says how many are needed. Set *ret to zero before and call aff_learned_done() in any
 * case. */
AFF_MUST_CHECK aff_status aff_learn(struct aff_connection *connection, int store,
                                    const struct aff_train_settings *settings,
                                    const struct aff_learn_wish *wish, struct aff_learned *ret,
                                    struct aff_error *reterr);

/* The same of what was read already: ret->whole (traces pointing to ret->whole_traces) and ret->orders are
 * given. */
AFF_MUST_CHECK aff_status aff_learn_given(const struct aff_train_settings *settings,
                                          const struct aff_learn_wish *wish, struct aff_learned *ret,
                                          struct aff_error *reterr);
void aff_learned_done(struct aff_learned *learned);

/* Products that may be offered; `unpriced`: also those without price. */
uint32_t aff_learned_offered(const struct aff_learned *learned, bool unpriced);
