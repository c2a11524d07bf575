/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with the input: counted by reason, and each record written to a file that is made when the
 * first one comes. */
#pragma once

#include "cli/import/csv.h"
#include "core/base/status.h"
#include "core/base/text.h"

#include <stdint.h>
#include <stdio.h>

/* The largest worth of one line and the largest price, in minor units: the sums of any store stay far inside
 * 64 bits. */
#define AFF_AMOUNT_MAX INT64_C(1000000000000000)

#define AFF_REJECT_LIST(X)                                                                                   \
    X(ID, "not an id: 1 to 128 bytes of text without control characters")                                    \
    X(TIME, "not a time such as 2026-11-21T09:00:00Z")                                                       \
    X(TIME_RANGE, "a time before 1970 or more than a day ahead")                                             \
    X(QUANTITY, "not a whole number other than 0 from -2147483647 to 2147483647")                            \
    X(AMOUNT, "not an amount of money such as 12.50")                                                        \
    X(AMOUNT_NEGATIVE, "a negative amount of money")                                                         \
    X(AMOUNT_DECIMALS, "more decimals than the currency has; --prices round accepts them")                   \
    X(AMOUNT_LARGE, "an amount of more than 1000000000000000 minor units")                                   \
    X(CURRENCY, "another currency than the store's")                                                         \
    X(STOCK, "not a whole number from -2147483648 to 2147483647")                                            \
    X(FLAG, "neither true nor false")                                                                        \
    X(ATTRIBUTES, "not a JSON object")

enum aff_reject {
    AFF_REJECT_NONE,
#define X(name, text) AFF_REJECT_CSV_##name,
    AFF_CSV_FAULT_LIST(X)
#undef X
#define X(name, text) AFF_REJECT_##name,
        AFF_REJECT_LIST(X)
#undef X
            AFF_REJECTS
};

const char *aff_reject_text(enum aff_reject reason);

struct aff_rejects {
    const char *path;    /* borrowed */
    FILE *file;          /* NULL: nothing rejected yet */
    int64_t total, most; /* most: stop when there are more; negative: never */
    int64_t counts[AFF_REJECTS];
};

/* Counts and writes one record. `column` is its name or number. AFF_LIMIT: there are too many now. */
AFF_MUST_CHECK aff_status aff_rejects_add(struct aff_rejects *rejects, const char *file, uint64_t line,
                                          struct aff_text column, enum aff_reject reason, struct aff_text raw,
                                          struct aff_error *reterr);

/* Closes the file; fails if not all of it was written. */
AFF_MUST_CHECK aff_status aff_rejects_close(struct aff_rejects *rejects, struct aff_error *reterr);
