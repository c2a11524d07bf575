/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a JSON text that a stranger sent: within bounds, member names once each, no NUL in texts, an object
 * or an array at the top. Values are borrowed from the document. Hides the parser. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"
#include "json/bounds.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aff_document;
struct aff_node;

enum aff_node_kind {
    AFF_NODE_NULL,
    AFF_NODE_FLAG,
    AFF_NODE_WHOLE, /* written without fraction and exponent, and within 64 bits */
    AFF_NODE_REAL,
    AFF_NODE_TEXT,
    AFF_NODE_ARRAY,
    AFF_NODE_OBJECT,
};

/* AFF_LIMIT: beyond the bounds. AFF_INVALID: not JSON; the text says where. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_document_parse(struct aff_text text, const struct aff_json_bounds *bounds,
                                             struct aff_document **ret_document, struct aff_error *reterr);
void aff_document_free(struct aff_document *document); /* NULL is a no-op */
const struct aff_node *aff_document_root(const struct aff_document *document);

enum aff_node_kind aff_node_kind(const struct aff_node *value);

/* "a text", "an object", ...: for messages. */
const char *aff_node_kind_name(enum aff_node_kind kind);

/* Each for a value of its kind only; aff_node_real() also takes a whole number. */
bool aff_node_flag(const struct aff_node *value);
int64_t aff_node_whole(const struct aff_node *value);
double aff_node_real(const struct aff_node *value);
struct aff_text aff_node_text(const struct aff_node *value);

size_t aff_node_size(const struct aff_node *array);
const struct aff_node *aff_node_at(const struct aff_node *array, size_t index);

/* The value as JSON text; free with free(). NULL: no memory. */
char *aff_node_dump(const struct aff_node *value, size_t *ret_size);

/* Calls `visit` for each member of an object in the order of the text. */
void aff_node_members(const struct aff_node *object,
                      void (*visit)(void *context, struct aff_text name, const struct aff_node *value),
                      void *context);
