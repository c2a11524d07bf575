/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/show.h"

static void write_date(struct aff_json *json, const char *name, uint32_t at_s)
{
    char date[AFF_BACKTEST_DATE];

    aff_json_name(json, name);
    if (at_s == 0)
        aff_json_null(json);
    else
        aff_json_string(json, aff_backtest_date(at_s, date));
}

static void write_split(struct aff_json *json, const char *name, const struct aff_backtest_split *split)
{
    aff_json_name(json, name);
    aff_json_open_object(json);
    aff_json_name(json, "left_out");
    aff_json_uint(json, split->left_out);
    aff_json_name(json, "learned");
    aff_json_uint(json, split->learned);
    aff_json_name(json, "asked");
    aff_json_uint(json, split->asked);
    write_date(json, "from", split->from_s);
    write_date(json, "split", split->split_s);
    write_date(json, "to", split->to_s);
    aff_json_close_object(json);
}

static void write_figures(struct aff_json *json, const char *name, const struct aff_figure *figures, int n)
{
    aff_json_name(json, name);
    aff_json_open_object(json);
    for (int m = 0; m < n; m++) {
        aff_json_name(json, aff_metric_name((enum aff_metric)m));
        aff_json_open_object(json);
        aff_json_name(json, "value");
        aff_json_score(json, figures[m].value);
        aff_json_name(json, "low");
        aff_json_score(json, figures[m].low);
        aff_json_name(json, "high");
        aff_json_score(json, figures[m].high);
        aff_json_close_object(json);
    }
    aff_json_close_object(json);
}

static const char *kind_name(enum aff_backtest_kind kind)
{
    static const char *const names[] = {"method", "without", "varied"};
    return names[kind];
}

static void write_row(struct aff_json *json, const struct aff_backtest_row *row)
{
    aff_json_open_object(json);
    aff_json_name(json, "name");
    aff_json_string(json, row->name);
    aff_json_name(json, "kind");
    aff_json_string(json, kind_name(row->kind));
    write_figures(json, "figures", row->figures, AFF_METRIC_MAX);
    if (row->compared && !row->is_blend)
        write_figures(json, "against_blend", row->gains, AFF_METRIC_OF_QUERY);
    aff_json_name(json, "mean_us");
    aff_json_score(json, row->mean_us);
    aff_json_close_object(json);
}

static void write_part(struct aff_json *json, const struct aff_backtest_part *part)
{
    const struct aff_backtest_task_row *task = aff_backtest_task(part->task);

    aff_json_open_object(json);
    aff_json_name(json, "task");
    aff_json_string(json, task->name);
    aff_json_name(json, "title");
    aff_json_string(json, task->title);
    aff_json_name(json, "k");
    aff_json_uint(json, part->k);
    aff_json_name(json, "queries");
    aff_json_uint(json, part->n_queries);
    aff_json_name(json, "groups");
    aff_json_uint(json, part->n_groups);
    aff_json_name(json, "fitted");
    aff_json_bool(json, part->fitted);
    aff_json_name(json, "rows");
    aff_json_open_array(json);
    for (uint32_t i = 0; i < part->n_rows; i++)
        write_row(json, &part->rows[i]);
    aff_json_close_array(json);
    aff_json_close_object(json);
}

void aff_backtest_show_json(const struct aff_backtest_result *result, struct aff_json *json)
{
    aff_json_open_object(json);
    aff_json_name(json, "store");
    aff_json_string(json, result->store);
    aff_json_name(json, "currency");
    aff_json_string(json, result->currency);
    aff_json_name(json, "seed");
    aff_json_uint(json, result->seed);
    aff_json_name(json, "test_share");
    aff_json_score(json, result->test_share);
    aff_json_name(json, "products");
    aff_json_uint(json, result->n_products);
    aff_json_name(json, "products_offered");
    aff_json_uint(json, result->n_offered);
    write_split(json, "orders", &result->orders);
    write_split(json, "sessions", &result->sessions);
    aff_json_name(json, "tasks");
    aff_json_open_array(json);
    for (uint32_t p = 0; p < result->n_parts; p++)
        write_part(json, &result->parts[p]);
    aff_json_close_array(json);
    aff_json_name(json, "seconds");
    aff_json_score(json, result->seconds);
    aff_json_close_object(json);
}
