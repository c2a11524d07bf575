/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recommend/show.h"
#include "core/base/clock.h"
#include "core/learn/season.h"

#include <inttypes.h>

enum { ID_WIDTH = 14, NAME_WIDTH = 32, REASON_WIDTH = 26 };

/* Prints the text in `width` columns, cut or filled up; a character is taken as one column wide. */
static void print_cell(FILE *to, struct aff_text text, int width)
{
    size_t end = 0;
    int columns = 0;

    while (end < text.size) {
        size_t next = end + 1;
        while (next < text.size && ((unsigned char)text.at[next] & 0xC0) == 0x80)
            next++;
        if (columns == width)
            break;
        columns++;
        end = next;
    }
    (void)fprintf(to, "%.*s%*s  ", (int)end, text.size == 0 ? "" : text.at, width - columns, "");
}

static struct aff_text id_of(const struct aff_model *model, uint32_t row)
{
    return aff_catalogue_product(model->catalogue, row)->id;
}

static void print_reason(FILE *to, const struct aff_model *model, const struct aff_item *item)
{
    static const struct {
        const char *text;
        bool names_via;
    } reasons[AFF_REASON_MAX] = {
        [AFF_REASON_BOUGHT_TOGETHER] = {"bought with", true},
        [AFF_REASON_BOUGHT_NEXT] = {"bought after", true},
        [AFF_REASON_ADDED_NEXT] = {"added after", true},
        [AFF_REASON_VIEWED_NEXT] = {"viewed after", true},
        [AFF_REASON_VIEWED_BEFORE] = {"viewed before", false},
        [AFF_REASON_BOUGHT_BEFORE] = {"bought before", false},
        [AFF_REASON_FITS_PURCHASES] = {"goes with purchases", false},
        [AFF_REASON_BOUGHT_WITH_SIMILAR] = {"bought with the like of", true},
        [AFF_REASON_SIMILAR] = {"like", true},
        [AFF_REASON_POPULAR_IN_CATEGORY] = {"popular", false},
        [AFF_REASON_POPULAR] = {"popular", false},
    };
    char text[AFF_ID_MAX + 32];
    const bool linked = item->via != AFF_NO_ROW && reasons[item->reason].names_via;
    struct aff_text via = linked ? id_of(model, item->via) : (struct aff_text){"", 0};

    (void)snprintf(text, sizeof text, "%s%s%.*s", reasons[item->reason].text, linked ? " " : "",
                   (int)via.size, via.at);
    print_cell(to, aff_text_of(text), REASON_WIDTH);
}

static void print_terms(FILE *to, const struct aff_model *model, const struct aff_item *item)
{
    for (uint32_t i = 0; i < item->n_terms; i++) {
        const struct aff_term *term = &item->terms[i];
        struct aff_text via = term->via == AFF_NO_ROW ? (struct aff_text){"", 0} : id_of(model, term->via);
        (void)fprintf(to, "      %+9.5f = %.3g x %.5f  %s%s%.*s\n", term->weight * term->value, term->weight,
                      term->value, aff_show_origin(term->source), via.size > 0 ? " of " : "", (int)via.size,
                      via.at);
    }
    if (item->n_terms_dropped > 0)
        (void)fprintf(to, "      and %" PRIu32 " smaller terms\n", item->n_terms_dropped);
}

static void print_season(FILE *to, const struct aff_model *model, const struct aff_item *item)
{
    struct aff_evidence evidence, without;

    if (item->via_relation != AFF_RELATION_TOGETHER || !aff_show_evidence(model, item, &evidence))
        return;
    const struct aff_pair_counts *counts = item->evidence;
    const struct aff_product *via = aff_catalogue_product(model->catalogue, item->via);
    const struct aff_product *product = aff_catalogue_product(model->catalogue, item->row);
    double expected = (double)counts->season_expected, z = (double)counts->season_z;
    struct aff_season_lift inside = aff_season_lift_of(counts->orders, expected, z);
    if (expected > 0)
        (void)fprintf(to, "      inside months lift is %.2f (%.2f to %.2f), z %.1f%s\n", inside.lift,
                      inside.low, inside.high, z,
                      aff_season_marks(&evidence, expected, z) ? ": only the season" : "");
    if (counts->discounted == 0)
        return;
    without = aff_evidence_without(counts->orders, counts->discounted, via->orders, via->discounted,
                                   product->orders, product->discounted, model->totals.orders);
    (void)fprintf(to, "      without %" PRIu32 " orders with reduced prices lift is %.2f (%.2f to %.2f)\n",
                  counts->discounted, without.lift, without.lift_low, without.lift_high);
}

