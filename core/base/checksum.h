/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums of texts that are stored and compared later: 128 bits of XXH3 in its canonical form, so that the
 * same bytes give the same checksum on every machine. They find accidental changes; they are no protection
 * against somebody who wants two texts with one checksum. */
#pragma once

#include "core/base/text.h"

/* Characters of a checksum and its NUL. */
#define AFF_CHECKSUM_TEXT 33

/* The canonical bytes. */
struct aff_checksum {
    uint8_t bytes[16];
};

struct aff_checksum aff_checksum_of(const void *bytes, size_t size);
bool aff_checksum_equal(const struct aff_checksum *a, const struct aff_checksum *b);

/* Writes the checksum as 32 lower-case hexadecimal digits. */
void aff_checksum_text(struct aff_text text, char ret_digits[AFF_CHECKSUM_TEXT]);
