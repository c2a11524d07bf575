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
struct aff_value;

enum aff_value_kind {
    AFF_VALUE_NULL,
    AFF_VALUE_FLAG,
    AFF_VALUE_WHOLE, /* written without fraction and exponent, and within 64 bits */
    AFF_VALUE_REAL,
    AFF_VALUE_TEXT,
    AFF_VALUE_ARRAY,
    AFF_VALUE_OBJECT,
};

/* AFF_LIMIT: beyond the bounds. AFF_INVALID: not JSON; the text says where. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_document_parse(struct aff_text text, const struct aff_json_bounds *bounds,
                                             struct aff_document **ret_document, struct aff_error *reterr);
void aff_document_free(struct aff_document *document); /* NULL is a no-op */
const struct aff_value *aff_document_root(const struct aff_document *document);

enum aff_value_kind aff_value_kind(const struct aff_value *value);

/* "a text", "an object", ...: for messages. */
const char *aff_value_kind_name(enum aff_value_kind kind);

/* Each for a value of its kind only; aff_value_real() also takes a whole number. */
bool aff_value_flag(const struct aff_value *value);
int64_t aff_value_whole(const struct aff_value *value);
double aff_value_real(const struct aff_value *value);
struct aff_text aff_value_text(const struct aff_value *value);

size_t aff_value_size(const struct aff_value *array);
const struct aff_value *aff_value_at(const struct aff_value *array, size_t index);

/* Calls `visit` for each member of an object in the order of the text. */
void aff_value_members(const struct aff_value *object,
                       void (*visit)(void *context, struct aff_text name, const struct aff_value *value),
                       void *context);
