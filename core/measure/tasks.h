/* SPDX-License-Identifier: Apache-2.0 */
/* Questions whose answers are known, made from the newest orders and sessions, one set for each situation:
 *
 *   cart, cart_known    one random product of a basket is hidden, the others are asked with
 *   added, added_known  the last product of a basket is hidden, the order of the others is asked with, too
 *   next_basket         the first of these orders of each customer who has earlier ones, nothing is asked
 * with views               each view after the first of a session, the earlier ones are asked with
 *
 * Only products that may be offered and that earlier orders (sessions) hold are hidden or asked with. */
#pragma once

#include "core/measure/orders.h"
#include "core/measure/train.h"
#include "core/recommend/recommend.h"

enum { AFF_TASK_QUERIES = 6000 }; /* of each situation, evenly spread over all that could be asked */

struct aff_task_query {
    int64_t customer; /* AFF_NO_CUSTOMER: none */
    int64_t now_us;
    uint32_t cart, n_cart; /* in `rows` */
    uint32_t truth, n_truth;
    uint32_t group; /* below n_groups; questions of one order or session depend on each other */
};

struct aff_task {
    enum aff_situation situation;
    uint32_t n, n_groups;
    struct aff_task_query *queries; /* by group */
    uint32_t *rows;
    size_t n_rows, capacity, rows_capacity;
};

/* Figures of one query. */
struct aff_task_score {
    float hit, ndcg, mrr, recall; /* hit, ndcg and recall at 10 (hit at 20 for views), mrr at 20 */
};

AFF_MUST_CHECK aff_status aff_task_make(enum aff_situation situation, const struct aff_model *whole,
                                        const struct aff_measured_orders *orders, uint32_t n_orders,
                                        uint32_t n_sessions, struct aff_task *ret);
/* The same with another bound on the queries and another seed of what is hidden at random. Orders and
 * sessions are spread evenly over those that could be asked. */
AFF_MUST_CHECK aff_status aff_task_sample(enum aff_situation situation, const struct aff_model *whole,
                                          const struct aff_measured_orders *orders, uint32_t n_orders,
                                          uint32_t n_sessions, uint32_t n_queries, uint64_t seed,
                                          struct aff_task *ret);
void aff_task_done(struct aff_task *task);

/* Asks all queries with the weights; `ret_scores` has room for task->n. */
AFF_MUST_CHECK aff_status aff_task_ask(const struct aff_task *task, const struct aff_model *model,
                                       const struct aff_weights *weights, double personal_half_life_days,
                                       struct aff_workspace *workspace, struct aff_task_score *ret_scores);

/* What fitting looks at: recall + NDCG for next_basket, HR + MRR for views, else HR + NDCG. */
float aff_task_value(enum aff_situation situation, const struct aff_task_score *score);
