/* SPDX-License-Identifier: Apache-2.0 */
/* Single values of a record, with the reason why one is refused. Blanks around numbers, times and flags do
 * not matter. */
#pragma once

#include "cli/import/rejects.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_text aff_value_trim(struct aff_text text);

/* An amount from 0 to AFF_AMOUNT_MAX in minor units of a currency with `digits` decimals. With `round`,
 * further decimals are rounded and *ret_rounded says so. */
enum aff_reject aff_value_amount(struct aff_text text, int digits, bool round, int64_t *ret_minor,
                                 bool *ret_rounded);

/* A time from 1970 up to a day after `now_us`. */
enum aff_reject aff_value_time(struct aff_text text, int64_t now_us, int64_t *ret_us);

enum aff_reject aff_value_quantity(struct aff_text text, int32_t *ret);
enum aff_reject aff_value_stock(struct aff_text text, int32_t *ret);

/* true, t, yes, y, 1 or false, f, no, n, 0 in any case; empty is `if_empty`. */
enum aff_reject aff_value_flag(struct aff_text text, bool if_empty, bool *ret);
