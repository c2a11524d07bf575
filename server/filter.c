/* SPDX-License-Identifier: Apache-2.0 */
#include "server/parameter_table.h"

/* Reads a comparison sign at text.at[at]; 0: none is there. */
static size_t sign_at(struct aff_text text, size_t at, enum aff_filter_compare *ret_compare)
{
    bool equal_follows = at + 1 < text.size && text.at[at + 1] == '=';

    switch (text.at[at]) {
    case '=':
        *ret_compare = AFF_COMPARE_EQ;
        return 1;
    case '!':
        *ret_compare = AFF_COMPARE_NE;
        return equal_follows ? 2 : 0;
    case '<':
        *ret_compare = equal_follows ? AFF_COMPARE_LE : AFF_COMPARE_LT;
        return equal_follows ? 2 : 1;
    case '>':
        *ret_compare = equal_follows ? AFF_COMPARE_GE : AFF_COMPARE_GT;
        return equal_follows ? 2 : 1;
    default:
        return 0;
    }
}

static struct aff_text trim(struct aff_text text)
{
    while (text.size > 0 && text.at[0] == ' ') {
        text.at++;
        text.size--;
    }
    while (text.size > 0 && text.at[text.size - 1] == ' ')
        text.size--;
    return text;
}

static bool is_word(struct aff_text text, const char *word)
{
    return aff_text_equal(text, aff_text_of(word));
}

/* Sets field and name of the filter from what is left of the sign. */
static bool take_field(struct aff_text name, struct aff_filter *filter)
{
    static const char attributes[] = "attributes.";

    if (is_word(name, "category")) {
        filter->field = AFF_FILTER_CATEGORY;
    } else if (is_word(name, "brand")) {
        filter->field = AFF_FILTER_BRAND;
    } else if (is_word(name, "price")) {
        filter->field = AFF_FILTER_PRICE;
    } else if (name.size > sizeof attributes - 1 && memcmp(name.at, attributes, sizeof attributes - 1) == 0) {
        filter->field = AFF_FILTER_ATTRIBUTE;
        filter->name = (struct aff_text){name.at + sizeof attributes - 1, name.size - sizeof attributes + 1};
    } else {
        return false;
    }
    return true;
}

bool aff_filter_parse(struct aff_text text, struct aff_filter *ret_filter, const char **ret_reason)
{
    struct aff_filter filter = {.compare = AFF_COMPARE_EQ};
    size_t at = 0, sign = 0;

    while (at < text.size && (sign = sign_at(text, at, &filter.compare)) == 0)
        at++;
    if (sign == 0) {
        *ret_reason = "must be a field, one of = != < <= > >=, and a value";
        return false;
    }
    if (!take_field(trim((struct aff_text){text.at, at}), &filter)) {
        *ret_reason = "must begin with category, brand, price or attributes.NAME";
        return false;
    }
    filter.value = trim((struct aff_text){text.at + at + sign, text.size - at - sign});
    if (filter.value.size == 0) {
        *ret_reason = "has no value behind the comparison";
        return false;
    }
    if (filter.field == AFF_FILTER_PRICE) {
        if (!aff_parameter_whole(filter.value, &filter.price) || filter.price < 0) {
            *ret_reason = "compares price with something that is no whole number of minor units";
            return false;
        }
    } else if (filter.compare > AFF_COMPARE_NE) {
        *ret_reason = "may use < <= > >= for price only";
        return false;
    }
    *ret_filter = filter;
    return true;
}
