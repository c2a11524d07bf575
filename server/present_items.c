/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recommend/confidence.h"
#include "server/present.h"
#include "server/wording.h"

/* A text with its size, known at compile time. */
#define TEXT(literal)                                                                                        \
    {                                                                                                        \
        literal, sizeof(literal) - 1                                                                         \
    }

/* Whole members, since items are what answers are made of. */
static const struct aff_text kind_members[] = {
#define X(name, text) TEXT("\"kind\":\"" text "\","),
    AFF_KIND_LIST(X)
#undef X
};

static const struct aff_text origin_members[] = {
#define X(name, text) TEXT("\"origin\":\"" text "\","),
    AFF_ORIGIN_LIST(X)
#undef X
};

static const char *const origins[] = {
#define X(name, text) text,
    AFF_ORIGIN_LIST(X)
#undef X
};

static const char *const drops[] = {
#define X(name, text) text,
    AFF_DROP_LIST(X)
#undef X
};

static const char *const shorts[] = {
#define X(name, text) text,
    AFF_SHORT_LIST(X)
#undef X
};

/* What the writers of one answer's items share. */
struct writing {
    struct aff_json *json;
    const struct aff_model *model;
    const struct aff_note *note;
    const struct aff_parameters *parameters;
    struct aff_text currency;
    bool has_names; /* texts of any length are wanted */
};

static bool wants(const struct writing *writing, enum aff_item_field field)
{
    return (writing->parameters->fields >> field & 1) != 0;
}

static struct aff_text id_of(const struct writing *writing, uint32_t row)
{
    return aff_catalogue_product(writing->model->catalogue, row)->id;
}

static void write_code(struct aff_json *json, const char *name, const char *code)
{
    aff_json_name(json, name);
    aff_json_string(json, code);
}

static void write_text(struct aff_json *json, const char *name, struct aff_text text)
{
    aff_json_name(json, name);
    aff_json_text(json, text);
}

/* Appends a literal to what is written at `at`. */
#define PUT(at, literal) ((char *)memcpy((at), (literal), sizeof(literal) - 1) + sizeof(literal) - 1)

static char *put_money(char *at, const struct writing *writing, int64_t amount)
{
    if (amount == AFF_NO_MONEY)
        return PUT(at, "null,");
    at = PUT(at, "{\"amount\":");
    at = aff_json_put_int(at, amount);
    at = PUT(at, ",\"currency\":\"");
    at = aff_json_put_bytes(at, writing->currency);
    return PUT(at, "\"},");
}

/* What the shop's own former price says: the saving, and it as a share of that price. */
static char *put_discount(char *at, const struct writing *writing, const struct aff_product *product)
{
    at = PUT(at, "\"discount\":");
    if (product->price == AFF_NO_MONEY || product->compare_at == AFF_NO_MONEY ||
        product->compare_at <= product->price)
        return PUT(at, "null,");
    int64_t saving = product->compare_at - product->price;
    at = put_money(at, writing, saving) - 2; /* without its brace and comma */
    at = PUT(at, ",\"share\":");
    at = aff_json_put_score(at, (double)saving / (double)product->compare_at);
    return PUT(at, "},");
}

static char *put_prices(char *at, const struct writing *writing, const struct aff_product *product)
{
    if (wants(writing, AFF_ITEM_FIELD_price)) {
        at = PUT(at, "\"price\":");
        at = put_money(at, writing, product->price);
    }
    if (wants(writing, AFF_ITEM_FIELD_compare_at)) {
        at = PUT(at, "\"compare_at\":");
        at = put_money(at, writing, product->compare_at);
    }
    if (wants(writing, AFF_ITEM_FIELD_discount))
        at = put_discount(at, writing, product);
    return at;
}

/* The sentence is two constants without anything to escape around an id. */
static char *put_reason(char *at, const struct writing *writing, const struct aff_item *item)
{
    struct aff_wording_reason reason = aff_wording_reason(item);

    at = PUT(at, "\"reason\":{\"code\":\"");
    at = aff_json_put_bytes(at, reason.code);
    if (!reason.names_via) {
        at = PUT(at, "\",\"text\":\"");
        at = aff_json_put_bytes(at, reason.before);
        return PUT(at, "\"},");
    }
    at = PUT(at, "\",\"via\":");
    char *via = at;
    at = aff_json_put_text(at, id_of(writing, item->via));
    struct aff_text escaped = {via + 1, (size_t)(at - via) - 2};
    at = PUT(at, ",\"text\":\"");
    at = aff_json_put_bytes(at, reason.before);
    at = aff_json_put_bytes(at, escaped);
    at = aff_json_put_bytes(at, reason.behind);
    return PUT(at, "\"},");
}

