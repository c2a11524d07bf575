/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/statement.h"

#include <stdarg.h>
#include <stdio.h>

void aff_statement_append(struct aff_statement *statement, const char *format, ...)
{
    va_list arguments;

    if (statement->size >= AFF_STATEMENT_SIZE)
        return;
    va_start(arguments, format);
    int size =
        vsnprintf(statement->text + statement->size, AFF_STATEMENT_SIZE - statement->size, format, arguments);
    va_end(arguments);
    statement->size = size < 0 ? AFF_STATEMENT_SIZE : statement->size + (size_t)size;
}

aff_status aff_statement_check(const struct aff_statement *statement, struct aff_error *reterr)
{
    if (statement->size < AFF_STATEMENT_SIZE)
        return AFF_OK;
    return aff_error_set(reterr, AFF_LIMIT, "a statement is too long");
}
