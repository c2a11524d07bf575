/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters from a JSON body. */
#include "server/parameter_table.h"
#include "json/document.h"

#include <stdio.h>

#define QUANTITY_MAX 1000000
#define PRICE_MAX INT64_C(1000000000000000)

/* "cart[3].quantity": names a part of a parameter in an error. */
struct place {
    char text[160];
};

static struct aff_text place_of(struct place *place, const char *name, size_t index, const char *member)
{
    (void)snprintf(place->text, sizeof place->text, "%s[%zu]%s%s", name, index, *member == '\0' ? "" : ".",
                   member);
    return aff_text_of(place->text);
}

static void wrong_type(struct aff_parameters *parameters, struct aff_text field, const char *wanted,
                       const struct aff_node *value)
{
    aff_field_error(&parameters->errors, field, "must be %s, not %s", wanted,
                    aff_node_kind_name(aff_node_kind(value)));
}

/* One line of the cart while its members are visited. */
struct line_reader {
    struct aff_parameters *parameters;
    struct aff_cart_line *line;
    size_t index;
    bool has_product;
};

static void take_product(struct line_reader *reader, const struct aff_node *value, const char *member)
{
    struct place place;
    struct aff_text field = place_of(&place, "cart", reader->index, member);

    if (aff_node_kind(value) != AFF_NODE_TEXT) {
        wrong_type(reader->parameters, field,
                   *member == '\0' ? "a product id or an object with product, quantity and price" : "a text",
                   value);
        return;
    }
    reader->line->product = aff_node_text(value);
    if (!aff_text_is_id(reader->line->product))
        aff_field_error(&reader->parameters->errors, field,
                        "must be 1 to %d bytes of UTF-8 text without control characters", AFF_ID_MAX);
}

static bool whole_within(const struct aff_node *value, int64_t least, int64_t most)
{
    return aff_node_kind(value) == AFF_NODE_WHOLE && aff_node_whole(value) >= least &&
           aff_node_whole(value) <= most;
}

static void take_line_member(void *context, struct aff_text name, const struct aff_node *value)
{
    struct line_reader *reader = context;
    struct aff_field_errors *errors = &reader->parameters->errors;
    struct place place;

    if (aff_text_equal(name, aff_text_of("product"))) {
        reader->has_product = true;
        take_product(reader, value, "product");
    } else if (aff_text_equal(name, aff_text_of("quantity"))) {
        if (whole_within(value, 1, QUANTITY_MAX))
            reader->line->quantity = (uint32_t)aff_node_whole(value);
        else
            aff_field_error(errors, place_of(&place, "cart", reader->index, "quantity"),
                            "must be a whole number from 1 to %d", QUANTITY_MAX);
    } else if (aff_text_equal(name, aff_text_of("price"))) {
        if (whole_within(value, 0, PRICE_MAX))
            reader->line->price = aff_node_whole(value);
        else if (aff_node_kind(value) != AFF_NODE_NULL)
            aff_field_error(errors, place_of(&place, "cart", reader->index, "price"),
                            "must be a whole number of minor units, not negative");
    } else {
        char member[64];
        (void)snprintf(member, sizeof member, "%.*s", (int)(name.size < 60 ? name.size : 60), name.at);
        aff_field_error(errors, place_of(&place, "cart", reader->index, member),
                        "is not a member of a cart line");
    }
}

static void take_line(struct aff_parameters *parameters, size_t index, const struct aff_node *value)
{
    struct line_reader reader = {parameters, aff_parameter_add_line(parameters), index, false};
    struct place place;

    if (reader.line == NULL)
        return;
    if (aff_node_kind(value) != AFF_NODE_OBJECT) {
        take_product(&reader, value, "");
        return;
    }
    aff_node_members(value, take_line_member, &reader);
    if (!reader.has_product)
        aff_field_error(&parameters->errors, place_of(&place, "cart", index, "product"), "is missing");
}

/* Entries of cart, exclude and filter. */
static void take_entries(struct aff_parameters *parameters, enum aff_parameter parameter,
                         struct aff_text name, const struct aff_node *value)
{
    struct place place;

