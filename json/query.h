/* SPDX-License-Identifier: Apache-2.0 */
/* One line of a batch of recommendation queries:
 * {"query_id": "q1", "customer_id": "17850", "cart": ["71053", "85123A"], "at": 15296.41}
 * with the cart's newest product last and `at` the moment to answer for, in days since 1970-01-01. Only
 * query_id and cart must be there; customer_id may be null or empty. Other members are ignored. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_t;

/* Set to zero before first use; the memory is kept from line to line. Texts are valid until the next parse or
 * done. */
struct aff_query {
    struct aff_text id; /* empty when the line gave a whole number, which is `id_number` then */
    bool id_is_number;
    int64_t id_number;
    struct aff_text customer; /* empty: not given */
    struct aff_text *cart;    /* n_cart ids as given */
    size_t n_cart;
    bool has_at;
    int64_t at_us;
    struct json_t *root; /* owns the texts */
    size_t capacity;     /* of cart */
};

/* Reads one line without its line break. AFF_INVALID: what is wrong is in the text of *reterr. The query then
 * holds nothing. */
AFF_MUST_CHECK aff_status aff_query_parse(struct aff_query *query, struct aff_text line,
                                          struct aff_error *reterr);

void aff_query_done(struct aff_query *query);
