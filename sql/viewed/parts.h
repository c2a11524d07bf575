/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of aff_viewed_step(), each one transaction; for sql/viewed/ only. */
#pragma once

#include "sql/viewed/step.h"

/* What became of a transaction's beginning. */
enum aff_viewed_fence {
    AFF_VIEWED_MINE,
    AFF_VIEWED_BUSY,      /* sessions are imported or counted anew; nothing was begun */
    AFF_VIEWED_OVERTAKEN, /* nothing was begun */
};

/* Begins a transaction that has the lock of sessions and the row of affinity.state, in this sequence. */
AFF_MUST_CHECK aff_status aff_viewed_begin(struct aff_connection *connection,
                                           const struct aff_viewed_work *work,
                                           enum aff_viewed_fence *ret_fence, struct aff_error *reterr);

/* Commits, or with a `status` that is no AFF_OK gives up, and returns the first failure. */
AFF_MUST_CHECK aff_status aff_viewed_end(struct aff_connection *connection, aff_status status,
                                         struct aff_error *reterr);

/* Takes some views up to work->until_us, and counts their sessions. *ret_n: how many sessions. */
AFF_MUST_CHECK aff_status aff_viewed_count(struct aff_connection *connection,
                                           const struct aff_viewed_work *work,
                                           enum aff_viewed_fence *ret_fence, uint32_t *ret_n,
                                           struct aff_error *reterr);

/* Takes some sessions back that are older than the window, and removes them. */
AFF_MUST_CHECK aff_status aff_viewed_expire(struct aff_connection *connection,
                                            const struct aff_viewed_work *work,
                                            enum aff_viewed_fence *ret_fence, uint32_t *ret_n,
                                            struct aff_error *reterr);

/* Makes some of the rows that are due. *ret_n: how many were; *ret_changed: of these were different. */
AFF_MUST_CHECK aff_status aff_viewed_rows(struct aff_connection *connection, struct aff_viewed_work *work,
                                          enum aff_viewed_fence *ret_fence, uint32_t *ret_n,
                                          uint32_t *ret_changed, struct aff_error *reterr);

/* Adds up the gathered changes and adds them to the tables, inside a transaction. */
AFF_MUST_CHECK aff_status aff_viewed_apply(struct aff_connection *connection, int store,
                                           struct aff_viewed *viewed, struct aff_error *reterr);

/* Copies a column of type integer[] without nulls. AFF_DATA: it is none, or longer than `most`. */
AFF_MUST_CHECK aff_status aff_viewed_products(const PGresult *result, int row, int column, int32_t *ret,
                                              uint32_t most, uint32_t *ret_n);