static char *put_names(char *at, const struct writing *writing, const struct aff_product *product)
{
    if (wants(writing, AFF_ITEM_FIELD_name)) {
        at = PUT(at, "\"name\":");
        at = aff_json_put_text(at, product->name);
        at = PUT(at, ",");
    }
    if (wants(writing, AFF_ITEM_FIELD_category)) {
        at = PUT(at, "\"category\":");
        at = aff_json_put_text(at, product->category);
        at = PUT(at, ",");
    }
    if (wants(writing, AFF_ITEM_FIELD_brand)) {
        at = PUT(at, "\"brand\":");
        at = aff_json_put_text(at, product->brand);
        at = PUT(at, ",");
    }
    return at;
}

static char *put_place(char *at, const struct writing *writing, const struct aff_item *item, uint32_t rank)
{
    if (wants(writing, AFF_ITEM_FIELD_kind))
        at = aff_json_put_bytes(at, kind_members[item->kind]);
    if (wants(writing, AFF_ITEM_FIELD_rank)) {
        at = PUT(at, "\"rank\":");
        at = aff_json_put_int(at, rank);
        at = PUT(at, ",");
    }
    if (wants(writing, AFF_ITEM_FIELD_score)) {
        at = PUT(at, "\"score\":");
        at = aff_json_put_score(at, (double)item->score);
        at = PUT(at, ",");
    }
    if (wants(writing, AFF_ITEM_FIELD_origin))
        at = aff_json_put_bytes(at, origin_members[item->origin]);
    if (wants(writing, AFF_ITEM_FIELD_low_confidence))
        at = aff_item_low_confidence(writing->model, item) ? PUT(at, "\"low_confidence\":true,")
                                                           : PUT(at, "\"low_confidence\":false,");
    return at;
}

static char *put_wording(char *at, const struct writing *writing, const struct aff_item *item)
{
    if (wants(writing, AFF_ITEM_FIELD_cta)) {
        at = PUT(at, "\"cta\":\"");
        at = aff_json_put_bytes(at, aff_wording_cta(item->kind));
        at = PUT(at, "\",");
    }
    if (wants(writing, AFF_ITEM_FIELD_reason))
        at = put_reason(at, writing, item);
    if (wants(writing, AFF_ITEM_FIELD_angle)) {
        at = PUT(at, "\"angle\":\"");
        at = aff_json_put_bytes(at, aff_wording_angle(item));
        at = PUT(at, "\",");
    }
    return at;
}

static void write_terms(const struct writing *writing, const struct aff_item *item)
{
    struct aff_json *json = writing->json;

    aff_json_name(json, "terms");
    aff_json_open_array(json);
    for (uint32_t i = 0; i < item->n_terms; i++) {
        const struct aff_term *term = &item->terms[i];
        aff_json_open_object(json);
        write_code(json, "source", origins[term->source]);
        if (term->via != AFF_NO_ROW)
            write_text(json, "via", id_of(writing, term->via));
        aff_json_name(json, "weight");
        aff_json_double(json, term->weight);
        aff_json_name(json, "value");
        aff_json_double(json, term->value);
        aff_json_close_object(json);
    }
    aff_json_close_array(json);
    aff_json_name(json, "terms_dropped");
    aff_json_uint(json, item->n_terms_dropped);
}

static void write_explanation(const struct writing *writing, const struct aff_item *item)
{
    enum aff_explain explain = writing->parameters->request.explain;

    if (explain == AFF_EXPLAIN_NONE)
        return;
    if (wants(writing, AFF_ITEM_FIELD_evidence)) {
        aff_json_name(writing->json, "evidence");
        if (item->evidence == NULL)
            aff_json_null(writing->json);
        else
            aff_present_evidence(writing->json, writing->model, writing->note, item->via_relation, item->via,
                                 item->row, item->evidence);
    }
    if (explain == AFF_EXPLAIN_FULL && wants(writing, AFF_ITEM_FIELD_terms))
        write_terms(writing, item);
}

/* All constants, numbers and codes of one item. */
#define ITEM_CONSTANTS 1024

/* Room that the item's members need at most, but for evidence and terms. */
static size_t bound_of(const struct writing *writing, const struct aff_product *product)
{
    size_t texts = product->id.size + 2 * (size_t)AFF_ID_MAX;

    if (writing->has_names)
        texts += product->name.size + product->category.size + product->brand.size;
    return ITEM_CONSTANTS + AFF_JSON_TEXT(texts);
}

