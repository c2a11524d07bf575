/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/page.h"

#include "cli/backtest/chart.h"
#include "cli/backtest/methods.h"
#include "cli/backtest/show.h"
#include "core/base/embedded.h"
#include "core/base/money.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const struct aff_embedded aff_page_parts[]; /* cli/backtest/page */

enum { SHARE_DIGITS = 3, ORDER_MAX = AFF_BACKTEST_ROWS_MAX };

struct page {
    const struct aff_backtest_result *result;
    FILE *to;
    double scale; /* minor units of one unit of the currency */
    int digits;
};

static void write_part(FILE *to, const char *name)
{
    for (const struct aff_embedded *part = aff_page_parts; part->name != NULL; part++)
        if (strcmp(part->name, name) == 0)
            (void)fputs(part->text, to);
}

static double scale_of(const struct page *page, int metric)
{
    return metric == AFF_METRIC_REVENUE ? page->scale : 1;
}

static int digits_of(const struct page *page, int metric)
{
    return metric == AFF_METRIC_REVENUE ? page->digits : SHARE_DIGITS;
}

/* ---- head ---- */

static void write_split(const struct page *page, const struct aff_backtest_split *split, const char *what)
{
    char from[AFF_BACKTEST_DATE], at[AFF_BACKTEST_DATE], end[AFF_BACKTEST_DATE];
    const double whole = (double)split->to_s - split->from_s;
    const double learned = whole > 0 ? 100 * ((double)split->split_s - split->from_s) / whole : 50;

    if (split->asked == 0)
        return;
    (void)fprintf(page->to,
                  "<div class=\"time\"><p><strong>%" PRIu32
                  "</strong> %s from %s to %s are learned from, <strong>%" PRIu32
                  "</strong> until %s are asked about.",
                  split->learned, what, aff_backtest_date(split->from_s, from),
                  aff_backtest_date(split->split_s, at), split->asked, aff_backtest_date(split->to_s, end));
    if (split->left_out > 0)
        (void)fprintf(page->to,
                      " <span class=\"soft\">%" PRIu32 " older ones are left out for want of memory.</span>",
                      split->left_out);
    (void)fprintf(
        page->to,
        "</p><svg height=\"10\" role=\"img\" aria-label=\"time split\"><rect class=\"learned\" "
        "width=\"%.2f%%\""
        " height=\"10\"/><rect class=\"asked\" x=\"%.2f%%\" width=\"%.2f%%\" height=\"10\"/></svg></div>\n",
        learned, learned, 100 - learned);
}

static void write_head(const struct page *page)
{
    const struct aff_backtest_result *result = page->result;

    (void)fputs(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Backtest of ",
        page->to);
    aff_page_escape(page->to, result->store);
    (void)fputs("</title>\n<style>\n", page->to);
    write_part(page->to, "style.css");
    (void)fputs("</style>\n</head>\n<body>\n<main>\n<header>\n<h1>Backtest of store ", page->to);
    aff_page_escape(page->to, result->store);
    (void)fprintf(
        page->to,
        "</h1>\n<p>How well each method would have foreseen the newest %.0f %% of what customers did."
        " <a href=\"#legend\">How to read this</a></p>\n",
        100 * result->test_share);
    write_split(page, &result->orders, "orders");
    write_split(page, &result->sessions, "sessions");
    (void)fprintf(page->to,
                  "<p class=\"soft\">%" PRIu32 " products, of which %" PRIu32
                  " may be offered today.</p>\n</header>\n",
                  result->n_products, result->n_offered);
}

/* ---- summary ---- */

static const struct aff_backtest_row *find_blend(const struct aff_backtest_part *part)
{
    for (uint32_t i = 0; i < part->n_rows; i++)
        if (part->rows[i].is_blend)
            return &part->rows[i];
    return NULL;
}

/* The best of the methods beside the blend, by the task's first metric. */
static const struct aff_backtest_row *find_best(const struct aff_backtest_part *part)
{
    const enum aff_metric first = aff_backtest_task(part->task)->first;
    const struct aff_backtest_row *best = NULL;

    for (uint32_t i = 0; i < part->n_rows; i++) {
        const struct aff_backtest_row *row = &part->rows[i];
        if (row->kind == AFF_BACKTEST_METHOD && !row->is_blend && !row->is_configured &&
            (best == NULL || row->figures[first].value > best->figures[first].value))
            best = row;
    }
    return best;
}

static void write_figure(const struct page *page, const struct aff_figure *figure, int metric,
                         bool difference)
{
    const double scale = scale_of(page, metric);
    const int digits = digits_of(page, metric);
    const double half = fmax(figure->high - figure->value, figure->value - figure->low);

    (void)fputs("<td>", page->to);
    aff_page_number(page->to, figure->value / scale, digits, difference);
    if (isfinite(half))
        (void)fprintf(page->to, " <span class=\"soft\">± %.*f</span>", digits, half / scale);
    (void)fputs("</td>", page->to);
}

