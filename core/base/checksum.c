/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/checksum.h"

#include <xxhash.h>

struct aff_checksum aff_checksum_of(const void *bytes, size_t size)
{
    struct aff_checksum sum;
    XXH128_canonical_t canonical;

    XXH128_canonicalFromHash(&canonical, XXH3_128bits(size == 0 ? "" : bytes, size));
    _Static_assert(sizeof sum.bytes == sizeof canonical.digest, "128 bits");
    memcpy(sum.bytes, canonical.digest, sizeof sum.bytes);
    return sum;
}

bool aff_checksum_equal(const struct aff_checksum *a, const struct aff_checksum *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void aff_checksum_text(struct aff_text text, char ret_digits[AFF_CHECKSUM_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    const struct aff_checksum sum = aff_checksum_of(text.at, text.size);

    for (size_t i = 0; i < sizeof sum.bytes; i++) {
        ret_digits[2 * i] = digits[sum.bytes[i] >> 4];
        ret_digits[2 * i + 1] = digits[sum.bytes[i] & 15];
    }
    ret_digits[AFF_CHECKSUM_TEXT - 1] = '\0';
}
