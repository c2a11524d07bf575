/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/money.h"

static const struct {
    char code[4];
    signed char digits;
} unusual[] = {
    {"BHD", 3}, {"BIF", 0}, {"CLF", 4}, {"CLP", 0}, {"DJF", 0}, {"GNF", 0}, {"IQD", 3},
    {"ISK", 0}, {"JOD", 3}, {"JPY", 0}, {"KMF", 0}, {"KRW", 0}, {"KWD", 3}, {"LYD", 3},
    {"OMR", 3}, {"PYG", 0}, {"RWF", 0}, {"TND", 3}, {"UGX", 0}, {"UYI", 0}, {"UYW", 4},
    {"VND", 0}, {"VUV", 0}, {"XAF", 0}, {"XOF", 0}, {"XPF", 0},
};

bool aff_currency_is_code(struct aff_text text)
{
    if (text.size != 3)
        return false;
    for (size_t i = 0; i < 3; i++)
        if (text.at[i] < 'A' || text.at[i] > 'Z')
            return false;
    return true;
}

int aff_currency_digits(const char *currency)
{
    for (size_t i = 0; i < sizeof unusual / sizeof unusual[0]; i++)
        if (strcmp(unusual[i].code, currency) == 0)
            return unusual[i].digits;
    return 2;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Appends one decimal digit to *value; false if it does not fit. */
static bool append(int64_t *value, int digit)
{
    return !__builtin_mul_overflow(*value, 10, value) && !__builtin_add_overflow(*value, digit, value);
}

aff_status aff_money_parse(struct aff_text text, int digits, struct aff_money *ret)
{
    const char *at = text.at, *end = text.at + text.size;
    int64_t value = 0;
    int decimals = 0;
    bool any = false, up = false, lost = false, fits = true;

    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    for (; at < end && is_digit(*at); at++, any = true)
        fits = fits && append(&value, *at - '0');
    if (at < end && *at == '.') {
        for (at++; at < end && is_digit(*at); at++, any = true) {
            if (decimals < digits)
                fits = fits && append(&value, *at - '0');
            else if (decimals == digits)
                up = *at >= '5';
            lost = lost || (decimals >= digits && *at != '0');
            decimals += decimals <= digits;
        }
    }
    if (!any || at != end)
        return AFF_INVALID;
    for (; decimals < digits; decimals++)
        fits = fits && append(&value, 0);
    if (up)
        fits = fits && !__builtin_add_overflow(value, 1, &value);
    if (!fits)
        return AFF_LIMIT;
    *ret = (struct aff_money){.minor = negative ? -value : value, .rounded = lost};
    return AFF_OK;
}

aff_status aff_whole_parse(struct aff_text text, int64_t *ret)
{
    struct aff_money value;
    aff_status status = aff_money_parse(text, 0, &value);

    if (status == AFF_OK && value.rounded)
        status = AFF_INVALID;
    if (status == AFF_OK)
        *ret = value.minor;
    return status;
}
