/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recommend/show.h"
#include "core/base/clock.h"
#include "core/learn/season.h"
#include "core/recommend/confidence.h"

static void write_money(struct aff_json *json, const char *name, int64_t money)
{
    aff_json_name(json, name);
    if (money == AFF_NO_MONEY)
        aff_json_null(json);
    else
        aff_json_int(json, money);
}

static void write_id(struct aff_json *json, const char *name, const struct aff_model *model, uint32_t row)
{
    if (row == AFF_NO_ROW)
        return;
    aff_json_name(json, name);
    aff_json_text(json, aff_catalogue_product(model->catalogue, row)->id);
}

static void write_double(struct aff_json *json, const char *name, double value)
{
    aff_json_name(json, name);
    aff_json_double(json, value);
}

static void write_uint(struct aff_json *json, const char *name, uint64_t value)
{
    aff_json_name(json, name);
    aff_json_uint(json, value);
}

/* What the months explain, as in the service's evidence. */
static void write_season(struct aff_json *json, const struct aff_item *item,
                         const struct aff_evidence *evidence)
{
    double expected = (double)item->evidence->season_expected, z = (double)item->evidence->season_z;
    struct aff_season_lift lift = aff_season_lift_of(item->evidence->orders, expected, z);

    aff_json_name(json, "season");
    if (!(expected > 0)) {
        aff_json_null(json);
        return;
    }
    aff_json_open_object(json);
    write_double(json, "expected_orders", expected);
    write_double(json, "lift", lift.lift);
    aff_json_name(json, "lift_ci95");
    aff_json_open_array(json);
    aff_json_double(json, lift.low);
    aff_json_double(json, lift.high);
    aff_json_close_array(json);
    write_double(json, "z", z);
    aff_json_name(json, "marked");
    aff_json_bool(json, aff_season_marks(evidence, expected, z));
    aff_json_close_object(json);
}

static void write_evidence(struct aff_json *json, const struct aff_model *model, const struct aff_item *item)
{
    struct aff_evidence evidence;

    if (!aff_show_evidence(model, item, &evidence))
        return;
    aff_json_name(json, "evidence");
    aff_json_open_object(json);
    write_uint(json, "pair_orders", item->evidence->orders);
    write_uint(json, "product_orders", aff_catalogue_product(model->catalogue, item->via)->orders);
    write_uint(json, "other_orders", aff_catalogue_product(model->catalogue, item->row)->orders);
    write_uint(json, "total_orders", model->totals.orders);
    write_double(json, "support", evidence.support);
    write_double(json, "confidence", evidence.confidence);
    write_double(json, "reverse_confidence", evidence.reverse_confidence);
    write_double(json, "lift", evidence.lift);
    aff_json_name(json, "lift_ci95");
    aff_json_open_array(json);
    aff_json_double(json, evidence.lift_low);
    aff_json_double(json, evidence.lift_high);
    aff_json_close_array(json);
    write_double(json, "llr", evidence.llr);
    if (item->via_relation == AFF_RELATION_TOGETHER)
        write_season(json, item, &evidence);
    aff_json_close_object(json);
}

static void write_terms(struct aff_json *json, const struct aff_model *model, const struct aff_item *item)
{
    aff_json_name(json, "terms");
    aff_json_open_array(json);
    for (uint32_t i = 0; i < item->n_terms; i++) {
        aff_json_open_object(json);
        aff_json_name(json, "source");
        aff_json_string(json, aff_show_origin(item->terms[i].source));
        write_id(json, "via", model, item->terms[i].via);
        write_double(json, "weight", item->terms[i].weight);
        write_double(json, "value", item->terms[i].value);
        aff_json_close_object(json);
    }
    aff_json_close_array(json);
    write_uint(json, "terms_dropped", item->n_terms_dropped);
}

static void write_item(struct aff_json *json, const struct aff_model *model,
                       const struct aff_request *request, const struct aff_item *item, uint32_t rank)
{
    const struct aff_product *product = aff_catalogue_product(model->catalogue, item->row);

    aff_json_open_object(json);
    aff_json_name(json, "product");
    aff_json_text(json, product->id);
    aff_json_name(json, "name");
    aff_json_text(json, product->name);
    aff_json_name(json, "kind");
    aff_json_string(json, aff_show_kind(item->kind));
    write_uint(json, "rank", rank);
    write_double(json, "score", (double)item->score);
    aff_json_name(json, "origin");
    aff_json_string(json, aff_show_origin(item->origin));
    aff_json_name(json, "low_confidence");
    aff_json_bool(json, aff_item_low_confidence(model, item));
    write_id(json, "via", model, item->via);
    write_money(json, "price", product->price);
    write_evidence(json, model, item);
    if (request->explain == AFF_EXPLAIN_FULL)
        write_terms(json, model, item);
    aff_json_close_object(json);
}

static void write_dropped(struct aff_json *json, const struct aff_answer *answer)
{
    aff_json_name(json, "dropped");
    aff_json_open_object(json);
    for (int i = 0; i < AFF_DROP_MAX; i++)
        if (answer->dropped[i] > 0)
            write_uint(json, aff_show_drop((enum aff_drop)i), answer->dropped[i]);
    aff_json_close_object(json);
}

static void write_index(struct aff_json *json, const struct aff_model *model)
{
    char built[AFF_TIME_TEXT];

    aff_json_name(json, "store");
    aff_json_string(json, model->store);
    aff_json_name(json, "currency");
    aff_json_string(json, model->currency);
    aff_json_name(json, "index");
    aff_json_open_object(json);
    write_uint(json, "version", model->version);
    aff_json_name(json, "built_at");
    if (model->built_at_us == 0) {
        aff_json_null(json);
    } else {
        aff_time_format(model->built_at_us, built);
        aff_json_string(json, built);
    }
    aff_json_close_object(json);
}

static void write_rest(struct aff_json *json, const struct aff_request *request,
                       const struct aff_answer *answer)
{
    aff_json_name(json, "unknown_ids");
    aff_json_open_array(json);
    for (uint32_t i = 0; i < answer->n_unknown; i++)
        aff_json_text(json, answer->unknown[i]);
    aff_json_close_array(json);
    if (request->customer.size > 0) {
        aff_json_name(json, "customer_known");
        aff_json_bool(json, answer->customer_known);
    }
    if (answer->short_reason != AFF_SHORT_NONE) {
        aff_json_name(json, "short_reason");
        aff_json_string(json, aff_show_short(answer->short_reason));
    }
    if (answer->why_not == AFF_FATE_NOT_ASKED)
        return;
    aff_json_name(json, "why_not");
    aff_json_open_object(json);
    aff_json_name(json, "product");
    aff_json_text(json, request->why_not);
    aff_json_name(json, "fate");
    aff_json_string(json, aff_show_fate(answer->why_not));
    if (answer->why_not == AFF_FATE_DROPPED) {
        aff_json_name(json, "dropped");
        aff_json_string(json, aff_show_drop(answer->why_not_drop));
    }
    aff_json_close_object(json);
}

void aff_show_json(const struct aff_model *model, const struct aff_request *request,
                   const struct aff_answer *answer, struct aff_json *json)
{
    aff_json_open_object(json);
    write_index(json, model);
    aff_json_name(json, "items");
    aff_json_open_array(json);
    for (uint32_t i = 0; i < answer->n_items; i++)
        write_item(json, model, request, &answer->items[i], i + 1);
    aff_json_close_array(json);
    write_uint(json, "candidates", answer->candidates);
    write_dropped(json, answer);
    write_rest(json, request, answer);
    aff_json_close_object(json);
}