static void write_item(const struct writing *writing, const struct aff_item *item, uint32_t rank)
{
    const struct aff_product *product = aff_catalogue_product(writing->model->catalogue, item->row);
    struct aff_json *json = writing->json;

    aff_json_open_object(json);
    char *start = aff_json_room(json, bound_of(writing, product)), *at = start;
    if (start == NULL)
        return;
    if (wants(writing, AFF_ITEM_FIELD_product)) {
        at = PUT(at, "\"product\":");
        at = aff_json_put_text(at, product->id);
        at = PUT(at, ",");
    }
    at = put_names(at, writing, product);
    at = put_place(at, writing, item, rank);
    at = put_prices(at, writing, product);
    at = put_wording(at, writing, item);
    json->comma = at > start;
    aff_json_end(json, at > start ? at - 1 : at);
    write_explanation(writing, item);
    aff_json_close_object(json);
}

static void prefetch_record(const struct aff_model *model, uint32_t row)
{
    const struct aff_product *product = aff_catalogue_product(model->catalogue, row);

    __builtin_prefetch(&product->id);
    __builtin_prefetch(&product->compare_at);
}

/* Records and ids of the winners lie anywhere in memory: all are asked for before the first is needed. */
static void prefetch(const struct aff_model *model, const struct aff_answer *answer)
{
    for (uint32_t i = 0; i < answer->n_items; i++) {
        prefetch_record(model, answer->items[i].row);
        __builtin_prefetch(answer->items[i].counts);
        if (answer->items[i].via != AFF_NO_ROW)
            prefetch_record(model, answer->items[i].via);
    }
    for (uint32_t i = 0; i < answer->n_items; i++)
        __builtin_prefetch(aff_catalogue_product(model->catalogue, answer->items[i].row)->id.at);
}

void aff_present_items(struct aff_json *json, const struct aff_model *model, const struct aff_note *note,
                       const struct aff_parameters *parameters, const struct aff_answer *answer)
{
    struct writing writing = {json, model, note, parameters, aff_text_of(model->currency), false};

    writing.has_names = wants(&writing, AFF_ITEM_FIELD_name) || wants(&writing, AFF_ITEM_FIELD_category) ||
                        wants(&writing, AFF_ITEM_FIELD_brand);
    prefetch(model, answer);
    aff_json_name(json, "items");
    aff_json_open_array(json);
    for (uint32_t i = 0; i < answer->n_items; i++)
        write_item(&writing, &answer->items[i], i + 1);
    aff_json_close_array(json);
}

static void write_why_not(struct aff_json *json, const struct aff_parameters *parameters,
                          const struct aff_answer *answer)
{
    static const char *const fates[] = {
        [AFF_FATE_NOT_ASKED] = "",      [AFF_FATE_UNKNOWN] = "unknown",
        [AFF_FATE_OFFERED] = "offered", [AFF_FATE_NO_CANDIDATE] = "no_candidate",
        [AFF_FATE_DROPPED] = "dropped",
    };

    aff_json_name(json, "why_not");
    aff_json_open_object(json);
    write_text(json, "product", parameters->request.why_not);
    write_code(json, "fate", fates[answer->why_not]);
    if (answer->why_not == AFF_FATE_DROPPED)
        write_code(json, "dropped", drops[answer->why_not_drop]);
    aff_json_close_object(json);
}

void aff_present_rest(struct aff_json *json, const struct aff_parameters *parameters,
                      const struct aff_answer *answer)
{
    aff_json_name(json, "dropped");
    aff_json_open_object(json);
    for (int i = 0; i < AFF_DROP_MAX; i++) {
        if (answer->dropped[i] == 0)
            continue;
        aff_json_name(json, drops[i]);
        aff_json_uint(json, answer->dropped[i]);
    }
    aff_json_close_object(json);
    aff_json_name(json, "candidates");
    aff_json_uint(json, answer->candidates);
    aff_json_name(json, "unknown_ids");
    aff_json_open_array(json);
    for (uint32_t i = 0; i < answer->n_unknown; i++)
        aff_json_text(json, answer->unknown[i]);
    aff_json_close_array(json);
    aff_json_name(json, "short_reason");
    if (answer->short_reason == AFF_SHORT_NONE)
        aff_json_null(json);
    else
        aff_json_string(json, shorts[answer->short_reason]);
    if (answer->why_not != AFF_FATE_NOT_ASKED)
        write_why_not(json, parameters, answer);
}
