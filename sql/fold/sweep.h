/* SPDX-License-Identifier: Apache-2.0 */
/* Renewing all neighbour rows in a cycle of small slices. A fold makes the rows of the products that it
 * touched; what else their counts enter (totals, the rows of their neighbours) moves little and is caught up
 * with here. After a cycle without folds and one more, the rows are those of a full build. */
#pragma once

#include "core/base/status.h"
#include "core/learn/rows.h"
#include "sql/connection.h"
#include "sql/fold/rows_together.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_sweep_settings {
    int store;
    int64_t epoch, generation;
    const struct aff_rows_settings *rows; /* borrowed */
    struct aff_together *together;        /* borrowed */
};

struct aff_sweep;

/* Begins a cycle with the first product. */
AFF_MUST_CHECK aff_status aff_sweep_new(struct aff_connection *connection,
                                        const struct aff_sweep_settings *settings,
                                        struct aff_sweep **ret_sweep, struct aff_error *reterr);
void aff_sweep_free(struct aff_sweep *sweep); /* NULL is a no-op */

/* Renews the rows of the next `n` products and publishes those that were different, *ret_changed rows.
 * *ret_done: the cycle is complete, or the leader was overtaken. */
AFF_MUST_CHECK aff_status aff_sweep_some(struct aff_sweep *sweep, uint32_t n, uint32_t *ret_changed,
                                         bool *ret_done, struct aff_error *reterr);
