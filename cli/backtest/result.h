/* SPDX-License-Identifier: Apache-2.0 */
/* What a backtest found out. */
#pragma once

#include "cli/backtest/task.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    AFF_BACKTEST_ROWS_MAX = 48, /* methods, blends without a source, blends with diversity, of one task */
    AFF_BACKTEST_NAME = 48,
    AFF_BACKTEST_LEAST = 20, /* queries of a task; with fewer its intervals say nothing */
};

enum aff_backtest_kind {
    AFF_BACKTEST_METHOD,
    AFF_BACKTEST_WITHOUT, /* the blend without one of its sources */
    AFF_BACKTEST_VARIED,  /* the blend with diversity or rotation */
};

/* One method on the queries of one task. */
struct aff_backtest_row {
    char name[AFF_BACKTEST_NAME];
    enum aff_backtest_kind kind;
    bool is_blend;      /* the one that the others are compared with */
    bool is_configured; /* it with other weights */
    bool compared;      /* `gains` are given */
    double mean_us;     /* of one answer, in one of the threads */
    struct aff_figure figures[AFF_METRIC_MAX];
    struct aff_figure gains[AFF_METRIC_OF_QUERY]; /* query by query against the blend */
};

struct aff_backtest_part {
    enum aff_backtest_task task;
    uint32_t k, n_queries, n_groups; /* fewer queries than AFF_BACKTEST_LEAST: nothing was asked */
    bool fitted;                     /* the blend's weights were fitted to this store (affinityctl tune) */
    struct aff_backtest_row rows[AFF_BACKTEST_ROWS_MAX];
    uint32_t n_rows;
};

/* Orders or sessions: how many were learned from and asked about, and when. Times are 0 where there are none.
 */
struct aff_backtest_split {
    uint32_t left_out; /* older ones that memory did not allow for */
    uint32_t learned, asked;
    uint32_t from_s, split_s, to_s; /* first that was learned, first that was asked about, last */
};

struct aff_backtest_result {
    const char *store; /* borrowed */
    char currency[4];
    uint64_t seed;
    double test_share, seconds;
    uint32_t n_products, n_offered; /* of the catalogue; of these, that may be offered today */
    struct aff_backtest_split orders, sessions;
    struct aff_backtest_part parts[AFF_BACKTEST_TASK_MAX];
    uint32_t n_parts;
};
