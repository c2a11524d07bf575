/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/show.h"

#include "core/base/money.h"

#include <inttypes.h>
#include <math.h>
#include <time.h>

const char *aff_backtest_date(uint32_t at_s, char into[AFF_BACKTEST_DATE])
{
    const time_t at = at_s;
    struct tm parts;

    if (gmtime_r(&at, &parts) == NULL || strftime(into, AFF_BACKTEST_DATE, "%Y-%m-%d", &parts) == 0)
        into[0] = '\0';
    return into;
}

static void show_split(const struct aff_backtest_split *split, const char *what, FILE *to)
{
    char from[AFF_BACKTEST_DATE], at[AFF_BACKTEST_DATE], end[AFF_BACKTEST_DATE];

    if (split->learned + split->asked == 0)
        return;
    (void)fprintf(to, "%" PRIu32 " %s of %s to %s are learned from, %" PRIu32 " to %s asked about\n",
                  split->learned, what, aff_backtest_date(split->from_s, from),
                  aff_backtest_date(split->split_s, at), split->asked, aff_backtest_date(split->to_s, end));
    if (split->left_out > 0)
        (void)fprintf(to, "%" PRIu32 " older ones are left out: memory.limit_mb allows for no more\n",
                      split->left_out);
}

static void show_row(const struct aff_backtest_part *part, const struct aff_backtest_row *row, int digits,
                     FILE *to)
{
    const double scale = pow(10, digits);
    const struct aff_backtest_task_row *task = aff_backtest_task(part->task);

    (void)fprintf(to, "  %-19s", row->name);
    for (int m = 0; m < AFF_METRIC_MAX; m++) {
        const struct aff_figure *figure = &row->figures[m];
        const double half = fmax(figure->high - figure->value, figure->value - figure->low);
        if (m == AFF_METRIC_REVENUE)
            (void)fprintf(to, "  %9.*f +-%-7.*f", digits, figure->value / scale, digits, half / scale);
        else
            (void)fprintf(to, "  %.4f +-%.4f", figure->value, half);
    }
    if (row->compared && !row->is_blend)
        (void)fprintf(to, "  %+.4f +-%.4f", row->gains[task->first].value,
                      row->gains[task->first].high - row->gains[task->first].value);
    (void)fputs("\n", to);
}

static void show_part(const struct aff_backtest_part *part, const char *currency, FILE *to)
{
    const struct aff_backtest_task_row *task = aff_backtest_task(part->task);

    (void)fprintf(to, "\n%s: %s (%" PRIu32 " queries, first %" PRIu32 " items)\n", task->name, task->title,
                  part->n_queries, part->k);
    if (part->n_queries < AFF_BACKTEST_LEAST) {
        (void)fprintf(
            to,
            "  too few queries, at least %d are needed: ask about more, for example with --test-share 0.3\n",
            AFF_BACKTEST_LEAST);
        return;
    }
    if (part->fitted)
        (void)fprintf(
            to, "  the blend's weights were fitted to orders among these: `configured` is the honest one\n");
    (void)fprintf(to, "  %-19s", "");
    for (int m = 0; m < AFF_METRIC_MAX; m++)
        if (m == AFF_METRIC_REVENUE)
            (void)fprintf(to, "  %-19s", currency);
        else
            (void)fprintf(to, "  %-15s", aff_metric_name((enum aff_metric)m));
    (void)fprintf(to, "  %s against blend\n", aff_metric_name(task->first));
    for (uint32_t i = 0; i < part->n_rows; i++)
        show_row(part, &part->rows[i], aff_currency_digits(currency), to);
}

void aff_backtest_show_table(const struct aff_backtest_result *result, FILE *to)
{
    (void)fprintf(to, "store %s, %" PRIu32 " products, seed %" PRIu64 "\n", result->store, result->n_products,
                  result->seed);
    show_split(&result->orders, "orders", to);
    show_split(&result->sessions, "sessions", to);
    for (uint32_t p = 0; p < result->n_parts; p++)
        show_part(&result->parts[p], result->currency, to);
    (void)fprintf(to, "\n+- is half of the 95 %% interval. %.1f s\n", result->seconds);
}
