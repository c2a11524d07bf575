/* SPDX-License-Identifier: Apache-2.0 */
/* Writes JSON text into a growing buffer: commas and escapes are its business, the nesting is the caller's.
 * Numbers never depend on the locale; NaN and infinities become null. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Set to zero before first use. After a failed allocation nothing more is written and `failed` stays true. */
struct aff_json {
    char *bytes;
    size_t size, capacity;
    bool comma; /* the next value needs a comma before it */
    bool failed;
};

void aff_json_reset(struct aff_json *json); /* empties, keeps the memory */
void aff_json_done(struct aff_json *json);  /* frees */

void aff_json_open_object(struct aff_json *json);
void aff_json_close_object(struct aff_json *json);
void aff_json_open_array(struct aff_json *json);
void aff_json_close_array(struct aff_json *json);

/* A member's name; the next call writes its value. `name` is a constant of ours that needs no escape. */
void aff_json_name(struct aff_json *json, const char *name);

void aff_json_text(struct aff_json *json, struct aff_text text); /* well-formed UTF-8 */
void aff_json_string(struct aff_json *json, const char *text);
void aff_json_int(struct aff_json *json, int64_t value);
void aff_json_uint(struct aff_json *json, uint64_t value);
void aff_json_bool(struct aff_json *json, bool value);
void aff_json_null(struct aff_json *json);
void aff_json_double(struct aff_json *json, double value); /* 17 significant digits: reads back exactly */
void aff_json_score(struct aff_json *json, double value);  /* at most six decimals, short and fast */

/* Bytes that are JSON already. */
void aff_json_raw(struct aff_json *json, const char *bytes, size_t size);

/* For parts that are written often: room for `size` bytes behind what is there, without a comma; NULL if
 * memory is out. The caller writes JSON there through the functions below, which return where they ended,
 * says so by aff_json_end(), and sets `comma` to what is right for what comes next. */
char *aff_json_room(struct aff_json *json, size_t size);

static inline void aff_json_end(struct aff_json *json, const char *end)
{
    json->size = (size_t)(end - json->bytes);
}

/* The room that each needs at most. */
#define AFF_JSON_NUMBER 32
#define AFF_JSON_TEXT(size) (6 * (size) + 2)

char *aff_json_put_text(char *at, struct aff_text text); /* with its quotes */
char *aff_json_put_int(char *at, int64_t value);
char *aff_json_put_score(char *at, double value); /* |value| below 1e12 or null */

static inline char *aff_json_put_bytes(char *at, struct aff_text bytes)
{
    memcpy(at, bytes.at, bytes.size);
    return at + bytes.size;
}
