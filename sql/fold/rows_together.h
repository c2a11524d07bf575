/* SPDX-License-Identifier: Apache-2.0 */
/* Pair counts of one store in the leader's memory (core/learn/live_pairs.h), and neighbour rows of the
 * relation `together` made from them. */
#pragma once

#include "core/base/status.h"
#include "core/learn/delta.h"
#include "core/learn/rows.h"
#include "sql/fold/rows_write.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_together;

/* Reads product_stat, product_month, pair_together, pair_review and the residuals of the store in one
 * snapshot. AFF_LIMIT: they would take more than `limit_bytes`. AFF_DATA: pairs of products that are not
 * counted. Not inside a transaction.
 */
AFF_MUST_CHECK aff_status aff_together_load(struct aff_connection *connection, int store,
                                            const struct aff_rows_settings *settings, uint64_t limit_bytes,
                                            struct aff_together **ret_together, struct aff_error *reterr);
void aff_together_free(struct aff_together *together); /* NULL is a no-op */

uint64_t aff_together_bytes(const struct aff_together *together); /* 0 for NULL */

/* Reads what people decided about pairs anew; rows made from here on follow it. */
AFF_MUST_CHECK aff_status aff_together_review(struct aff_together *together,
                                              struct aff_connection *connection, struct aff_error *reterr);

/* Adds what a committed fold has added to the tables. After a failure the memory can only be freed. */
AFF_MUST_CHECK aff_status aff_together_add(struct aff_together *together, const struct aff_delta *delta);

/* Makes and writes the rows of the products, in one transaction. *ret_mine as in aff_rows_write_begin(). */
AFF_MUST_CHECK aff_status aff_together_rows(struct aff_together *together, struct aff_rows_write *write,
                                            const int32_t *products, uint32_t n, bool *ret_mine,
                                            struct aff_error *reterr);
