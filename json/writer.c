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
    (void)aff_json_put_bytes(at + 1, (struct aff_text){name, size});
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
    at[1] = 'u';
    at[2] = at[3] = '0';
    at[4] = digits[byte >> 4];
    at[5] = digits[byte & 15];
    return 6;
}

/* True if one of the eight bytes may not stand in a string as it is. Exact for what it looks for; a byte of a
 * character beyond ASCII never is. The sums are those of "bit twiddling hacks", S. E. Anderson: a byte below
 * n, a byte equal to one of three. */
static bool needs_escape(uint64_t eight)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    uint64_t quote = eight ^ ones * '"', slash = eight ^ ones * '\\', rubout = eight ^ ones * 0x7F;
    uint64_t control = (eight - ones * 0x20) & ~eight;
    uint64_t equal = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((rubout - ones) & ~rubout);

    return ((control | equal) & highs) != 0;
}

static char *put_escaped(char *at, const char *from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)from[i];
        if (byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7F)
            at += escape(at, byte);
        else
            *at++ = (char)byte;
    }
    return at;
}

char *aff_json_put_text(char *at, struct aff_text text)
{
    size_t i = 0;

    *at++ = '"';
    for (; i + 8 <= text.size; i += 8) {
        uint64_t eight;
        memcpy(&eight, text.at + i, 8);
        if (needs_escape(eight)) {
            at = put_escaped(at, text.at + i, 8);
        } else {
            memcpy(at, &eight, 8);
            at += 8;
        }
    }
    if (i < text.size)
        at = put_escaped(at, text.at + i, text.size - i);
    *at++ = '"';
    return at;
}

void aff_json_text(struct aff_json *json, struct aff_text text)
{
    char *start = value_room(json, AFF_JSON_TEXT(text.size));

    if (start != NULL)
        json->size += (size_t)(aff_json_put_text(start, text) - start);
}

char *aff_json_room(struct aff_json *json, size_t size)
{
    return reserve(json, size);
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

char *aff_json_put_int(char *at, int64_t value)
{
    char buffer[20];
    char *digits = digits_of(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, buffer);
    size_t size = (size_t)(buffer + 20 - digits);

    if (value < 0)
        *at++ = '-';
    memcpy(at, digits, size);
    return at + size;
}

void aff_json_int(struct aff_json *json, int64_t value)
{
    char buffer[21];

    aff_json_raw(json, buffer, (size_t)(aff_json_put_int(buffer, value) - buffer));
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

char *aff_json_put_score(char *at, double value)
{
    if (!(fabs(value) < 1e12)) {
        static const struct aff_text null = {"null", 4};
        return aff_json_put_bytes(at, null);
    }
    uint64_t micro = (uint64_t)(fabs(value) * 1e6 + 0.5);
    uint64_t fraction = micro % 1000000;
    if (value < 0 && micro != 0)
        *at++ = '-';
    at = aff_json_put_int(at, (int64_t)(micro / 1000000));
    if (fraction == 0)
        return at;
    *at++ = '.';
    for (uint64_t unit = 100000; fraction != 0; unit /= 10) {
        *at++ = (char)('0' + fraction / unit);
        fraction %= unit;
    }
    return at;
}

void aff_json_score(struct aff_json *json, double value)
{
    char buffer[AFF_JSON_NUMBER];

    if (fabs(value) < 1e12)
        aff_json_raw(json, buffer, (size_t)(aff_json_put_score(buffer, value) - buffer));
    else
        aff_json_double(json, value);
}
