/* SPDX-License-Identifier: Apache-2.0 */
/* Something that happened in the shop, and the table of its kinds. */
#pragma once

#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Members of an event beside event_id, kind, at, session, customer and attributes, which every kind may have:
 * X(NAME, "name", type, least, most).
 *
 * types: ID an id · HEX a recommendation_id · WHOLE a whole number and REAL a number from least to most ·
 * TEXT a text of least to most bytes · ACTION "add" or "remove" · PLACEMENT a placement */
#define AFF_EVENT_FIELD_LIST(X)                                                                              \
    X(PRODUCT, "product", ID, 0, 0)                                                                          \
    X(RECOMMENDATION, "recommendation_id", HEX, 0, 0)                                                        \
    X(ORDER, "order", ID, 0, 0)                                                                              \
    X(QUANTITY, "quantity", WHOLE, 1, 1000000)                                                               \
    X(AMOUNT, "amount", WHOLE, 0, 1e15) /* money, minor units */                                             \
    X(PRICE, "price", WHOLE, 0, 1e15)                                                                        \
    X(PREVIOUS_PRICE, "previous_price", WHOLE, 0, 1e15)                                                      \
    X(ACTION, "action", ACTION, 0, 0)                                                                        \
    X(CATEGORY, "category", TEXT, 1, 1024)                                                                   \
    X(TERM, "term", TEXT, 1, 256)                                                                            \
    X(RESULTS, "results", WHOLE, 0, 1e9)                                                                     \
    X(PLACEMENT, "placement", PLACEMENT, 0, 0)                                                               \
    X(RANK, "rank", WHOLE, 1, 1000)                                                                          \
    X(REASON, "reason", TEXT, 1, 256)                                                                        \
    X(ANGLE, "angle", TEXT, 1, 128)                                                                          \
    X(RATING, "rating", REAL, 1, 5)                                                                          \
    X(TEXT, "text", TEXT, 1, 2048)                                                                           \
    X(CASE, "case", ID, 0, 0)                                                                                \
    X(SATISFACTION, "satisfaction", REAL, 0, 1)                                                              \
    X(FEATURE, "feature", ID, 0, 0)                                                                          \
    X(VALUE, "value", REAL, -1e15, 1e15)                                                                     \
    X(LIMIT, "limit", REAL, 0, 1e15)                                                                         \
    X(SCORE, "score", REAL, 0, 1)                                                                            \
    X(QUESTION, "question", ID, 0, 0)                                                                        \
    X(ANSWER, "answer", TEXT, 1, 256)

enum aff_event_field {
#define X(NAME, name, type, least, most) AFF_EVENT_##NAME,
    AFF_EVENT_FIELD_LIST(X)
#undef X
        AFF_EVENT_FIELDS
};

/* Every kind: X(NUMBER, NAME, "name", who, must, may), all fields as sums of bits, written F(PRODUCT). The
 * numbers stand in the database for ever. `who`: ANYBODY, SOMEBODY (session or customer) or CUSTOMER. */
