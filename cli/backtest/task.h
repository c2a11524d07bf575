/* SPDX-License-Identifier: Apache-2.0 */
/* The tasks of a backtest: one for each situation in which the engine has weights of its own, so that each
 * shows how well these do (core/measure/tasks.h says what is asked). One row a task: name as typed,
 * situation, items that are looked at, the two metrics that matter most, title, what is asked. */
#pragma once

#include "cli/backtest/metrics.h"
#include "core/recommend/weights.h"

#include <stdbool.h>

#define AFF_BACKTEST_TASK_LIST(X)                                                                            \
    X(RANDOM, "random", CART_KNOWN, 10, HR, NDCG, "Complete the cart, customer known",                       \
      "One random product of a basket is hidden; the others and the customer are known.")                    \
    X(RANDOM_GUEST, "random_guest", CART, 10, HR, NDCG, "Complete the cart, customer withheld",              \
      "One random product of a basket is hidden; only the others are known.")                                \
    X(LAST, "last", ADDED_KNOWN, 10, HR, NDCG, "Last product of the cart, customer known",                   \
      "The last product of a basket is hidden; the others in their order and the customer are known.")       \
    X(LAST_GUEST, "last_guest", ADDED, 10, HR, NDCG, "Last product of the cart, customer withheld",          \
      "The last product of a basket is hidden; only the others in their order are known.")                   \
    X(NEXT_BASKET, "next_basket", NEXT_BASKET, 10, RECALL, NDCG, "Next basket of a customer",                \
      "The whole next order of a customer is hidden; only the earlier orders are known.")                    \
    X(VIEWS, "views", VIEWS, 20, HR, MRR, "Next product viewed in a session",                                \
      "Each view after the first one of a session is hidden in turn; the views before it are known.")

enum aff_backtest_task {
#define X(name, text, situation, k, first, second, title, about) AFF_BACKTEST_##name,
    AFF_BACKTEST_TASK_LIST(X)
#undef X
        AFF_BACKTEST_TASK_MAX
};

struct aff_backtest_task_row {
    const char *name, *title, *about;
    enum aff_situation situation;
    uint32_t k;
    enum aff_metric first, second;
};

const struct aff_backtest_task_row *aff_backtest_task(enum aff_backtest_task task);