static void print_item(FILE *to, const struct aff_model *model, const struct aff_request *request,
                       const struct aff_item *item, uint32_t rank)
{
    const struct aff_product *product = aff_catalogue_product(model->catalogue, item->row);
    struct aff_evidence evidence;

    (void)fprintf(to, "%3" PRIu32 "  ", rank);
    print_cell(to, product->id, ID_WIDTH);
    print_cell(to, product->name, NAME_WIDTH);
    (void)fprintf(to, "%8.4f  ", (double)item->score);
    print_reason(to, model, item);
    if (aff_show_evidence(model, item, &evidence))
        (void)fprintf(to, "%7" PRIu32 " %8.3f %% %8.2f %% %8.2f", item->evidence->orders,
                      evidence.support * 100, evidence.confidence * 100, evidence.lift);
    (void)fputs("\n", to);
    if (request->explain != AFF_EXPLAIN_FULL)
        return;
    if (item->evidence != NULL && aff_show_evidence(model, item, &evidence))
        (void)fprintf(to, "      lift is %.2f to %.2f with 95 %%, reverse confidence %.2f %%, LLR %.1f\n",
                      evidence.lift_low, evidence.lift_high, evidence.reverse_confidence * 100, evidence.llr);
    print_season(to, model, item);
    print_terms(to, model, item);
}

static void print_dropped(FILE *to, const struct aff_answer *answer)
{
    (void)fprintf(to, "%" PRIu32 " candidates, %" PRIu32 " offered", answer->candidates, answer->n_items);
    for (int i = 0; i < AFF_DROP_MAX; i++)
        if (answer->dropped[i] > 0)
            (void)fprintf(to, ", %" PRIu32 " %s", answer->dropped[i], aff_show_drop((enum aff_drop)i));
    (void)fputs("\n", to);
}

static void print_rest(FILE *to, const struct aff_request *request, const struct aff_answer *answer)
{
    if (answer->short_reason != AFF_SHORT_NONE)
        (void)fprintf(to, "Fewer than %" PRIu32 " items: %s\n", request->limit,
                      aff_show_short(answer->short_reason));
    if (request->customer.size > 0 && !answer->customer_known)
        (void)fprintf(to, "Unknown customer: %.*s\n", (int)request->customer.size, request->customer.at);
    for (uint32_t i = 0; i < answer->n_unknown; i++)
        (void)fprintf(to, "%s%.*s%s", i == 0 ? "Unknown: " : ", ", (int)answer->unknown[i].size,
                      answer->unknown[i].at, i + 1 == answer->n_unknown ? "\n" : "");
    if (answer->why_not != AFF_FATE_NOT_ASKED)
        (void)fprintf(to, "%.*s: %s%s%s\n", (int)request->why_not.size, request->why_not.at,
                      aff_show_fate(answer->why_not), answer->why_not == AFF_FATE_DROPPED ? ", " : "",
                      answer->why_not == AFF_FATE_DROPPED ? aff_show_drop(answer->why_not_drop) : "");
}

void aff_show_table(const struct aff_model *model, const struct aff_request *request,
                    const struct aff_answer *answer, FILE *to)
{
    char built[AFF_TIME_TEXT] = "never learned";

    if (model->built_at_us != 0)
        aff_time_format(model->built_at_us, built);
    (void)fprintf(to, "Store %s, index version %" PRIu64 " (%s), %" PRIu64 " orders\n", model->store,
                  model->version, built, model->totals.orders);
    if (answer->n_items > 0)
        (void)fprintf(to, "%3s  %-*s  %-*s  %8s  %-*s  %7s %10s %10s %8s\n", "#", ID_WIDTH, "product",
                      NAME_WIDTH, "name", "score", REASON_WIDTH, "reason", "orders", "support", "confidence",
                      "lift");
    for (uint32_t i = 0; i < answer->n_items; i++)
        print_item(to, model, request, &answer->items[i], i + 1);
    if (request->explain == AFF_EXPLAIN_FULL || answer->n_items == 0)
        print_dropped(to, answer);
    print_rest(to, request, answer);
}