#define AFF_EVENT_KIND_LIST(X)                                                                               \
    X(1, VIEW, "view", SOMEBODY, 0, F(PRODUCT) | F(CATEGORY) | F(PRICE) | F(RECOMMENDATION))                 \
    X(2, SEARCH, "search", SOMEBODY, F(TERM), F(RESULTS) | F(CATEGORY))                                      \
    X(3, CART, "cart", SOMEBODY, F(PRODUCT), F(ACTION) | F(QUANTITY) | F(PRICE) | F(RECOMMENDATION))         \
    X(4, WISHLIST, "wishlist", SOMEBODY, F(PRODUCT), F(ACTION) | F(PRICE))                                   \
    X(5, PURCHASE, "purchase", SOMEBODY, F(ORDER), F(PRODUCT) | F(QUANTITY) | F(AMOUNT) | F(RECOMMENDATION)) \
    X(6, IMPRESSION, "impression", ANYBODY, F(RECOMMENDATION), F(PRODUCT) | F(RANK) | F(PLACEMENT))          \
    X(7, CLICK, "click", ANYBODY, F(RECOMMENDATION) | F(PRODUCT), F(RANK) | F(PLACEMENT))                    \
    X(8, ACCEPTANCE, "acceptance", ANYBODY, F(RECOMMENDATION) | F(PRODUCT),                                  \
      F(ORDER) | F(QUANTITY) | F(AMOUNT) | F(RANK) | F(PLACEMENT))                                           \
    X(9, REJECTION, "rejection", SOMEBODY, F(PRODUCT),                                                       \
      F(RECOMMENDATION) | F(REASON) | F(ANGLE) | F(RANK) | F(PLACEMENT))                                     \
    X(10, COMPLAINT, "complaint", CUSTOMER, 0,                                                               \
      F(PRODUCT) | F(ORDER) | F(REASON) | F(TEXT) | F(RECOMMENDATION))                                       \
    X(11, REVIEW, "review", ANYBODY, F(PRODUCT) | F(RATING), F(ORDER) | F(TEXT))                             \
    X(12, SUPPORT_OPENED, "support_opened", CUSTOMER, F(CASE), F(PRODUCT) | F(ORDER) | F(REASON))            \
    X(13, SUPPORT_RESOLVED, "support_resolved", CUSTOMER, F(CASE),                                           \
      F(PRODUCT) | F(ORDER) | F(REASON) | F(SATISFACTION))                                                   \
    X(14, USAGE, "usage", CUSTOMER, F(FEATURE) | F(VALUE), F(LIMIT) | F(PRODUCT))                            \
    X(15, HEALTH, "health", CUSTOMER, F(SCORE), F(REASON))                                                   \
    X(16, PRICE_CHANGE, "price_change", ANYBODY, F(PRODUCT) | F(PRICE), F(PREVIOUS_PRICE))                   \
    X(17, RETURN, "return", ANYBODY, F(ORDER), F(PRODUCT) | F(QUANTITY) | F(AMOUNT) | F(REASON))             \
    X(18, SURVEY, "survey", SOMEBODY, F(QUESTION),                                                           \
      F(ANSWER) | F(SCORE) | F(TEXT) | F(RECOMMENDATION) | F(PRODUCT) | F(ORDER))

enum aff_event_kind {
#define X(number, NAME, name, who, must, may) AFF_EVENT_KIND_##NAME = (number),
    AFF_EVENT_KIND_LIST(X)
#undef X
        AFF_EVENT_KIND_MAX
};

enum aff_event_who { AFF_EVENT_ANYBODY, AFF_EVENT_SOMEBODY, AFF_EVENT_CUSTOMER };

/* A row of the table of kinds; `must` and `may` are bits 1 << enum aff_event_field. */
struct aff_event_kind_row {
    const char *name; /* NULL: no such kind */
    enum aff_event_who who;
    uint32_t must, may;
};

/* By number, AFF_EVENT_KIND_MAX rows; row 0 is empty. */
extern const struct aff_event_kind_row aff_event_kinds[];

#define AFF_EVENT_KEY 16          /* bytes */
#define AFF_EVENT_DATA_MAX 16384  /* bytes of an event's JSON object */
#define AFF_EVENT_BATCH_MAX 10000 /* events of one request, at most */

/* Texts are borrowed. */
struct aff_event {
    unsigned char key[AFF_EVENT_KEY];
    enum aff_event_kind kind;
    bool has_session, has_recommendation, has_order, has_quantity, has_amount;
    bool removes; /* cart, wishlist: takes away instead of adding */
    int64_t at_us;
    uint64_t session;   /* hash of the session's id */
    uint64_t order_key; /* hash of the order's id */
    unsigned char recommendation[16];
    int32_t quantity;
    int64_t amount;
    int32_t product_key;               /* of the product in the catalogue when the event came; 0: unknown */
    struct aff_text product, customer; /* ids; empty: not given */
    struct aff_text data;              /* a JSON object; empty: none */
};
