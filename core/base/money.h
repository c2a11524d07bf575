/* SPDX-License-Identifier: Apache-2.0 */
/* Money: whole minor units of one currency in int64_t. Decimal text is read digit by digit and never passes
 * through a floating-point number. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* True for three capital letters, the form of ISO 4217 codes. */
bool aff_currency_is_code(struct aff_text text);

/* Decimal digits of the currency's minor unit (ISO 4217, list one: JPY 0, KWD 3, CLF 4); 2 for a code that is
 * not in the table. */
int aff_currency_digits(const char *currency);

struct aff_money {
    int64_t minor; /* minor units; rounded half away from zero when the text had more digits */
    bool rounded;  /* digits other than 0 were lost */
};

/* Reads an optional sign, digits and an optional point with more digits ("12", "-0.5", "3.750"), for a
 * currency with `digits` decimals (0 to 4). AFF_INVALID: not such a number; AFF_LIMIT: does not fit. */
AFF_MUST_CHECK aff_status aff_money_parse(struct aff_text text, int digits, struct aff_money *ret);

/* Reads a whole number, also one whose decimals are all 0 ("3.00"). AFF_INVALID: not such a number, or
 * decimals other than 0; AFF_LIMIT: does not fit. */
AFF_MUST_CHECK aff_status aff_whole_parse(struct aff_text text, int64_t *ret);
