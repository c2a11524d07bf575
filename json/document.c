/* SPDX-License-Identifier: Apache-2.0 */
/* A document is jansson's root and a value is jansson's json_t, under names that keep the parser out of the
 * other libraries. */
#include "json/document.h"

#include <jansson.h>

static const json_t *of(const struct aff_node *value)
{
    return (const json_t *)value;
}

aff_status aff_document_parse(struct aff_text text, const struct aff_json_bounds *bounds,
                              struct aff_document **ret_document, struct aff_error *reterr)
{
    json_error_t error;
    aff_status status = aff_json_within(text, bounds, reterr);

    if (status != AFF_OK)
        return status;
    json_t *root = json_loadb(text.size == 0 ? "" : text.at, text.size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        if (json_error_code(&error) == json_error_out_of_memory)
            return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
        aff_text_repair(error.text);
        return aff_error_set(reterr, AFF_INVALID, "not JSON at line %d, column %d: %s", error.line,
                             error.column, error.text);
    }
    *ret_document = (struct aff_document *)root;
    return AFF_OK;
}

void aff_document_free(struct aff_document *document)
{
    json_decref((json_t *)document);
}

const struct aff_node *aff_document_root(const struct aff_document *document)
{
    return (const struct aff_node *)document;
}

enum aff_node_kind aff_node_kind(const struct aff_node *value)
{
    switch (json_typeof(of(value))) {
    case JSON_OBJECT:
        return AFF_NODE_OBJECT;
    case JSON_ARRAY:
        return AFF_NODE_ARRAY;
    case JSON_STRING:
        return AFF_NODE_TEXT;
    case JSON_INTEGER:
        return AFF_NODE_WHOLE;
    case JSON_REAL:
        return AFF_NODE_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return AFF_NODE_FLAG;
    case JSON_NULL:
        break;
    }
    return AFF_NODE_NULL;
}

const char *aff_node_kind_name(enum aff_node_kind kind)
{
    static const char *const names[] = {
        [AFF_NODE_NULL] = "null",
        [AFF_NODE_FLAG] = "true or false",
        [AFF_NODE_WHOLE] = "a whole number",
        [AFF_NODE_REAL] = "a number",
        [AFF_NODE_TEXT] = "a text",
        [AFF_NODE_ARRAY] = "an array",
        [AFF_NODE_OBJECT] = "an object",
    };
    return names[kind];
}

bool aff_node_flag(const struct aff_node *value)
{
    return json_is_true(of(value));
}

int64_t aff_node_whole(const struct aff_node *value)
{
    return json_integer_value(of(value));
}

double aff_node_real(const struct aff_node *value)
{
    return json_number_value(of(value));
}

struct aff_text aff_node_text(const struct aff_node *value)
{
    return (struct aff_text){json_string_value(of(value)), json_string_length(of(value))};
}

size_t aff_node_size(const struct aff_node *array)
{
    return json_array_size(of(array));
}

const struct aff_node *aff_node_at(const struct aff_node *array, size_t index)
{
    return (const struct aff_node *)json_array_get(of(array), index);
}

char *aff_node_dump(const struct aff_node *value, size_t *ret_size)
{
    char *text = json_dumps(of(value), JSON_COMPACT | JSON_ENCODE_ANY);

    if (text != NULL)
        *ret_size = strlen(text);
    return text;
}

void aff_node_members(const struct aff_node *object,
                      void (*visit)(void *context, struct aff_text name, const struct aff_node *value),
                      void *context)
{
    /* jansson's iterator takes a pointer to non-const and only reads. */
    union {
        const json_t *in;
        json_t *out;
    } root = {of(object)};

    for (void *at = json_object_iter(root.out); at != NULL; at = json_object_iter_next(root.out, at)) {
        const char *name = json_object_iter_key(at);
        visit(context, (struct aff_text){name, strlen(name)},
              (const struct aff_node *)json_object_iter_value(at));
    }
}