static void write_summary_row(const struct page *page, const struct aff_backtest_part *part)
{
    const struct aff_backtest_task_row *task = aff_backtest_task(part->task);
    const struct aff_backtest_row *blend = find_blend(part), *best = find_best(part);

    (void)fprintf(page->to, "<tr><td><a href=\"#%s\">%s</a></td><td>%s@%" PRIu32 "</td>", task->name,
                  task->title, aff_metric_name(task->first), part->k);
    if (blend == NULL) {
        (void)fprintf(page->to, "<td colspan=\"4\" class=\"soft\">too few queries (%" PRIu32 ")</td></tr>\n",
                      part->n_queries);
        return;
    }
    write_figure(page, &blend->figures[task->first], task->first, false);
    if (best == NULL) {
        (void)fputs("<td></td><td></td><td></td></tr>\n", page->to);
        return;
    }
    const struct aff_figure loss = best->gains[task->first];
    const struct aff_figure gain = {-loss.value, -loss.high, -loss.low};
    (void)fprintf(page->to, "<td>%s</td>", best->name);
    write_figure(page, &best->figures[task->first], task->first, false);
    write_figure(page, &gain, task->first, true);
    (void)fputs("</tr>\n", page->to);
}

static void write_summary(const struct page *page)
{
    (void)fputs("<section id=\"summary\">\n<h2>In short</h2>\n<div class=\"wide\"><table "
                "class=\"summary\">\n<thead><tr><th>Task</th>"
                "<th>Figure</th><th>What is served</th><th>Best single method</th><th>Its figure</th>"
                "<th>Served is better by</th></tr></thead>\n<tbody>\n",
                page->to);
    for (uint32_t p = 0; p < page->result->n_parts; p++)
        write_summary_row(page, &page->result->parts[p]);
    (void)fputs("</tbody></table></div>\n</section>\n", page->to);
}

/* ---- one task ---- */

/* Numbers of the part's rows of a kind, the best by `metric` first; 0 of them without any. */
static uint32_t list_rows(const struct aff_backtest_part *part, enum aff_backtest_kind kind, bool with_blend,
                          bool sorted, uint32_t ret_rows[ORDER_MAX])
{
    const enum aff_metric first = aff_backtest_task(part->task)->first;
    uint32_t n = 0, of_kind = 0;

    for (uint32_t i = 0; i < part->n_rows; i++) {
        const bool is_kind = part->rows[i].kind == kind;
        uint32_t at = n;
        of_kind += is_kind;
        if (!is_kind && !(with_blend && part->rows[i].is_blend))
            continue;
        for (; sorted && at > 0 &&
               part->rows[ret_rows[at - 1]].figures[first].value < part->rows[i].figures[first].value;
             at--)
            ret_rows[at] = ret_rows[at - 1];
        ret_rows[at] = i;
        n++;
    }
    return of_kind > 0 ? n : 0;
}

static void write_chart(const struct page *page, const struct aff_backtest_part *part, const uint32_t *rows,
                        uint32_t n, enum aff_metric metric, bool differences)
{
    struct aff_bar bars[ORDER_MAX];
    char caption[64];

    for (uint32_t i = 0; i < n; i++) {
        const struct aff_backtest_row *row = &part->rows[rows[i]];
        bars[i] = (struct aff_bar){row->name, differences ? row->gains[metric] : row->figures[metric],
                                   row->is_blend || differences};
    }
    (void)snprintf(caption, sizeof caption, differences ? "%s@%" PRIu32 ", difference" : "%s@%" PRIu32,
                   aff_metric_name(metric), part->k);
    aff_chart_write(page->to, caption, bars, n, scale_of(page, metric), digits_of(page, metric), differences);
}

static void write_table(const struct page *page, const struct aff_backtest_part *part, const uint32_t *rows,
                        uint32_t n, bool differences)
{
    const int n_metrics = differences ? AFF_METRIC_OF_QUERY : AFF_METRIC_MAX;

    (void)fputs("<div class=\"wide\"><table>\n<thead><tr><th></th>", page->to);
    for (int m = 0; m < n_metrics; m++) {
        (void)fprintf(page->to, "<th>%s@%" PRIu32, aff_metric_name((enum aff_metric)m), part->k);
        if (m == AFF_METRIC_REVENUE) {
            (void)fputs(" ", page->to);
            aff_page_escape(page->to, page->result->currency);
        }
        (void)fputs("</th>", page->to);
    }
    (void)fputs("</tr></thead>\n<tbody>\n", page->to);
    for (uint32_t i = 0; i < n; i++) {
        const struct aff_backtest_row *row = &part->rows[rows[i]];
        (void)fprintf(page->to, "<tr%s><td>", row->is_blend ? " class=\"own\"" : "");
        aff_page_escape(page->to, row->name);
        (void)fputs("</td>", page->to);
        for (int m = 0; m < n_metrics; m++)
            write_figure(page, differences ? &row->gains[m] : &row->figures[m], m, differences);
        (void)fputs("</tr>\n", page->to);
    }
    (void)fputs("</tbody></table></div>\n", page->to);
}

