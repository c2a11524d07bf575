/* SPDX-License-Identifier: Apache-2.0 */
#include "server/exposition.h"

#include <math.h>
#include <stdio.h>

/* Appends bytes as they are: the text format has no commas between values. */
static void put(struct aff_json *to, const char *bytes, size_t size)
{
    to->comma = false;
    aff_json_raw(to, bytes, size);
}

static void put_string(struct aff_json *to, const char *text)
{
    put(to, text, strlen(text));
}

void aff_exposition_family(struct aff_json *to, const char *name, const char *type, const char *help)
{
    put_string(to, "# HELP ");
    put_string(to, name);
    put_string(to, " ");
    put_string(to, help);
    put_string(to, "\n# TYPE ");
    put_string(to, name);
    put_string(to, " ");
    put_string(to, type);
    put_string(to, "\n");
}

static void put_value(struct aff_json *to, struct aff_text value)
{
    for (size_t i = 0; i < value.size; i++) {
        switch (value.at[i]) {
        case '\\':
            put(to, "\\\\", 2);
            break;
        case '"':
            put(to, "\\\"", 2);
            break;
        case '\n':
            put(to, "\\n", 2);
            break;
        default:
            put(to, &value.at[i], 1);
            break;
        }
    }
}

static void put_line(struct aff_json *to, const char *name, const struct aff_label *labels, const char *value)
{
    put_string(to, name);
    for (const struct aff_label *label = labels; label != NULL && label->name != NULL; label++) {
        put_string(to, label == labels ? "{" : ",");
        put_string(to, label->name);
        put_string(to, "=\"");
        put_value(to, label->value);
        put_string(to, "\"");
    }
    put_string(to, labels != NULL && labels->name != NULL ? "} " : " ");
    put_string(to, value);
    put_string(to, "\n");
}

void aff_exposition_whole(struct aff_json *to, const char *name, const struct aff_label *labels,
                          uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    put_line(to, name, labels, text);
}

void aff_exposition_real(struct aff_json *to, const char *name, const struct aff_label *labels, double value)
{
    char text[40];

    (void)snprintf(text, sizeof text, "%.15g", isnan(value) ? 0 : value);
    put_line(to, name, labels, text);
}
