/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/text.h"

#include <xxhash.h>

uint64_t aff_text_hash(struct aff_text text)
{
    return XXH3_64bits(text.size == 0 ? "" : text.at, text.size);
}

/* Length of the well-formed character at `at`, or 0 (RFC 3629, section 4). */
static size_t character_size(const unsigned char *at, size_t left)
{
    unsigned char lead = at[0];
    unsigned char low = 0x80, high = 0xBF; /* bounds of the second byte */
    size_t size;

    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF) {
        size = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        size = 3;
        if (lead == 0xE0)
            low = 0xA0;
        if (lead == 0xED)
            high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        size = 4;
        if (lead == 0xF0)
            low = 0x90;
        if (lead == 0xF4)
            high = 0x8F;
    } else {
        return 0;
    }
    if (left < size || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return size;
}

/* True if the next eight bytes are all below 0x80 and none is NUL: most text, so worth a look of its own. */
static bool eight_are_ascii(const unsigned char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return ((word | (word - 0x0101010101010101u)) & 0x8080808080808080u) == 0;
}

void aff_text_repair(char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t size = character_size((const unsigned char *)text, left);
        if (size == 0)
            *text = '?';
        text += size + (size == 0);
        left -= size + (size == 0);
    }
}

bool aff_text_is_utf8(struct aff_text text)
{
    const unsigned char *at = (const unsigned char *)text.at;

    for (size_t i = 0; i < text.size;) {
        if (text.size - i >= 8 && eight_are_ascii(at + i)) {
            i += 8;
            continue;
        }
        size_t size = at[i] == '\0' ? 0 : character_size(at + i, text.size - i);
        if (size == 0)
            return false;
        i += size;
    }
    return true;
}

bool aff_text_is_id(struct aff_text text)
{
    if (text.size == 0 || text.size > AFF_ID_MAX)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7F)
            return false;
    return aff_text_is_utf8(text);
}
