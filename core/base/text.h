/* SPDX-License-Identifier: Apache-2.0 */
/* A borrowed piece of text: pointer and length, not NUL-terminated. Ids of the shop are any UTF-8 text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The longest id (store, product, customer, order, session) that is accepted, in bytes. */
#define AFF_ID_MAX 128

struct aff_text {
    const char *at; /* may be NULL only when size is 0 */
    size_t size;    /* bytes */
};

static inline struct aff_text aff_text_of(const char *string)
{
    return (struct aff_text){string, string == NULL ? 0 : strlen(string)};
}

static inline bool aff_text_equal(struct aff_text a, struct aff_text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

/* 64-bit hash of the bytes (XXH3, seed 0). Stored in the database as order key, so it never changes. */
uint64_t aff_text_hash(struct aff_text text);

/* True if the bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates) without NUL. */
bool aff_text_is_utf8(struct aff_text text);

/* Replaces by '?' every byte of the NUL-terminated `text` that is not part of a well-formed character, as
 * when a bounded print has cut one, or a message quotes what a stranger sent. */
void aff_text_repair(char *text);

/* True if `text` may be an id: 1 to AFF_ID_MAX bytes of UTF-8 without control characters (below U+0020,
 * U+007F). */
bool aff_text_is_id(struct aff_text text);
