/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *aff_status_text(aff_status status)
{
    switch (status) {
#define X(name, text)                                                                                        \
    case AFF_##name:                                                                                         \
        return text;
        AFF_STATUS_LIST(X)
#undef X
    }
    return "unknown status";
}

/* Cuts `text` back to the last whole UTF-8 character if a bounded print stopped inside one. */
static void cut_at_character(char *text, size_t size)
{
    size_t end = strlen(text);

    if (end + 1 < size)
        return;
    size_t start = end;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start > 0 && (unsigned char)text[start - 1] >= 0xC0)
        text[start - 1] = '\0';
}

aff_status aff_error_set(struct aff_error *reterr, aff_status status, const char *format, ...)
{
    va_list arguments;

    if (reterr == NULL)
        return status;
    *reterr = (struct aff_error){.status = status};
    va_start(arguments, format);
    (void)vsnprintf(reterr->text, sizeof reterr->text, format, arguments);
    va_end(arguments);
    cut_at_character(reterr->text, sizeof reterr->text);
    return status;
}

aff_status aff_error_prefix(struct aff_error *reterr, aff_status status, const char *format, ...)
{
    char prefix[160];
    char rest[sizeof reterr->text];
    va_list arguments;

    if (reterr == NULL)
        return status;
    va_start(arguments, format);
    (void)vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    memcpy(rest, reterr->text, sizeof rest);
    (void)snprintf(reterr->text, sizeof reterr->text, "%s: %.*s", prefix,
                   (int)(sizeof reterr->text - strlen(prefix) - 3), rest);
    cut_at_character(reterr->text, sizeof reterr->text);
    return status;
}
