/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour rows that are replaced one by one while the service runs: transactions of the leader, fenced by
 * its epoch. */
#pragma once

#include "core/base/status.h"
#include "core/index/neighbours.h"
#include "sql/connection.h"
#include "sql/copy.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_rows_write {
    struct aff_connection *connection;
    int store;
    int64_t epoch, generation;
    uint32_t most;       /* neighbours of one row */
    bool only_different; /* rows that are as they should be stay, so that a renewal writes little */
    uint32_t changed;    /* rows written or removed so far, with `only_different` */

    enum aff_relation relation; /* of the transaction that is open */
    const int32_t *products;
    uint32_t n_products;
    struct aff_copy_writer writer;
    int32_t *others, *orders, *discounted;
    float *scores, *gap_days, *season_expected, *season_z;
    int64_t *weights, *revenues, *margins;
};

/* Memory for rows of at most `most` neighbours; aff_rows_write_done() frees it. */
AFF_MUST_CHECK aff_status aff_rows_write_init(struct aff_rows_write *write, struct aff_connection *connection,
                                              int store, uint32_t most);
void aff_rows_write_done(struct aff_rows_write *write);

/* Begins a transaction in which the rows of the products (borrowed until the end, ascending) are replaced.
 * *ret_mine false: the leader was overtaken, or the store rebuilt; nothing was begun. */
AFF_MUST_CHECK aff_status aff_rows_write_begin(struct aff_rows_write *write, enum aff_relation relation,
                                               const int32_t *products, uint32_t n, bool *ret_mine,
                                               struct aff_error *reterr);

/* Adds a row: its residual (core/learn/ridge.h; else 0) and `n` neighbours, best first. `keys` is the product
 * key of each, in the place of neighbours' rows.
 */
AFF_MUST_CHECK aff_status aff_rows_write_put(struct aff_rows_write *write, enum aff_relation relation,
                                             int32_t product, float residual, const int32_t *keys,
                                             const struct aff_neighbour *neighbours,
                                             const struct aff_pair_counts *counts, uint32_t n);

/* Commits, or with a `status` that is no AFF_OK gives up, and returns the first failure. */
AFF_MUST_CHECK aff_status aff_rows_write_end(struct aff_rows_write *write, aff_status status,
                                             struct aff_error *reterr);

/* Says that all rows of `version` are written: they may be loaded. *ret_mine as above. */
AFF_MUST_CHECK aff_status aff_rows_published(struct aff_connection *connection, int store, int64_t epoch,
                                             int64_t generation, int64_t version, bool *ret_mine,
                                             struct aff_error *reterr);
