/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/values.h"

#include "core/base/clock.h"
#include "core/base/money.h"

#include <strings.h>

struct aff_text aff_value_trim(struct aff_text text)
{
    while (text.size > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = (struct aff_text){text.at + 1, text.size - 1};
    while (text.size > 0 && (text.at[text.size - 1] == ' ' || text.at[text.size - 1] == '\t'))
        text.size--;
    return text;
}

enum aff_reject aff_value_amount(struct aff_text text, int digits, bool round, int64_t *ret_minor,
                                 bool *ret_rounded)
{
    struct aff_money money;
    aff_status status = aff_money_parse(aff_value_trim(text), digits, &money);

    if (status == AFF_LIMIT)
        return AFF_REJECT_AMOUNT_LARGE;
    if (status != AFF_OK)
        return AFF_REJECT_AMOUNT;
    if (money.minor < 0 || (money.minor == 0 && money.rounded && aff_value_trim(text).at[0] == '-'))
        return AFF_REJECT_AMOUNT_NEGATIVE;
    if (money.minor > AFF_AMOUNT_MAX)
        return AFF_REJECT_AMOUNT_LARGE;
    if (money.rounded && !round)
        return AFF_REJECT_AMOUNT_DECIMALS;
    *ret_minor = money.minor;
    *ret_rounded = money.rounded;
    return AFF_REJECT_NONE;
}

enum aff_reject aff_value_time(struct aff_text text, int64_t now_us, int64_t *ret_us)
{
    int64_t at_us = 0;

    if (aff_time_parse(aff_value_trim(text), &at_us) != AFF_OK)
        return AFF_REJECT_TIME;
    if (at_us < 0 || at_us > now_us + AFF_DAY_US)
        return AFF_REJECT_TIME_RANGE;
    *ret_us = at_us;
    return AFF_REJECT_NONE;
}

enum aff_reject aff_value_quantity(struct aff_text text, int32_t *ret)
{
    int64_t value = 0;

    if (aff_whole_parse(aff_value_trim(text), &value) != AFF_OK || value == 0 || value > INT32_MAX ||
        value < -INT32_MAX)
        return AFF_REJECT_QUANTITY;
    *ret = (int32_t)value;
    return AFF_REJECT_NONE;
}

enum aff_reject aff_value_stock(struct aff_text text, int32_t *ret)
{
    int64_t value = 0;

    if (aff_whole_parse(aff_value_trim(text), &value) != AFF_OK || value > INT32_MAX || value < INT32_MIN)
        return AFF_REJECT_STOCK;
    *ret = (int32_t)value;
    return AFF_REJECT_NONE;
}

enum aff_reject aff_value_flag(struct aff_text text, bool if_empty, bool *ret)
{
    static const char *const words[] = {"false", "f", "no", "n", "0", "true", "t", "yes", "y", "1"};

    text = aff_value_trim(text);
    if (text.size == 0) {
        *ret = if_empty;
        return AFF_REJECT_NONE;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text.size == strlen(words[i]) && strncasecmp(text.at, words[i], text.size) == 0) {
            *ret = i >= 5;
            return AFF_REJECT_NONE;
        }
    }
    return AFF_REJECT_FLAG;
}
