/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/review/review.h"

#include <inttypes.h>
#include <stdio.h>

const char *aff_verdict_name(enum aff_verdict verdict)
{
    switch (verdict) {
    case AFF_VERDICT_APPROVE:
        return "approve";
    case AFF_VERDICT_REJECT:
        return "reject";
    case AFF_VERDICT_OPEN:
        break;
    }
    return "open";
}

bool aff_review_text_is_fit(struct aff_text text, size_t most)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7F)
            return false;
    return text.size <= most && aff_text_is_utf8(text);
}

void aff_review_cursor_write(struct aff_review_cursor cursor, char ret_text[AFF_REVIEW_CURSOR_TEXT])
{
    (void)snprintf(ret_text, AFF_REVIEW_CURSOR_TEXT, "%" PRId32 ".%" PRId32, cursor.product, cursor.other);
}

/* Digits with at most a minus before them, up to the end or a dot. */
static bool take_number(const char **at, const char *end, int32_t *ret)
{
    const char *digits = *at + (*at < end && **at == '-');
    int64_t value = 0;

    if (digits == end || *digits < '0' || *digits > '9')
        return false;
    const char *after = digits;
    for (; after < end && *after >= '0' && *after <= '9'; after++) {
        value = value * 10 + (*after - '0');
        if (value > -(int64_t)INT32_MIN)
            return false;
    }
    if (digits > *at)
        value = -value;
    if (value > INT32_MAX)
        return false;
    *at = after;
    *ret = (int32_t)value;
    return true;
}

bool aff_review_cursor_parse(struct aff_text text, struct aff_review_cursor *ret_cursor)
{
    const char *at = text.at, *end = text.at + text.size;
    struct aff_review_cursor cursor;

    if (!take_number(&at, end, &cursor.product) || at == end || *at++ != '.' ||
        !take_number(&at, end, &cursor.other) || at != end)
        return false;
    *ret_cursor = cursor;
    return true;
}
