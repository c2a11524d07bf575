/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of changed orders as a fold sees it: each order with what is counted for it and with what its
 * lines say now. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

#include <stdbool.h>
#include <stdint.h>

/* A line that counts. */
struct aff_change_line {
    int32_t product, units; /* units above 0 */
    int64_t unit_price;
    int64_t unit_cost; /* AFF_COST_UNKNOWN (core/intake/line.h) where the line does not say it */
    bool discounted;
};

/* What an order holds at one moment: `n` lines from `first` on. */
struct aff_change_content {
    int64_t customer; /* AFF_NO_CUSTOMER (core/learn/baskets.h) for a guest */
    int64_t at_us;
    uint32_t first, n; /* n 0: the order does not count */
};

struct aff_change {
    int64_t order_key;
    struct aff_change_content before, after;
};

struct aff_changes {
    struct aff_change *changes; /* by ascending order key, each once */
    uint32_t n, capacity;
    struct aff_change_line *lines;
    uint32_t n_lines, line_capacity;
};

/* Reads all changes of the store that are queued and not folded. Orders before `counted_from_us` count as
 * empty. In a transaction that is REPEATABLE READ. *changes is zero before; aff_changes_done() ends it, after
 * a failure, too. */
AFF_MUST_CHECK aff_status aff_changes_read(struct aff_connection *connection, int store,
                                           int64_t counted_from_us, struct aff_changes *changes,
                                           struct aff_error *reterr);

/* The same without what the lines say now. */
AFF_MUST_CHECK aff_status aff_changes_read_before(struct aff_connection *connection, int store,
                                                  int64_t counted_from_us, struct aff_changes *changes,
                                                  struct aff_error *reterr);
void aff_changes_done(struct aff_changes *changes);

/* Adds a change without content, to be filled by the caller, or a line; NULL or false: memory is out. Whoever
 * adds keeps the sequence of keys. */
struct aff_change *aff_changes_add(struct aff_changes *changes, int64_t order_key);
AFF_MUST_CHECK bool aff_changes_add_line(struct aff_changes *changes, const struct aff_change_line *line);

/* The change of an order, NULL if it is not among them. */
struct aff_change *aff_changes_find(const struct aff_changes *changes, int64_t order_key);
