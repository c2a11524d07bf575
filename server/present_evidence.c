/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"
#include "core/learn/season.h"
#include "server/present.h"

void aff_present_money(struct aff_json *json, int64_t amount, const char *currency)
{
    if (amount == AFF_NO_MONEY) {
        aff_json_null(json);
        return;
    }
    aff_json_open_object(json);
    aff_json_name(json, "amount");
    aff_json_int(json, amount);
    aff_json_name(json, "currency");
    aff_json_string(json, currency);
    aff_json_close_object(json);
}

void aff_present_time(struct aff_json *json, const char *text)
{
    if (text[0] == '\0')
        aff_json_null(json);
    else
        aff_json_string(json, text);
}

void aff_present_index(struct aff_json *json, const struct aff_model *model, const struct aff_note *note,
                       int64_t age_s)
{
    aff_json_open_object(json);
    aff_json_name(json, "version");
    aff_json_uint(json, model->version);
    aff_json_name(json, "built_at");
    aff_present_time(json, note->built_at);
    aff_json_name(json, "age_s");
    if (age_s < 0)
        aff_json_null(json);
    else
        aff_json_int(json, age_s);
    aff_json_close_object(json);
}

static void write_real(struct aff_json *json, const char *name, double value)
{
    aff_json_name(json, name);
    aff_json_double(json, value);
}

static void write_count(struct aff_json *json, const char *name, uint64_t value)
{
    aff_json_name(json, name);
    aff_json_uint(json, value);
}

const char *aff_present_relation(enum aff_relation relation)
{
    return relation == AFF_RELATION_VIEWED ? "viewed" : relation == AFF_RELATION_NEXT ? "next" : "together";
}

struct aff_evidence aff_present_evidence_of(const struct aff_model *model, enum aff_relation relation,
                                            uint32_t via, uint32_t other,
                                            const struct aff_pair_counts *counts)
{
    const struct aff_product *product = aff_catalogue_product(model->catalogue, via);
    const struct aff_product *second = aff_catalogue_product(model->catalogue, other);

    if (relation == AFF_RELATION_VIEWED)
        return aff_evidence_of(counts->orders, product->sessions, second->sessions, model->totals.sessions);
    return aff_evidence_of(counts->orders, product->orders, second->orders, model->totals.orders);
}

/* Sessions weigh the same, so that for them it repeats `plain`. */
static void write_weighted(struct aff_json *json, const struct aff_model *model, enum aff_relation relation,
                           const struct aff_product *via, const struct aff_product *other,
                           const struct aff_pair_counts *counts, const struct aff_evidence *plain)
{
    struct aff_evidence weighted =
        relation == AFF_RELATION_VIEWED
            ? *plain
            : aff_evidence_weighted((double)counts->weight, (double)via->weight, (double)other->weight,
                                    (double)model->totals.weight);

    aff_json_name(json, "weighted");
    aff_json_open_object(json);
    write_real(json, "support", weighted.support);
    write_real(json, "confidence", weighted.confidence);
    write_real(json, "lift", weighted.lift);
    aff_json_close_object(json);
}

void aff_present_interval(struct aff_json *json, const char *name, double low, double high)
{
    aff_json_name(json, name);
    aff_json_open_array(json);
    aff_json_double(json, low);
    aff_json_double(json, high);
    aff_json_close_array(json);
}

static void write_undiscounted(struct aff_json *json, const struct aff_model *model,
                               const struct aff_product *via, const struct aff_product *other,
                               const struct aff_pair_counts *counts)
{
    struct aff_evidence without =
        aff_evidence_without(counts->orders, counts->discounted, via->orders, via->discounted, other->orders,
                             other->discounted, model->totals.orders);

    write_count(json, "discounted_orders", counts->discounted);
    write_real(json, "lift_without_discounts", without.lift);
    aff_present_interval(json, "lift_without_discounts_ci95", without.lift_low, without.lift_high);
}

void aff_present_season(struct aff_json *json, uint64_t orders, const struct aff_evidence *plain,
                        double expected, double z)
{
    struct aff_season_lift lift = aff_season_lift_of(orders, expected, z);

    aff_json_name(json, "season");
    if (!(expected > 0)) {
        aff_json_null(json);
        return;
    }
    aff_json_open_object(json);
    write_real(json, "expected_orders", expected);
    write_real(json, "lift", lift.lift);
    aff_present_interval(json, "lift_ci95", lift.low, lift.high);
    write_real(json, "z", z);
    aff_json_name(json, "marked");
    aff_json_bool(json, aff_season_marks(plain, expected, z));
    aff_json_close_object(json);
}

static void write_window(struct aff_json *json, const struct aff_model *model, const struct aff_note *note,
                         enum aff_relation relation)
{
    char from[AFF_TIME_TEXT] = "", to[AFF_TIME_TEXT] = "";
    const bool viewed = relation == AFF_RELATION_VIEWED;

    if (viewed && model->totals.viewed_to_us != 0) {
        aff_time_format(model->totals.viewed_from_us, from);
        aff_time_format(model->totals.viewed_to_us, to);
    }
    aff_json_name(json, "half_life_days");
    if (viewed)
        aff_json_null(json);
    else
        aff_json_double(json, note->half_life_days);
    aff_json_name(json, "window");
    aff_json_open_object(json);
    aff_json_name(json, "from");
    aff_present_time(json, viewed ? from : note->from);
    aff_json_name(json, "to");
    aff_present_time(json, viewed ? to : note->to);
    aff_json_close_object(json);
}

void aff_present_evidence(struct aff_json *json, const struct aff_model *model, const struct aff_note *note,
                          enum aff_relation relation, uint32_t via, uint32_t other,
                          const struct aff_pair_counts *counts)
{
    const struct aff_product *product = aff_catalogue_product(model->catalogue, via);
    const struct aff_product *second = aff_catalogue_product(model->catalogue, other);
    const bool viewed = relation == AFF_RELATION_VIEWED;
    struct aff_evidence evidence = aff_present_evidence_of(model, relation, via, other, counts);

    aff_json_open_object(json);
    aff_json_name(json, "relation");
    aff_json_string(json, aff_present_relation(relation));
    write_count(json, "pair_orders", counts->orders);
    write_count(json, "product_orders", viewed ? product->sessions : product->orders);
    write_count(json, "other_orders", viewed ? second->sessions : second->orders);
    write_count(json, "total_orders", viewed ? model->totals.sessions : model->totals.orders);
    write_real(json, "support", evidence.support);
    write_real(json, "confidence", evidence.confidence);
    write_real(json, "reverse_confidence", evidence.reverse_confidence);
    write_real(json, "lift", evidence.lift);
    aff_present_interval(json, "lift_ci95", evidence.lift_low, evidence.lift_high);
    write_real(json, "llr", evidence.llr);
    if (relation == AFF_RELATION_TOGETHER) {
        write_undiscounted(json, model, product, second, counts);
        aff_present_season(json, counts->orders, &evidence, (double)counts->season_expected,
                           (double)counts->season_z);
    }
    write_weighted(json, model, relation, product, second, counts, &evidence);
    aff_json_name(json, "revenue");
    aff_present_money(json, counts->revenue, model->currency);
    aff_json_name(json, "margin");
    aff_present_money(json, counts->margin, model->currency);
    if (relation == AFF_RELATION_NEXT)
        write_real(json, "gap_days", (double)counts->gap_days);
    write_window(json, model, note, relation);
    aff_json_close_object(json);
}
