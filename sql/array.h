/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL's text form of a one-dimensional array (manual, "Array Input and Output Syntax"), built as a
 * parameter of a statement: so a statement stays a constant however many rows it works on. Once memory is
 * out, the calls after it do nothing and aff_array_text() says so. Used by one thread. */
#pragma once

#include "core/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Set to zero before first use. */
struct aff_array {
    char *text;
    size_t used, capacity;
    bool failed;
};

void aff_array_add_null(struct aff_array *array);
void aff_array_add_bool(struct aff_array *array, bool value);
void aff_array_add_int64(struct aff_array *array, int64_t value);
void aff_array_add_text(struct aff_array *array, struct aff_text text); /* without NUL bytes */

/* The array, valid until the next call; NULL: memory is out. More elements may be added afterwards. */
const char *aff_array_text(struct aff_array *array);

/* Empties it and keeps the memory. */
void aff_array_clear(struct aff_array *array);

/* Frees it; it can be used again. */
void aff_array_done(struct aff_array *array);
