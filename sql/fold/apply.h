/* SPDX-License-Identifier: Apache-2.0 */
/* Adds what changed to the tables of counts, inside the fold's transaction. */
#pragma once

#include "core/base/status.h"
#include "core/learn/delta.h"
#include "sql/connection.h"
#include "sql/fold/columns.h"
#include "sql/fold/costs.h"
#include "sql/fold/recount.h"

/* product_stat, pair_together, next_stat and pair_next. Rows that count nothing any more are removed.
 * AFF_DATA: more would be taken back than was counted, so that the tables are not what they should be;
 * nothing may be committed. */
AFF_MUST_CHECK aff_status aff_apply_delta(struct aff_connection *connection, int store,
                                          const struct aff_delta *delta, const struct aff_costs *costs,
                                          struct aff_error *reterr);

/* Oldest and newest of the changed orders as they were and as they are; INT64_MIN without any. */
struct aff_changed_span {
    int64_t from_before_us, to_before_us, from_after_us, to_after_us;
};

/* The row of affinity.state with a new version, after the others. `state` is the row as it was read under
 * lock. */
AFF_MUST_CHECK aff_status aff_apply_totals(struct aff_connection *connection, int store,
                                           const struct aff_count_state *state, const struct aff_delta *delta,
                                           const struct aff_changed_span *span, int64_t *ret_version,
                                           struct aff_error *reterr);

/* affinity.touched, with the version of affinity.state as it is now. */
AFF_MUST_CHECK aff_status aff_apply_touched(struct aff_connection *connection, int store,
                                            const struct aff_delta *delta, struct aff_column *customers,
                                            struct aff_error *reterr);
