/* SPDX-License-Identifier: Apache-2.0 */
/* Looks over JSON text before any of it is parsed, since a parser turns a small text into a large tree: a
 * mebibyte of "[{},{},..." takes seventy. One pass, no allocation. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

struct aff_json_bounds {
    size_t depth;  /* nesting of objects and arrays */
    size_t values; /* objects, arrays, texts, numbers, words; member names count as texts */
};

/* AFF_LIMIT if `text` goes beyond the bounds; the text says which. It need not be well-formed: of text that
 * is no JSON this only promises that what passes cannot make a parser build more than `values` values. */
AFF_MUST_CHECK aff_status aff_json_within(struct aff_text text, const struct aff_json_bounds *bounds,
                                          struct aff_error *reterr);
