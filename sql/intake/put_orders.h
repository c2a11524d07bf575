/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a small batch of orders inside a transaction of the caller, while others write, too: for orders
 * that come one by one (API, a shop's own tables). Large files go through sql/intake/intake.h.
 *
 * An entry says the whole order: it is created, replaced, left alone (same digest, core/intake/line.h) or,
 * with no lines, deleted. The order's time is that of its earliest line, its customer that of the earliest
 * line that has one. Products and customers that are not known yet are created with their id only; a product
 * without a price gets that of its newest sale in the batch. Returns are matched with the customers'
 * purchases (core/intake/returns.h). Each order whose content changes, and each whose `returned` changes,
 * gets a row of affinity.order_outbox with its content before.
 *
 * What the tables hold in the end depends on the last content of each order alone, not on the sequence in
 * which orders came or on who wrote them. Locks, all until the caller's transaction ends and always in this
 * sequence: the store's advisory lock of orders (shared; alone for a batch of more than AFF_PUT_ORDERS_ALONE
 * orders and for an import that applies), the row of catalogue_state (only if a product is created or
 * priced), one advisory lock an order, the rows of the customers concerned, the rows of orders. So two calls
 * never wait for each other in a circle; a transaction that calls more than once, or writes the catalogue
 * before orders, can meet SQLSTATE 40P01 and then has to be done again as a whole. */
#pragma once

#include "core/base/status.h"
#include "core/intake/line.h"
#include "sql/connection.h"

#include <stddef.h>
#include <stdint.h>

/* Orders and lines of one call, at most. */
enum { AFF_PUT_ORDERS_MAX = 10000, AFF_PUT_LINES_MAX = 100000, AFF_PUT_ORDERS_ALONE = 500 };

enum aff_put_order_outcome {
    AFF_ORDER_CREATED,
    AFF_ORDER_CHANGED,
    AFF_ORDER_UNCHANGED, /* stored with the same content; or to be deleted and not there */
    AFF_ORDER_DELETED,
    AFF_ORDER_REPEATED,  /* a later entry of the batch has the same id and counts instead */
    AFF_ORDER_COLLIDING, /* refused: another order id has the same 64-bit key */
};

struct aff_put_order {
    struct aff_text id;                 /* an id (aff_text_is_id) */
    const struct aff_order_line *lines; /* the whole order, checked; their order_id is not read */
    size_t n_lines;                     /* 0: the order is to be deleted */
    enum aff_put_order_outcome outcome; /* out */
};

struct aff_put_orders_report {
    uint32_t created, changed, unchanged, deleted, repeated, colliding;
    uint32_t products_new, customers_new, products_priced;
    uint32_t returned; /* orders beside those of the batch whose `returned` changed */
};

/* Writes the orders and says of each what became of it. The caller's transaction has to be READ COMMITTED
 * (AFF_INVALID otherwise); nothing is kept unless it commits. After a failure it can only be rolled back;
 * `outcome` then means nothing. AFF_LIMIT: more than the limits above. AFF_BACKEND with SQLSTATE 40P01 or
 * 40001, or a lost connection: may be repeated as a whole. */
AFF_MUST_CHECK aff_status aff_orders_put(struct aff_connection *connection, int store,
                                         struct aff_put_order *orders, size_t n_orders,
                                         struct aff_put_orders_report *ret, struct aff_error *reterr);
