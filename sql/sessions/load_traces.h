/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what a model keeps of single sessions and baskets (core/sequence/traces.h). */
#pragma once

#include "core/index/model.h"
#include "sql/connection.h"

/* The usual bounds of memory and time: the newest sessions, of each product the newest of these, and about so
 * many of the newest order lines. About 100 MB at these bounds. */
enum {
    AFF_TRACES_SESSIONS = 1000000,
    AFF_TRACES_HOLDERS = 500,
    AFF_TRACES_LINES = 1000000,
};

/* Reads the newest sessions of viewed products as rows of `catalogue`; *ret_sessions NULL if there are none.
 */
AFF_MUST_CHECK aff_status aff_load_sessions(struct aff_connection *connection, int store,
                                            const struct aff_catalogue *catalogue,
                                            struct aff_sequences **ret_sessions, struct aff_error *reterr);

/* Fills model->traces; `catalogue` and `totals` of the model are there. Inside the transaction that reads the
 * rest of the model. They take at most `bytes`: where that does not do, older sessions are left out first,
 * and then what baskets say (sessions_left_out, baskets_left_out of the traces). */
AFF_MUST_CHECK aff_status aff_load_traces(struct aff_connection *connection, int store,
                                          const struct aff_traces_bounds *bounds, uint64_t bytes,
                                          struct aff_model *model, struct aff_error *reterr);
