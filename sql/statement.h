/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a statement that is put together from constants: names of columns, numbers, parameters. */
#pragma once

#include "core/base/status.h"

#include <stddef.h>

enum { AFF_STATEMENT_SIZE = 8192 };

/* Set to zero before first use. */
struct aff_statement {
    char text[AFF_STATEMENT_SIZE];
    size_t size;
};

/* Appends; a statement that does not fit stays too long, which aff_statement_check() says. */
void aff_statement_append(struct aff_statement *statement, const char *format, ...) AFF_PRINTF(2, 3);

/* AFF_LIMIT: it did not fit. */
AFF_MUST_CHECK aff_status aff_statement_check(const struct aff_statement *statement,
                                              struct aff_error *reterr);
