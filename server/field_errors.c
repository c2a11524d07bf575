/* SPDX-License-Identifier: Apache-2.0 */
#include "server/field_errors.h"

#include <stdarg.h>
#include <stdio.h>

#define NAME_MAX_BYTES 160 /* of a field's name that is repeated to the client */

void aff_field_errors_reset(struct aff_field_errors *errors)
{
    aff_json_reset(&errors->list);
    errors->n = 0;
}

void aff_field_errors_done(struct aff_field_errors *errors)
{
    aff_json_done(&errors->list);
}

static void write_name(struct aff_json *json, struct aff_text field)
{
    char copy[NAME_MAX_BYTES];

    if (field.size > sizeof copy)
        field.size = sizeof copy;
    if (aff_text_is_utf8(field)) {
        aff_json_text(json, field);
        return;
    }
    for (size_t i = 0; i < field.size; i++) {
        copy[i] = field.at[i];
        if ((unsigned char)copy[i] < 0x20 || (unsigned char)copy[i] >= 0x7F)
            copy[i] = '?';
    }
    aff_json_text(json, (struct aff_text){copy, field.size});
}

void aff_field_error(struct aff_field_errors *errors, struct aff_text field, const char *format, ...)
{
    char reason[256];
    va_list arguments;

    if (errors->n++ >= AFF_FIELD_ERRORS_MAX)
        return;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    aff_text_repair(reason);
    aff_json_open_object(&errors->list);
    aff_json_name(&errors->list, "field");
    write_name(&errors->list, field);
    aff_json_name(&errors->list, "reason");
    aff_json_string(&errors->list, reason);
    aff_json_close_object(&errors->list);
}
