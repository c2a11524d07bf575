/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of aff_verify(): one comparison a table. */
#pragma once

#include "core/learn/next.h"
#include "core/learn/pairs.h"
#include "core/learn/rows.h"
#include "core/learn/viewed.h"
#include "sql/copy.h"
#include "sql/fold/compare.h"
#include "sql/fold/recount.h"

/* Bytes of one row, put together. */
struct aff_packed {
    unsigned char *bytes;
    size_t used, capacity;
    bool failed;
};

struct aff_verifying {
    struct aff_connection *connection;
    int store;
    const struct aff_count_state *state;
    const struct aff_baskets *baskets;
    const struct aff_pairs *pairs;
    const struct aff_next *next;
    const struct aff_watch *watch;
    const struct aff_rows_settings *rows;
    struct aff_error *reterr;

    struct aff_copy_reader reader;
    struct aff_packed kept, counted;
    unsigned char *gaps; /* a stored histogram */
    struct aff_neighbour *neighbours;
    struct aff_pair_counts *counts;
    struct aff_viewed viewed;         /* sessions counted anew */
    struct aff_comparison comparison; /* of the table of the moment */
    const char *columns;              /* of that table; for verify_parts.c */
};

void aff_packed_put(struct aff_packed *packed, const void *bytes, size_t size);

/* Each compares one table; the comparison is then read by the caller. */
AFF_MUST_CHECK aff_status aff_verify_stats(struct aff_verifying *verifying);
AFF_MUST_CHECK aff_status aff_verify_months(struct aff_verifying *verifying);
AFF_MUST_CHECK aff_status aff_verify_together(struct aff_verifying *verifying);
AFF_MUST_CHECK aff_status aff_verify_next_stats(struct aff_verifying *verifying);
AFF_MUST_CHECK aff_status aff_verify_next(struct aff_verifying *verifying);
AFF_MUST_CHECK aff_status aff_verify_histories(struct aff_verifying *verifying);
AFF_MUST_CHECK aff_status aff_verify_state(struct aff_verifying *verifying);
AFF_MUST_CHECK aff_status aff_verify_neighbours(struct aff_verifying *verifying);

/* Starts the comparison with the store's rows of `select` ("columns FROM table") sorted by `keys`, read by
 * `next`; and ends the reading, whatever `status` is. */
AFF_MUST_CHECK aff_status aff_verify_begin(struct aff_verifying *verifying,
                                           const struct aff_compared_names *names, const char *select,
                                           const char *keys, aff_compare_next next);
AFF_MUST_CHECK aff_status aff_verify_finish(struct aff_verifying *verifying, aff_status status);
