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

/* For pieces that are put together by hand: room for `size` bytes at the end, NULL if there is no memory, and
 * how many of them were written. Commas are the caller's business; the next value needs one. */
char *aff_json_room(struct aff_json *json, size_t size);
void aff_json_written(struct aff_json *json, size_t size);

/* What aff_json_score() writes, into a buffer of AFF_JSON_SCORE bytes; returns the size. |value| below 1e12.
 */
#define AFF_JSON_SCORE 32
size_t aff_json_put_score(char buffer[AFF_JSON_SCORE], double value);

/* Bytes that are JSON already. */
void aff_json_raw(struct aff_json *json, const char *bytes, size_t size);
