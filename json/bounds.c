/* SPDX-License-Identifier: Apache-2.0 */
#include "json/bounds.h"

#include <stdbool.h>

/* The byte behind a text that begins at text.at[at]: behind its closing quote, or the end. */
static size_t behind_text(struct aff_text text, size_t at)
{
    for (at++; at < text.size && text.at[at] != '"'; at++)
        if (text.at[at] == '\\')
            at++;
    return at + 1;
}

/* Bytes that can stand in a number or in true, false and null, and those that can stand nowhere. */
static bool is_plain(char byte)
{
    return strchr(" \t\r\n,:[]{}\"", byte) == NULL || byte == '\0';
}

aff_status aff_json_within(struct aff_text text, const struct aff_json_bounds *bounds,
                           struct aff_error *reterr)
{
    size_t depth = 0, values = 0;

    for (size_t at = 0; at < text.size;) {
        char byte = text.at[at];
        if (byte == '"') {
            at = behind_text(text, at);
            values++;
        } else if (byte == '{' || byte == '[') {
            at++;
            values++;
            depth++;
        } else if (byte == '}' || byte == ']') {
            at++;
            depth -= depth > 0;
        } else if (is_plain(byte)) {
            while (at < text.size && is_plain(text.at[at]))
                at++;
            values++;
        } else {
            at++;
        }
        if (depth > bounds->depth)
            return aff_error_set(reterr, AFF_LIMIT, "nested deeper than %zu levels", bounds->depth);
        if (values > bounds->values)
            return aff_error_set(reterr, AFF_LIMIT, "holds more than %zu values", bounds->values);
    }
    return AFF_OK;
}