static void write_methods(const struct page *page, const struct aff_backtest_part *part)
{
    const struct aff_backtest_task_row *task = aff_backtest_task(part->task);
    uint32_t rows[ORDER_MAX];
    const uint32_t n = list_rows(part, AFF_BACKTEST_METHOD, false, true, rows);

    (void)fputs("<div class=\"charts\">\n", page->to);
    write_chart(page, part, rows, n, task->first, false);
    write_chart(page, part, rows, n, task->second, false);
    (void)fputs("</div>\n", page->to);
    write_table(page, part, rows, n, false);
}

static void write_without(const struct page *page, const struct aff_backtest_part *part)
{
    const struct aff_backtest_task_row *task = aff_backtest_task(part->task);
    uint32_t rows[ORDER_MAX];
    const uint32_t n = list_rows(part, AFF_BACKTEST_WITHOUT, false, false, rows);

    if (n == 0)
        return;
    (void)fputs("<h3>What each source adds</h3>\n<p>The blend without one source, against the whole blend: "
                "the further"
                " below 0, the more that source adds.</p>\n<div class=\"charts\">\n",
                page->to);
    write_chart(page, part, rows, n, task->first, true);
    write_chart(page, part, rows, n, task->second, true);
    (void)fputs("</div>\n", page->to);
    write_table(page, part, rows, n, true);
}

static void write_varied(const struct page *page, const struct aff_backtest_part *part)
{
    const struct aff_backtest_task_row *task = aff_backtest_task(part->task);
    uint32_t rows[ORDER_MAX];
    const uint32_t n = list_rows(part, AFF_BACKTEST_VARIED, true, false, rows);

    if (n == 0)
        return;
    (void)fputs("<h3>What diversity and rotation cost</h3>\n<div class=\"charts\">\n", page->to);
    write_chart(page, part, rows, n, task->first, false);
    write_chart(page, part, rows, n, AFF_METRIC_COVERAGE, false);
    (void)fputs("</div>\n", page->to);
    write_table(page, part, rows, n, false);
}

static void write_task(const struct page *page, const struct aff_backtest_part *part)
{
    const struct aff_backtest_task_row *task = aff_backtest_task(part->task);
    const char *what = part->task == AFF_BACKTEST_VIEWS ? "sessions" : "orders";

    (void)fprintf(
        page->to,
        "<section id=\"%s\">\n<h2>%s</h2>\n<p>%s <span class=\"soft\">%" PRIu32 " queries about %" PRIu32
        " %s; the first %" PRIu32 " items count. Task <code>%s</code>.</span></p>\n",
        task->name, task->title, task->about, part->n_queries, part->n_groups, what, part->k, task->name);
    if (part->n_queries < AFF_BACKTEST_LEAST) {
        (void)fprintf(page->to,
                      "<p class=\"note\">Too few queries: at least %d are needed. Ask about more, for "
                      "example with <code>--test-share 0.3</code>.</p>\n</section>\n",
                      AFF_BACKTEST_LEAST);
        return;
    }
    if (part->fitted)
        (void)fputs("<p class=\"note\">The blend's weights were fitted to this store, maybe to the very "
                    "orders that are"
                    " asked about here. Its figures are then too good; those of <code>configured</code>, the "
                    "weights of"
                    " the configuration, are not.</p>\n",
                    page->to);
    write_methods(page, part);
    write_without(page, part);
    write_varied(page, part);
    (void)fputs("</section>\n", page->to);
}

/* ---- all ---- */

static void write_glossary(const struct page *page)
{
    (void)fputs(
        "<section id=\"methods\">\n<h2>Methods</h2>\n<p>All are the served engine with other rows or other"
        " weights, asked the same queries. Counts: <code>n_a</code>, <code>n_b</code> orders that hold each"
        " product, <code>n_ab</code> both, <code>n</code> all; for views, sessions in place of "
        "orders.</p>\n<dl>\n",
        page->to);
    for (int m = 0; m < AFF_BACKTEST_METHOD_MAX; m++)
        (void)fprintf(page->to, "<dt>%s</dt><dd>%s</dd>\n",
                      aff_backtest_method_name((enum aff_backtest_method)m),
                      aff_backtest_method_about((enum aff_backtest_method)m));
    (void)fputs("</dl>\n</section>\n", page->to);
}

void aff_page_write(const struct aff_backtest_result *result, FILE *to)
{
    const int digits = aff_currency_digits(result->currency);
    const struct page page = {.result = result, .to = to, .scale = pow(10, digits), .digits = digits};

    write_head(&page);
    write_summary(&page);
    for (uint32_t p = 0; p < result->n_parts; p++)
        write_task(&page, &result->parts[p]);
    write_part(to, "legend.html");
    write_glossary(&page);
    (void)fprintf(to,
                  "<footer>affinityctl backtest %s, seed %" PRIu64 ".</footer>\n</main>\n</body>\n</html>\n",
                  AFF_VERSION, result->seed);
}
