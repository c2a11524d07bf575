/* SPDX-License-Identifier: Apache-2.0 */
#include "server/present_review.h"

#include "core/base/clock.h"
#include "server/present.h"

#include <stdio.h>

enum { MONTHS_A_YEAR = 12, FIRST_YEAR = 1970 };

static void write_text(struct aff_json *json, const char *name, struct aff_text text)
{
    aff_json_name(json, name);
    if (text.size > 0)
        aff_json_text(json, text);
    else
        aff_json_null(json);
}

static void write_count(struct aff_json *json, const char *name, uint64_t value)
{
    aff_json_name(json, name);
    aff_json_uint(json, value);
}

static void write_month(struct aff_json *json, const struct aff_review_month *month)
{
    int years = month->month >= 0 ? month->month / MONTHS_A_YEAR : (month->month - 11) / MONTHS_A_YEAR;
    char text[24];

    (void)snprintf(text, sizeof text, "%04d-%02d", FIRST_YEAR + years,
                   month->month - years * MONTHS_A_YEAR + 1);
    aff_json_open_object(json);
    aff_json_name(json, "month");
    aff_json_string(json, text);
    write_count(json, "orders", (uint64_t)month->orders);
    write_count(json, "product_orders", (uint64_t)month->product_orders);
    write_count(json, "other_orders", (uint64_t)month->other_orders);
    aff_json_close_object(json);
}

static void write_evidence(struct aff_json *json, const struct aff_review_pair *pair)
{
    aff_json_open_object(json);
    write_count(json, "pair_orders", pair->orders);
    write_count(json, "product_orders", pair->product_orders);
    write_count(json, "other_orders", pair->other_orders);
    write_count(json, "total_orders", pair->total_orders);
    aff_json_name(json, "lift");
    aff_json_double(json, pair->evidence.lift);
    aff_present_interval(json, "lift_ci95", pair->evidence.lift_low, pair->evidence.lift_high);
    aff_present_season(json, pair->orders, &pair->evidence, pair->season.expected, pair->season.z);
    aff_json_name(json, "months");
    aff_json_open_array(json);
    for (size_t i = 0; i < pair->n_months; i++)
        write_month(json, &pair->months[i]);
    aff_json_close_array(json);
    aff_json_close_object(json);
}

void aff_present_review(struct aff_json *json, const struct aff_review_pair *pair)
{
    char at[AFF_TIME_TEXT] = "";

    if (pair->decided_us != INT64_MIN)
        aff_time_format(pair->decided_us, at);
    aff_json_open_object(json);
    write_text(json, "product", pair->product);
    write_text(json, "product_name", pair->product_name);
    write_text(json, "other", pair->other);
    write_text(json, "other_name", pair->other_name);
    aff_json_name(json, "verdict");
    aff_json_string(json, aff_verdict_name(pair->verdict));
    write_text(json, "by", pair->by);
    write_text(json, "note", pair->note);
    aff_json_name(json, "at");
    aff_present_time(json, at);
    aff_json_name(json, "evidence");
    write_evidence(json, pair);
    aff_json_close_object(json);
}
