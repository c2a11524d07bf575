/* SPDX-License-Identifier: Apache-2.0 */
/* Two sequences of rows with the same keys, read side by side: their digests, and the first row that differs.
 *
 * A row is its key and some numbers, and may have bytes. Both sequences ascend by key. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AFF_COMPARED_VALUES = 8, AFF_DIFFERENCE_TEXT = 400 };

struct aff_compared {
    int64_t key[2]; /* product and 0; a and b; customer and 0 */
    int64_t values[AFF_COMPARED_VALUES];
    const void *bytes; /* `size` of them */
    size_t size;
};

/* Which numbers a row has, for people. */
struct aff_compared_names {
    const char *key[2];                      /* "product" and NULL; "a" and "b" */
    const char *values[AFF_COMPARED_VALUES]; /* NULL after the last */
    const char *bytes;                       /* NULL: rows have none */
};

/* Gives the next kept row, borrowed until the next call; *ret_more false after the last. */
typedef aff_status (*aff_compare_next)(void *context, struct aff_compared *ret_row, bool *ret_more,
                                       struct aff_error *reterr);

struct aff_comparison {
    const struct aff_compared_names *names;
    aff_compare_next next;
    void *context;
    struct aff_error *reterr;

    uint64_t rows_kept, rows_counted, digest_kept, digest_counted;
    uint64_t differing;              /* rows that differ or are on one side only */
    int64_t first_key[2];            /* of the first of them */
    char first[AFF_DIFFERENCE_TEXT]; /* what is different in it; empty: nothing is */

    struct aff_compared kept; /* the row that is read and not met yet */
    bool begun, more;
};

/* The next counted row. Rows that are kept and not counted are passed on the way. */
AFF_MUST_CHECK aff_status aff_compare_counted(struct aff_comparison *comparison,
                                              const struct aff_compared *counted);

/* After the last counted row: what is left of the kept ones is too much. */
AFF_MUST_CHECK aff_status aff_compare_end(struct aff_comparison *comparison);
