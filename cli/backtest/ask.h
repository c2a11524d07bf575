/* SPDX-License-Identifier: Apache-2.0 */
/* Asks all queries of a task of one method, on several threads. */
#pragma once

#include "cli/backtest/methods.h"

/* What came back. Filled for one method after the other; made for the largest task. */
struct aff_asked {
    uint32_t *shown;   /* query q: rows shown[q * k] .. */
    uint32_t *n_shown; /* of each query */
    uint32_t *groups;  /* of each query */
    struct aff_query_score *scores;
    double mean_us; /* of an answer */
};

/* Set to zero before. */
AFF_MUST_CHECK aff_status aff_asked_new(uint32_t n_queries, uint32_t k, struct aff_asked *ret);
void aff_asked_done(struct aff_asked *asked);

/* `k` is the limit of every answer. The answers do not depend on the number of threads. AFF_NOMEM,
 * AFF_CANCELLED. */
AFF_MUST_CHECK aff_status aff_ask(const struct aff_contender *contender, const struct aff_task *task,
                                  uint32_t k, const int64_t *prices, int n_threads,
                                  const struct aff_watch *watch, struct aff_asked *asked);
