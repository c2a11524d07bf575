/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs that only the season explains, and what people decide about them (affinity.pair_review). */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/learn/evidence.h"
#include "core/learn/reviews.h"
#include "core/learn/season.h"
#include "sql/connection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AFF_REVIEW_BY_MAX = 128, AFF_REVIEW_NOTE_MAX = 1000, AFF_REVIEW_LIST_MAX = 500 };

/* ---- deciding ---- */

enum aff_review_outcome {
    AFF_REVIEW_CREATED,    /* nobody had decided about the pair */
    AFF_REVIEW_CHANGED,    /* another verdict than before, or by somebody else, or with another note */
    AFF_REVIEW_UNCHANGED,  /* it was there already; time and queue stay as they were */
    AFF_REVIEW_NO_PRODUCT, /* the store does not know the first product */
    AFF_REVIEW_NO_OTHER,   /* or the second */
};

/* One decision. The products' ids differ, in either order. */
struct aff_review_entry {
    struct aff_text product, other;
    enum aff_verdict verdict;
    struct aff_text by, note; /* at most AFF_REVIEW_BY_MAX and AFF_REVIEW_NOTE_MAX bytes; may be empty */
    enum aff_review_outcome outcome; /* out */
};

/* Whether a text may stand in `by` or `note`: at most `most` bytes of UTF-8 without control characters. */
bool aff_review_text_is_fit(struct aff_text text, size_t most);

/* Writes decisions and queues them for whoever folds. Two about one pair: the later one counts. Inside a
 * transaction of the caller that is READ COMMITTED. */
AFF_MUST_CHECK aff_status aff_review_put(struct aff_connection *connection, int store,
                                         struct aff_review_entry *entries, size_t n,
                                         struct aff_error *reterr);

/* ---- listing ---- */

/* "open", "approve", "reject" as the table holds them. */
const char *aff_verdict_name(enum aff_verdict verdict);

/* Where a list goes on: behind this pair. Zero: at its beginning. */
struct aff_review_cursor {
    int32_t product, other;
};

/* A cursor as text, "12.34", and back; false for anything else. */
#define AFF_REVIEW_CURSOR_TEXT 32
void aff_review_cursor_write(struct aff_review_cursor cursor, char ret_text[AFF_REVIEW_CURSOR_TEXT]);
bool aff_review_cursor_parse(struct aff_text text, struct aff_review_cursor *ret_cursor);

struct aff_review_query {
    enum aff_verdict verdict; /* open: pairs that are marked and that nobody has decided about */
    struct aff_review_cursor after;
    uint32_t limit; /* 1 to AFF_REVIEW_LIST_MAX */
};

/* A month in which both products sell. */
struct aff_review_month {
    int16_t month; /* core/learn/months.h */
    int32_t product_orders, other_orders, orders;
};

/* One pair with its evidence as the counts are now. Texts and months are borrowed for the call. */
struct aff_review_pair {
    struct aff_review_cursor at; /* keys of the two products */
    struct aff_text product, other, product_name, other_name;
    enum aff_verdict verdict;
    struct aff_text by, note;
    int64_t decided_us; /* INT64_MIN: nobody decided */
    uint64_t orders, product_orders, other_orders, total_orders;
    struct aff_evidence evidence;
    struct aff_season season;
    bool marked;
    const struct aff_review_month *months;
    size_t n_months;
};

typedef aff_status (*aff_review_take)(void *context, const struct aff_review_pair *pair);

/* Lists pairs by product, then other. *ret_more: there may be more, and *ret_next says where; a list that
 * looks through many rows without a marked pair ends early with it. Inside a transaction of the caller. */
AFF_MUST_CHECK aff_status aff_review_list(struct aff_connection *connection, int store,
                                          const struct aff_review_query *query, aff_review_take take,
                                          void *context, bool *ret_more, struct aff_review_cursor *ret_next,
                                          struct aff_error *reterr);
