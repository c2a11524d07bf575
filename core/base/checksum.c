/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/checksum.h"

#include <xxhash.h>

void aff_checksum_text(struct aff_text text, char ret_digits[AFF_CHECKSUM_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    XXH128_canonical_t canonical;

    XXH128_canonicalFromHash(&canonical, XXH3_128bits(text.size == 0 ? "" : text.at, text.size));
    for (size_t i = 0; i < sizeof canonical.digest; i++) {
        ret_digits[2 * i] = digits[canonical.digest[i] >> 4];
        ret_digits[2 * i + 1] = digits[canonical.digest[i] & 15];
    }
    ret_digits[AFF_CHECKSUM_TEXT - 1] = '\0';
}
