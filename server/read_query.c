/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters from a query string. */
#include "server/parameter_table.h"
#include "server/percent.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SENT_BYTES 160 /* of a name as it was sent, for an error */

/* A number in decimal or exponent notation; strtod() alone would also take "nan", "inf" and hexadecimal. */
static bool parse_real(struct aff_text text, double *ret_value)
{
    char copy[40], *end;

    if (text.size == 0 || text.size >= sizeof copy || text.at[0] < '0' || text.at[0] > '9')
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.at[i];
        if (!((c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'))
            return false;
    }
    memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    *ret_value = strtod(copy, &end);
    return *end == '\0';
}

static void put_words(struct aff_parameters *parameters, enum aff_parameter parameter, struct aff_text name,
                      struct aff_text value)
{
    for (;;) {
        const char *comma = value.size == 0 ? NULL : memchr(value.at, ',', value.size);
        size_t size = comma == NULL ? value.size : (size_t)(comma - value.at);
        aff_parameter_put_word(parameters, parameter, name, (struct aff_text){value.at, size});
        if (comma == NULL)
            return;
        value = (struct aff_text){comma + 1, value.size - size - 1};
    }
}

static void put(struct aff_parameters *parameters, enum aff_parameter parameter, struct aff_text name,
                struct aff_text value)
{
    int64_t whole;
    double real;

    switch (aff_parameter_rows[parameter].kind) {
    case AFF_KIND_OF_ID:
    case AFF_KIND_OF_LOCALE:
    case AFF_KIND_OF_CURRENCY:
        aff_parameter_put_text(parameters, parameter, name, value);
        break;
    case AFF_KIND_OF_IDS:
    case AFF_KIND_OF_CART:
    case AFF_KIND_OF_FILTERS:
        aff_parameter_add(parameters, parameter, name, value);
        break;
    case AFF_KIND_OF_WHOLE:
        if (aff_parameter_whole(value, &whole))
            aff_parameter_put_whole(parameters, parameter, name, whole);
        else
            aff_field_error(&parameters->errors, name, "must be a whole number");
        break;
    case AFF_KIND_OF_REAL:
        if (parse_real(value, &real))
            aff_parameter_put_real(parameters, parameter, name, real);
        else
            aff_field_error(&parameters->errors, name, "must be a number");
        break;
    case AFF_KIND_OF_FLAG:
        if (aff_text_equal(value, aff_text_of("true")) || aff_text_equal(value, aff_text_of("false")))
            aff_parameter_put_flag(parameters, parameter, value.size == 4);
        else
            aff_field_error(&parameters->errors, name, "must be true or false");
        break;
    case AFF_KIND_OF_CHOICE:
        aff_parameter_put_word(parameters, parameter, name, value);
        break;
    case AFF_KIND_OF_CHOICES:
        put_words(parameters, parameter, name, value);
        break;
    }
}

static bool may_repeat(enum aff_parameter parameter)
{
    enum aff_parameter_kind kind = aff_parameter_rows[parameter].kind;

    return kind == AFF_KIND_OF_IDS || kind == AFF_KIND_OF_CART || kind == AFF_KIND_OF_FILTERS;
}

/* Decodes a part in place and checks it. */
static bool decode(struct aff_parameters *parameters, struct aff_text field, char *at, size_t size,
                   struct aff_text *ret_text)
{
    struct aff_text text = {at, 0};

    if (!aff_percent_decode(at, size, true, at, &text.size)) {
        aff_field_error(&parameters->errors, field,
                        "holds a NUL byte or a %% that two hexadecimal digits do not follow");
        return false;
    }
    if (!aff_text_is_utf8(text)) {
        aff_field_error(&parameters->errors, field, "is not UTF-8");
        return false;
    }
    *ret_text = text;
    return true;
}

static void read_pair(struct aff_parameters *parameters, char *pair, size_t size)
{
    char *equals = memchr(pair, '=', size);
    struct aff_text name = {pair, equals == NULL ? size : (size_t)(equals - pair)}, value;
    char sent[SENT_BYTES];

    if (name.size == 0) {
        aff_field_error(&parameters->errors, name, "there is a parameter without a name");
        return;
    }
    if (memchr(name.at, '%', name.size) != NULL) {
        struct aff_text as_sent = {sent, name.size < sizeof sent ? name.size : sizeof sent};
        memcpy(sent, name.at, as_sent.size);
        if (!decode(parameters, as_sent, pair, name.size, &name))
            return;
    }
    enum aff_parameter parameter = aff_parameter_find(parameters, name);
    if (parameter == AFF_PARAMETER_MAX)
        return;
    if (equals == NULL) {
        aff_field_error(&parameters->errors, name, "has no value");
        return;
    }
    if ((parameters->given >> parameter & 1) != 0 && !may_repeat(parameter)) {
        aff_field_error(&parameters->errors, name, "may be given once");
        return;
    }
    parameters->given |= 1u << parameter;
    if (decode(parameters, name, equals + 1, size - (size_t)(equals + 1 - pair), &value))
        put(parameters, parameter, name, value);
}

void aff_parameters_read_query(struct aff_parameters *parameters, char *query, size_t size)
{
    while (size > 0) {
        char *end = memchr(query, '&', size);
        size_t pair = end == NULL ? size : (size_t)(end - query);
        read_pair(parameters, query, pair);
        if (end == NULL)
            return;
        query += pair + 1;
        size -= pair + 1;
    }
}
