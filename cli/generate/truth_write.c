/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/names.h"
#include "cli/generate/truth.h"

#include "core/base/clock.h"

#include <stdio.h>

struct writer {
    const struct aff_demo_truth *truth;
    const struct aff_demo_origin *origin;
    struct aff_json *json;
};

static void write_count(const struct writer *writer, const char *name, uint64_t value)
{
    aff_json_name(writer->json, name);
    aff_json_uint(writer->json, value);
}

/* A quotient; null without a divisor. */
static void write_share(const struct writer *writer, const char *name, double part, double whole)
{
    aff_json_name(writer->json, name);
    if (whole > 0)
        aff_json_double(writer->json, part / whole);
    else
        aff_json_null(writer->json);
}

static void write_product(const struct writer *writer, const char *role, unsigned watch)
{
    struct aff_demo_place place = aff_demo_places[watch];
    const struct aff_demo_catalogue *catalogue = writer->origin->catalogue;
    struct aff_demo_description description;

    aff_demo_describe(place.type, place.rank, &description);
    aff_json_name(writer->json, role);
    aff_json_open_object(writer->json);
    aff_json_name(writer->json, "id");
    aff_json_text(writer->json,
                  catalogue->products[aff_demo_catalogue_at(catalogue, place.type, place.rank)].id);
    aff_json_name(writer->json, "name");
    aff_json_string(writer->json, description.name);
    write_count(writer, "orders", writer->truth->with[watch]);
    aff_json_close_object(writer->json);
}

static double lift_of(double both, double a, double b, double orders)
{
    return a > 0 && b > 0 ? both * orders / (a * b) : 0;
}

static void write_pairs(const struct writer *writer)
{
    const struct aff_demo_truth *truth = writer->truth;

    aff_json_name(writer->json, "affinities");
    aff_json_open_array(writer->json);
    for (int i = 0; i < AFF_PAIRS; i++) {
        const struct aff_demo_pair *pair = &aff_demo_pairs[i];
        double a = (double)truth->with[pair->a], b = (double)truth->with[pair->b],
               both = (double)truth->both[i];
        aff_json_open_object(writer->json);
        write_product(writer, "a", pair->a);
        write_product(writer, "b", pair->b);
        write_share(writer, "designed_confidence", pair->per_cent, 100);
        write_count(writer, "orders_both", truth->both[i]);
        write_share(writer, "confidence", both, a);
        aff_json_name(writer->json, "lift");
        aff_json_double(writer->json, lift_of(both, a, b, (double)truth->orders));
        aff_json_close_object(writer->json);
    }
    aff_json_close_array(writer->json);
}

/* The lower median of the gaps in days; null without gaps. */
static void write_median_gap(const struct writer *writer, const struct aff_demo_next_count *count)
{
    uint64_t seen = 0;
    int32_t day = 0;

    aff_json_name(writer->json, "median_gap_days");
    if (count->orders == 0) {
        aff_json_null(writer->json);
        return;
    }
    while ((seen += count->gaps[day]) * 2 < count->orders)
        day++;
    aff_json_int(writer->json, day);
}

static void write_next(const struct writer *writer, int i)
{
    const struct aff_demo_next *next = &aff_demo_nexts[i];
    const struct aff_demo_next_count *count = &writer->truth->nexts[i];

    aff_json_open_object(writer->json);
    write_product(writer, next->kind == AFF_NEXT_REPEAT ? "product" : "a", next->a);
    if (next->kind != AFF_NEXT_REPEAT)
        write_product(writer, "b", next->b);
    write_share(writer, "designed_probability", next->per_cent, 100);
    write_count(writer, "designed_gap_days", (uint64_t)next->gap_days);
    write_count(writer, "designed_jitter_days", (uint64_t)next->jitter_days);
    write_count(writer, "trials", count->trials);
    write_count(writer, "planned", count->planned);
    write_count(writer, "followed_orders", writer->truth->firsts[next->a]);
    write_count(writer, "orders", count->orders);
    write_median_gap(writer, count);
    aff_json_close_object(writer->json);
}

static void write_nexts(const struct writer *writer, const char *name, enum aff_demo_next_kind kind)
{
    aff_json_name(writer->json, name);
    aff_json_open_array(writer->json);
    for (int i = 0; i < AFF_NEXTS; i++)
        if (aff_demo_nexts[i].kind == kind)
            write_next(writer, i);
    aff_json_close_array(writer->json);
}

