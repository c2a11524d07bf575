/* SPDX-License-Identifier: Apache-2.0 */
#include "json/writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static char *reserve(struct aff_json *json, size_t size)
{
    if (json->capacity - json->size < size) {
        size_t capacity = json->capacity < 1024 ? 1024 : json->capacity;
        while (capacity - json->size < size)
            capacity *= 2;
        char *bytes = json->failed ? NULL : realloc(json->bytes, capacity);
        if (bytes == NULL) {
            json->failed = true;
            return NULL;
        }
        json->bytes = bytes;
        json->capacity = capacity;
    }
    return json->bytes + json->size;
}

void aff_json_reset(struct aff_json *json)
{
    json->size = 0;
    json->comma = false;
    json->failed = false;
}

void aff_json_done(struct aff_json *json)
{
    free(json->bytes);
    *json = (struct aff_json){0};
}

/* Room for a value of `size` bytes, behind the comma that it may need. */
static char *value_room(struct aff_json *json, size_t size)
{
    char *at = reserve(json, size + 1);

    if (at == NULL)
        return NULL;
    if (json->comma) {
        *at++ = ',';
        json->size++;
    }
    json->comma = true;
    return at;
}

void aff_json_raw(struct aff_json *json, const char *bytes, size_t size)
{
    char *at = value_room(json, size);

    if (at == NULL)
        return;
    memcpy(at, bytes, size);
    json->size += size;
}

static void open_with(struct aff_json *json, char bracket)
{
    aff_json_raw(json, &bracket, 1);
    json->comma = false;
}

static void close_with(struct aff_json *json, char bracket)
{
    char *at = reserve(json, 1);

    if (at != NULL) {
        *at = bracket;
        json->size++;
    }
    json->comma = true;
}

void aff_json_open_object(struct aff_json *json)
{
    open_with(json, '{');
}

void aff_json_close_object(struct aff_json *json)
{
    close_with(json, '}');
}

void aff_json_open_array(struct aff_json *json)
{
    open_with(json, '[');
}

void aff_json_close_array(struct aff_json *json)
{
    close_with(json, ']');
}

void aff_json_name(struct aff_json *json, const char *name)
{
    size_t size = strlen(name);
    char *at = value_room(json, size + 3);

    if (at == NULL)
        return;
    at[0] = '"';
    memcpy(at + 1, name, size);
    at[size + 1] = '"';
    at[size + 2] = ':';
    json->size += size + 3;
    json->comma = false;
}

/* Writes the escape of one byte that may not stand in a string; returns its length. */
static size_t escape(char *at, unsigned char byte)
{
    static const char short_form[] = {
        ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    static const char digits[] = "0123456789abcdef";

    at[0] = '\\';
    if (byte < sizeof short_form && short_form[byte] != '\0') {
        at[1] = short_form[byte];
        return 2;
    }
    memcpy(at + 1, "u00", 3);
    at[4] = digits[byte >> 4];
    at[5] = digits[byte & 15];
    return 6;
}

void aff_json_text(struct aff_json *json, struct aff_text text)
{
    char *start = value_room(json, text.size * 6 + 2);

    if (start == NULL)
        return;
    char *at = start;
    *at++ = '"';
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7F)
            at += escape(at, byte);
        else
            *at++ = (char)byte;
    }
    *at++ = '"';
    json->size += (size_t)(at - start);
}

void aff_json_string(struct aff_json *json, const char *text)
{
    aff_json_text(json, aff_text_of(text));
}

/* Digits of `value` written to the end of a buffer of 20; returns where they begin. */
static char *digits_of(uint64_t value, char buffer[20])
{
    char *at = buffer + 20;

    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return at;
}

void aff_json_uint(struct aff_json *json, uint64_t value)
{
    char buffer[20];
    char *at = digits_of(value, buffer);

    aff_json_raw(json, at, (size_t)(buffer + 20 - at));
}

void aff_json_int(struct aff_json *json, int64_t value)
{
    char buffer[21];
    char *at = digits_of(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, buffer + 1);

    if (value < 0)
        *--at = '-';
    aff_json_raw(json, at, (size_t)(buffer + 21 - at));
}

void aff_json_bool(struct aff_json *json, bool value)
{
    aff_json_raw(json, value ? "true" : "false", value ? 4 : 5);
}

void aff_json_null(struct aff_json *json)
{
    aff_json_raw(json, "null", 4);
}

void aff_json_double(struct aff_json *json, double value)
{
    char buffer[40];

    if (!isfinite(value)) {
        aff_json_null(json);
        return;
    }
    int size = snprintf(buffer, sizeof buffer, "%.15g", value);
    if (strtod(buffer, NULL) != value)
        size = snprintf(buffer, sizeof buffer, "%.17g", value);
    /* snprintf and strtod follow LC_NUMERIC; JSON has only the point. */
    for (int i = 0; i < size; i++)
        if (buffer[i] == ',')
            buffer[i] = '.';
    aff_json_raw(json, buffer, (size_t)size);
}

size_t aff_json_put_score(char buffer[AFF_JSON_SCORE], double value)
{
    char digits[AFF_JSON_SCORE];
    char *end = digits + sizeof digits, *at = end;
    uint64_t micro = (uint64_t)(fabs(value) * 1e6 + 0.5);
    uint64_t whole = micro / 1000000;
    uint32_t fraction = (uint32_t)(micro % 1000000);

    if (fraction != 0) {
        int decimals = 6;
        for (; fraction % 10 == 0; decimals--)
            fraction /= 10;
        for (; decimals > 0; decimals--) {
            *--at = (char)('0' + fraction % 10);
            fraction /= 10;
        }
        *--at = '.';
    }
    do {
        *--at = (char)('0' + whole % 10);
        whole /= 10;
    } while (whole != 0);
    if (value < 0 && micro != 0)
        *--at = '-';
    memcpy(buffer, at, (size_t)(end - at));
    return (size_t)(end - at);
}

void aff_json_score(struct aff_json *json, double value)
{
    char buffer[AFF_JSON_SCORE];

    if (fabs(value) < 1e12)
        aff_json_raw(json, buffer, aff_json_put_score(buffer, value));
    else
        aff_json_double(json, value);
}

char *aff_json_room(struct aff_json *json, size_t size)
{
    return reserve(json, size);
}

void aff_json_written(struct aff_json *json, size_t size)
{
    json->size += size;
    json->comma = true;
}
