/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/array.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST = 1024, NUMBER = 24 };

/* Room for `size` more bytes beside the closing brace and the NUL. */
static bool make_room(struct aff_array *array, size_t size)
{
    size_t wanted = array->used + size + 2;

    if (array->failed || wanted <= array->capacity)
        return !array->failed;
    size_t capacity = array->capacity == 0 ? FIRST : array->capacity;
    while (capacity < wanted)
        capacity *= 2;
    char *text = realloc(array->text, capacity);
    if (text == NULL) {
        array->failed = true;
        return false;
    }
    array->text = text;
    array->capacity = capacity;
    return true;
}

/* Begins an element of at most `size` bytes. */
static bool begin(struct aff_array *array, size_t size)
{
    if (!make_room(array, size + 1))
        return false;
    array->text[array->used] = array->used == 0 ? '{' : ',';
    array->used++;
    return true;
}

static void add(struct aff_array *array, const char *element, size_t size)
{
    if (!begin(array, size))
        return;
    memcpy(array->text + array->used, element, size);
    array->used += size;
}

void aff_array_add_null(struct aff_array *array)
{
    add(array, "NULL", 4);
}

void aff_array_add_bool(struct aff_array *array, bool value)
{
    add(array, value ? "t" : "f", 1);
}

void aff_array_add_int64(struct aff_array *array, int64_t value)
{
    char number[NUMBER];

    add(array, number, (size_t)snprintf(number, sizeof number, "%" PRId64, value));
}

/* Quoted always, so that the text NULL and empty ones stay texts. */
void aff_array_add_text(struct aff_array *array, struct aff_text text)
{
    if (!begin(array, 2 * text.size + 2))
        return;
    char *to = array->text + array->used;
    *to++ = '"';
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\')
            *to++ = '\\';
        *to++ = text.at[i];
    }
    *to++ = '"';
    array->used = (size_t)(to - array->text);
}

const char *aff_array_text(struct aff_array *array)
{
    if (!make_room(array, 1))
        return NULL;
    if (array->used == 0)
        return memcpy(array->text, "{}", 3);
    memcpy(array->text + array->used, "}", 2);
    return array->text;
}

void aff_array_clear(struct aff_array *array)
{
    array->used = 0;
}

void aff_array_done(struct aff_array *array)
{
    free(array->text);
    *array = (struct aff_array){0};
}
