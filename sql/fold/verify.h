/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the counts that folds keep are what a full count of the orders gives, bit for bit, at any moment of
 * a running system: one snapshot holds the tables, the orders, and the queue with what was counted for the
 * orders in it. */
#pragma once

#include "core/base/parallel.h"
#include "core/base/status.h"
#include "core/learn/rows.h"
#include "sql/connection.h"

#include <stdbool.h>
#include <stdint.h>

enum { AFF_VERIFIED_PARTS = 11, AFF_VERIFIED_TEXT = 800 };

/* One table. */
struct aff_verified {
    const char *name;
    uint64_t rows_kept, rows_counted, digest_kept, digest_counted;
    uint64_t differing;           /* rows */
    char text[AFF_VERIFIED_TEXT]; /* the first row that differs, for people; empty: all are equal */
};

struct aff_verify_report {
    struct aff_verified parts[AFF_VERIFIED_PARTS];
    int n;
    bool equal;
    int64_t version, generation;
    uint64_t orders; /* counted anew */
};

struct aff_verify_settings {
    int n_threads;
    const struct aff_rows_settings
        *rows; /* NULL: neighbour rows are not looked at. Else they have to be those of
                  a full build: after folds only once a sweep has renewed them all */
};

/* Compares the tables of the store; what is different is no failure. Not inside a transaction. The watch is
 * told lines read, then nothing exact; it may cancel. AFF_NOTREADY: the store was never rebuilt.
 */
AFF_MUST_CHECK aff_status aff_verify(struct aff_connection *connection, int store,
                                     const struct aff_verify_settings *settings,
                                     const struct aff_watch *watch, struct aff_verify_report *ret_report,
                                     struct aff_error *reterr);
