/* SPDX-License-Identifier: Apache-2.0 */
/* A backtest from end to end: every method on the queries of every task. */
#pragma once

#include "cli/backtest/learned.h"

/* Told of progress in the calling thread only. A new phase begins when `phase` (a constant) changes; `total`
 * 0: not known. Returns false to cancel. */
typedef bool (*aff_backtest_progress_fn)(void *context, const char *phase, const char *unit, uint64_t done,
                                         uint64_t total);

struct aff_backtest_settings {
    struct aff_train_settings train; /* its session_holders and watch are not read */
    struct aff_blend configured;
    unsigned tasks, methods; /* bits; the blend is asked in any case */
    bool leave_one_out, diversity;
    double test_share;
    uint32_t n_queries, limit; /* limit 0: each task's own */
    uint64_t seed, limit_bytes;
    aff_backtest_progress_fn progress; /* NULL: nobody watches */
    void *context;
};

/* `store` is borrowed by the result. The same store and settings give the same result, but for the times.
 * AFF_DATA: too few orders. AFF_CANCELLED: the progress function said no. */
AFF_MUST_CHECK aff_status aff_backtest(struct aff_connection *connection, const char *store,
                                       const struct aff_backtest_settings *settings,
                                       struct aff_backtest_result *ret_result, struct aff_error *reterr);