static void write_noise(const struct writer *writer)
{
    const struct aff_demo_truth *truth = writer->truth;
    uint64_t both = 0;
    char text[32];

    for (uint32_t i = 0; i < truth->n_months; i++)
        both += truth->months[i].orders_both;
    aff_json_name(writer->json, "seasonal_noise");
    aff_json_open_object(writer->json);
    write_product(writer, "a", AFF_NOISE_A);
    write_product(writer, "b", AFF_NOISE_B);
    write_share(writer, "summer_probability", AFF_NOISE_SUMMER_OF_THOUSAND, 1000);
    write_share(writer, "other_probability", AFF_NOISE_OTHER_OF_THOUSAND, 1000);
    write_count(writer, "orders_both", both);
    aff_json_name(writer->json, "lift");
    aff_json_double(writer->json, lift_of((double)both, (double)truth->with[AFF_NOISE_A],
                                          (double)truth->with[AFF_NOISE_B], (double)truth->orders));
    aff_json_name(writer->json, "months");
    aff_json_open_array(writer->json);
    for (uint32_t i = 0; i < truth->n_months; i++) {
        const struct aff_demo_month_count *month = &truth->months[i];
        aff_json_open_object(writer->json);
        (void)snprintf(text, sizeof text, "%04d-%02d", month->date.year, month->date.month);
        aff_json_name(writer->json, "month");
        aff_json_string(writer->json, text);
        write_count(writer, "orders", month->orders);
        write_count(writer, "orders_a", month->orders_a);
        write_count(writer, "orders_b", month->orders_b);
        write_count(writer, "orders_both", month->orders_both);
        aff_json_close_object(writer->json);
    }
    aff_json_close_array(writer->json);
    aff_json_close_object(writer->json);
}

/* The bestseller beside everything that is planted: its lift is 1 but for chance. */
static void write_bestseller(const struct writer *writer)
{
    const struct aff_demo_truth *truth = writer->truth;

    aff_json_name(writer->json, "bestseller");
    aff_json_open_object(writer->json);
    write_product(writer, "product", AFF_BESTSELLER);
    write_share(writer, "designed_probability", AFF_BESTSELLER_OF_THOUSAND, 1000);
    aff_json_name(writer->json, "beside");
    aff_json_open_array(writer->json);
    for (int i = 0; i < AFF_PAIRS; i++) {
        if (i > 0 && aff_demo_pairs[i].a == aff_demo_pairs[i - 1].a)
            continue;
        aff_json_open_object(writer->json);
        write_product(writer, "product", aff_demo_pairs[i].a);
        write_count(writer, "orders_both", truth->with_bestseller[aff_demo_pairs[i].a]);
        aff_json_close_object(writer->json);
    }
    aff_json_close_array(writer->json);
    aff_json_close_object(writer->json);
}

static void write_time(const struct writer *writer, const char *name, int64_t day)
{
    char text[AFF_TIME_TEXT];

    aff_time_format(day * AFF_DAY_US, text);
    aff_json_name(writer->json, name);
    aff_json_string(writer->json, text);
}

static void write_store(const struct writer *writer)
{
    const struct aff_demo_truth *truth = writer->truth;
    const struct aff_demo_origin *origin = writer->origin;
    const struct aff_demo_calendar *calendar = origin->calendar;

    aff_json_name(writer->json, "store");
    aff_json_open_object(writer->json);
    write_count(writer, "seed", origin->seed);
    write_count(writer, "products", origin->products);
    write_count(writer, "customers", origin->customers);
    write_time(writer, "from", calendar->first_day);
    write_time(writer, "until", calendar->first_day + calendar->n_days);
    aff_json_name(writer->json, "currency");
    aff_json_string(writer->json, "EUR");
    write_count(writer, "lines", truth->lines);
    write_count(writer, "discounted_lines", truth->discounted_lines);
    write_count(writer, "return_lines", truth->return_lines);
    write_count(writer, "cancelled_orders", truth->cancelled_orders);
    write_count(writer, "orders", truth->orders);
    write_count(writer, "guest_orders", truth->guest_orders);
    aff_json_close_object(writer->json);
}

void aff_demo_truth_write(const struct aff_demo_truth *truth, const struct aff_demo_origin *origin,
                          struct aff_json *json)
{
    struct writer writer = {truth, origin, json};

    aff_json_open_object(json);
    write_store(&writer);
    write_pairs(&writer);
    write_nexts(&writer, "sequences", AFF_NEXT_SEQUENCE);
    write_nexts(&writer, "upgrades", AFF_NEXT_UPGRADE);
    write_nexts(&writer, "repeats", AFF_NEXT_REPEAT);
    write_noise(&writer);
    write_bestseller(&writer);
    aff_json_close_object(json);
}
