/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of a request that writes: orders, products, customers or reviews of pairs. Read strictly: an
 * entry that is wrong in any way is refused with all its reasons and does no harm to the others. */
#pragma once

#include "core/base/arena.h"
#include "core/base/idmap.h"
#include "core/intake/line.h"
#include "sql/intake/put_catalogue.h"
#include "json/writer.h"

#include <stdbool.h>

#define AFF_ORDER_LINES_MAX 10000               /* of one order */
#define AFF_MONEY_MAX INT64_C(1000000000000000) /* of a price, and of what a line or an order is worth */
#define AFF_ENTRY_TEXT_MAX 1024                 /* bytes of a name, category, brand, country or segment */
#define AFF_ENTRY_ATTRIBUTES_MAX 16384          /* bytes of the attributes as JSON */
#define AFF_ENTRY_ERRORS_MAX 20                 /* of one entry that are named; more are counted */

enum aff_batch_kind {
    AFF_BATCH_ORDERS,
    AFF_BATCH_PRODUCTS,
    AFF_BATCH_CUSTOMERS,
    AFF_BATCH_REVIEWS,
    AFF_BATCH_REVIEW_LIST, /* not a batch: the request asks for a list, and has no body */
};

/* Texts of an entry that decides about a pair. */
enum aff_review_value {
    AFF_REVIEW_PRODUCT,
    AFF_REVIEW_OTHER,
    AFF_REVIEW_BY,
    AFF_REVIEW_NOTE,
    AFF_REVIEW_VALUES
};

enum aff_entry_status {
    AFF_ENTRY_REFUSED,
    AFF_ENTRY_CREATED,
    AFF_ENTRY_CHANGED,
    AFF_ENTRY_UNCHANGED,
    AFF_ENTRY_STATUSES
};

/* Texts are in the batch's memory. */
struct aff_entry {
    struct aff_text id;           /* empty: it has none that could be read; reviews: of the pair, made up */
    enum aff_entry_status status; /* AFF_ENTRY_UNCHANGED until it is written, unless refused */
    struct aff_text errors;       /* members of a JSON array: {"field", "reason"}, ... */
    size_t n_errors;              /* more than are listed, perhaps */
    const struct aff_order_line *lines; /* orders: n_lines; none: the order is to be taken away */
    size_t n_lines;
    unsigned given; /* products and customers: as in struct aff_put_entry; reviews: enum aff_verdict */
    const struct aff_text *values; /* reviews: by enum aff_review_value; NULL: refused before */
};

struct aff_batch {
    enum aff_batch_kind kind;
    struct aff_arena arena;
    struct aff_idmap ids; /* of the entries that are not refused */
    struct aff_entry *entries;
    size_t n, n_lines; /* entries; lines of those that are not refused */
};

/* What a request says beside its body. */
struct aff_batch_frame {
    enum aff_batch_kind kind;
    bool lines;            /* one entry a line, not one JSON text */
    size_t most;           /* entries */
    struct aff_text store; /* that is written into */
    const char *currency;  /* of that store */
    int64_t now_us;
};

/* "orders", "products", "customers", "pairs". */
const char *aff_batch_name(enum aff_batch_kind kind);

/* Reads a body. AFF_INVALID: it cannot be cut into entries; AFF_LIMIT: more entries than `most`; the text
 * says what is wrong; AFF_NOMEM. On success the caller ends *ret_batch with done. */
AFF_MUST_CHECK aff_status aff_batch_read(const struct aff_batch_frame *frame, struct aff_text body,
                                         struct aff_batch *ret_batch, struct aff_error *reterr);
void aff_batch_done(struct aff_batch *batch); /* of zeros is a no-op */

/* Refuses an entry that reading has found to be right, with a reason found later. */
AFF_MUST_CHECK aff_status aff_batch_refuse(struct aff_batch *batch, size_t index, const char *field,
                                           const char *reason);

/* How many entries have each status. */
void aff_batch_count(const struct aff_batch *batch, size_t ret_counts[AFF_ENTRY_STATUSES]);

/* Members of an object: results[] and counts{}. */
void aff_batch_write(const struct aff_batch *batch, struct aff_json *json);