    if (aff_node_kind(value) != AFF_NODE_ARRAY) {
        wrong_type(parameters, name, "an array", value);
        return;
    }
    for (size_t i = 0; i < aff_node_size(value); i++) {
        const struct aff_node *entry = aff_node_at(value, i);
        struct aff_text field = place_of(&place, aff_parameter_rows[parameter].name, i, "");
        if (parameter == AFF_PARAMETER_cart)
            take_line(parameters, i, entry);
        else if (aff_node_kind(entry) == AFF_NODE_TEXT)
            aff_parameter_add(parameters, parameter, field, aff_node_text(entry));
        else
            wrong_type(parameters, field, "a text", entry);
    }
}

/* One word, or an array of words. */
static void take_words(struct aff_parameters *parameters, enum aff_parameter parameter, struct aff_text name,
                       const struct aff_node *value)
{
    struct place place;

    if (aff_node_kind(value) == AFF_NODE_TEXT) {
        aff_parameter_put_word(parameters, parameter, name, aff_node_text(value));
        return;
    }
    if (aff_node_kind(value) != AFF_NODE_ARRAY) {
        wrong_type(parameters, name, "a text or an array of texts", value);
        return;
    }
    for (size_t i = 0; i < aff_node_size(value); i++) {
        const struct aff_node *word = aff_node_at(value, i);
        struct aff_text field = place_of(&place, aff_parameter_rows[parameter].name, i, "");
        if (aff_node_kind(word) == AFF_NODE_TEXT)
            aff_parameter_put_word(parameters, parameter, field, aff_node_text(word));
        else
            wrong_type(parameters, field, "a text", word);
    }
}

static void take_single(struct aff_parameters *parameters, enum aff_parameter parameter, struct aff_text name,
                        const struct aff_node *value)
{
    enum aff_node_kind kind = aff_node_kind(value);

    switch (aff_parameter_rows[parameter].kind) {
    case AFF_KIND_OF_WHOLE:
        if (kind == AFF_NODE_WHOLE)
            aff_parameter_put_whole(parameters, parameter, name, aff_node_whole(value));
        else
            wrong_type(parameters, name, "a whole number", value);
        break;
    case AFF_KIND_OF_REAL:
        if (kind == AFF_NODE_WHOLE || kind == AFF_NODE_REAL)
            aff_parameter_put_real(parameters, parameter, name, aff_node_real(value));
        else
            wrong_type(parameters, name, "a number", value);
        break;
    case AFF_KIND_OF_FLAG:
        if (kind == AFF_NODE_FLAG)
            aff_parameter_put_flag(parameters, parameter, aff_node_flag(value));
        else
            wrong_type(parameters, name, "true or false", value);
        break;
    default:
        if (kind != AFF_NODE_TEXT)
            wrong_type(parameters, name, "a text", value);
        else if (aff_parameter_rows[parameter].kind == AFF_KIND_OF_CHOICE)
            aff_parameter_put_word(parameters, parameter, name, aff_node_text(value));
        else
            aff_parameter_put_text(parameters, parameter, name, aff_node_text(value));
        break;
    }
}

static void take_member(void *context, struct aff_text name, const struct aff_node *value)
{
    struct aff_parameters *parameters = context;
    enum aff_parameter parameter = aff_parameter_find(parameters, name);

    if (parameter == AFF_PARAMETER_MAX || aff_node_kind(value) == AFF_NODE_NULL)
        return;
    parameters->given |= 1u << parameter;
    switch (aff_parameter_rows[parameter].kind) {
    case AFF_KIND_OF_IDS:
    case AFF_KIND_OF_CART:
    case AFF_KIND_OF_FILTERS:
        take_entries(parameters, parameter, name, value);
        break;
    case AFF_KIND_OF_CHOICES:
        take_words(parameters, parameter, name, value);
        break;
    default:
        take_single(parameters, parameter, name, value);
        break;
    }
}

aff_status aff_parameters_read_json(struct aff_parameters *parameters, struct aff_text body,
                                    struct aff_error *reterr)
{
    static const struct aff_json_bounds bounds = {.depth = AFF_BODY_DEPTH, .values = AFF_BODY_VALUES};
    aff_status status = aff_document_parse(body, &bounds, &parameters->document, reterr);

    if (status != AFF_OK)
        return status;
    const struct aff_node *root = aff_document_root(parameters->document);
    if (aff_node_kind(root) != AFF_NODE_OBJECT)
        return aff_error_set(reterr, AFF_INVALID, "the body must be a JSON object, not %s",
                             aff_node_kind_name(aff_node_kind(root)));
    aff_node_members(root, take_member, parameters);
    return AFF_OK;
}
