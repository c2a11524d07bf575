/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/task.h"

const struct aff_backtest_task_row *aff_backtest_task(enum aff_backtest_task task)
{
    static const struct aff_backtest_task_row rows[] = {
#define X(name, text, situation, k, first, second, title, about)                                             \
    {text, title, about, AFF_SITUATION_##situation, k, AFF_METRIC_##first, AFF_METRIC_##second},
        AFF_BACKTEST_TASK_LIST(X)
#undef X
    };
    return &rows[task];
}
