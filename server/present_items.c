/* SPDX-License-Identifier: Apache-2.0 */
#include "server/present.h"
#include "server/wording.h"

static const char *const kinds[] = {
#define X(name, text) text,
    AFF_KIND_LIST(X)
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

/* What the shop's own former price says: the saving, and it as a share of that price. */
static void write_discount(struct aff_json *json, const struct aff_product *product, const char *currency)
{
    aff_json_name(json, "discount");
    if (product->price == AFF_NO_MONEY || product->compare_at == AFF_NO_MONEY ||
        product->compare_at <= product->price) {
        aff_json_null(json);
        return;
    }
    int64_t saving = product->compare_at - product->price;
    aff_json_open_object(json);
    aff_json_name(json, "amount");
    aff_json_int(json, saving);
    write_code(json, "currency", currency);
    aff_json_name(json, "share");
    aff_json_score(json, (double)saving / (double)product->compare_at);
    aff_json_close_object(json);
}

static void write_amount(struct aff_json *json, const char *name, int64_t amount, const char *currency)
{
    aff_json_name(json, name);
    aff_present_money(json, amount, currency);
}

void aff_present_prices(struct aff_json *json, const struct aff_product *product, const char *currency)
{
    write_amount(json, "price", product->price, currency);
    write_amount(json, "compare_at", product->compare_at, currency);
    write_discount(json, product, currency);
}

static void write_prices(const struct writing *writing, const struct aff_product *product)
{
    const char *currency = writing->model->currency;

    if (wants(writing, AFF_ITEM_FIELD_price))
        write_amount(writing->json, "price", product->price, currency);
    if (wants(writing, AFF_ITEM_FIELD_compare_at))
        write_amount(writing->json, "compare_at", product->compare_at, currency);
    if (wants(writing, AFF_ITEM_FIELD_discount))
        write_discount(writing->json, product, currency);
}

static void write_reason(const struct writing *writing, const struct aff_item *item)
{
    struct aff_wording_reason reason = aff_wording_reason(item);
    struct aff_json *json = writing->json;
    char sentence[AFF_ID_MAX + 64];
    size_t size = reason.before.size;

    aff_json_name(json, "reason");
    aff_json_open_object(json);
    write_text(json, "code", reason.code);
    if (item->via != AFF_NO_ROW && reason.names_via)
        write_text(json, "via", id_of(writing, item->via));
    memcpy(sentence, reason.before.at, reason.before.size);
    if (reason.names_via) {
        struct aff_text via = id_of(writing, item->via);
        memcpy(sentence + size, via.at, via.size);
        size += via.size;
    }
    memcpy(sentence + size, reason.behind.at, reason.behind.size);
    size += reason.behind.size;
    write_text(json, "text", (struct aff_text){sentence, size});
    aff_json_close_object(json);
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

static void write_names(const struct writing *writing, const struct aff_product *product)
{
    if (wants(writing, AFF_ITEM_FIELD_name))
        write_text(writing->json, "name", product->name);
    if (wants(writing, AFF_ITEM_FIELD_category))
        write_text(writing->json, "category", product->category);
    if (wants(writing, AFF_ITEM_FIELD_brand))
        write_text(writing->json, "brand", product->brand);
}

static void write_item(const struct writing *writing, const struct aff_item *item, uint32_t rank)
{
    const struct aff_product *product = aff_catalogue_product(writing->model->catalogue, item->row);
    struct aff_json *json = writing->json;

    aff_json_open_object(json);
    if (wants(writing, AFF_ITEM_FIELD_product))
        write_text(json, "product", product->id);
    write_prices(writing, product);
    write_names(writing, product);
    if (wants(writing, AFF_ITEM_FIELD_kind))
        write_code(json, "kind", kinds[item->kind]);
    if (wants(writing, AFF_ITEM_FIELD_rank)) {
        aff_json_name(json, "rank");
        aff_json_uint(json, rank);
    }
    if (wants(writing, AFF_ITEM_FIELD_score)) {
        aff_json_name(json, "score");
        aff_json_score(json, (double)item->score);
    }
    if (wants(writing, AFF_ITEM_FIELD_origin))
        write_code(json, "origin", origins[item->origin]);
    if (wants(writing, AFF_ITEM_FIELD_cta))
        write_text(json, "cta", aff_wording_cta(item->kind));
    if (wants(writing, AFF_ITEM_FIELD_reason))
        write_reason(writing, item);
    if (wants(writing, AFF_ITEM_FIELD_angle))
        write_text(json, "angle", aff_wording_angle(item));
    write_explanation(writing, item);
    aff_json_close_object(json);
}

void aff_present_items(struct aff_json *json, const struct aff_model *model, const struct aff_note *note,
                       const struct aff_parameters *parameters, const struct aff_answer *answer)
{
    struct writing writing = {json, model, note, parameters};

    aff_json_name(json, "items");
    aff_json_open_array(json);
    if (model->prepared != NULL && parameters->request.explain == AFF_EXPLAIN_NONE &&
        parameters->fields == aff_parameters_usual_fields())
        aff_present_plain_items(json, model, answer);
    else
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
