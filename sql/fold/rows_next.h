/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour rows of the relation `next`, made from its tables when they have changed. */
#pragma once

#include "core/base/status.h"
#include "core/learn/next.h"
#include "sql/fold/rows_write.h"

#include <stdbool.h>
#include <stdint.h>

/* Makes and writes the rows of the products (ascending), in one transaction. *ret_mine as in
 * aff_rows_write_begin(). */
AFF_MUST_CHECK aff_status aff_rows_next(struct aff_rows_write *write,
                                        const struct aff_next_row_settings *settings, const int32_t *products,
                                        uint32_t n, bool *ret_mine, struct aff_error *reterr);
