/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/checksum.h"

#include <string.h>
#include <xxhash.h>

_Static_assert(sizeof(XXH128_canonical_t) == AFF_CHECKSUM, "a checksum has 128 bits");

void aff_checksum(struct aff_text text, unsigned char ret_bytes[AFF_CHECKSUM])
{
    XXH128_canonical_t canonical;

    XXH128_canonicalFromHash(&canonical, XXH3_128bits(text.size == 0 ? "" : text.at, text.size));
    memcpy(ret_bytes, canonical.digest, AFF_CHECKSUM);
}

void aff_checksum_text(struct aff_text text, char ret_digits[AFF_CHECKSUM_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[AFF_CHECKSUM];

    aff_checksum(text, bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        ret_digits[2 * i] = digits[bytes[i] >> 4];
        ret_digits[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret_digits[AFF_CHECKSUM_TEXT - 1] = '\0';
}
