/* SPDX-License-Identifier: Apache-2.0 */
/* The newest sessions of a store as they stand in the database, by product key. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

#include <stdint.h>

/* Session s is products[starts[s]] .. products[starts[s + 1] - 1], oldest view first. Set to zero before
 * use; aff_read_sessions_done() frees it. */
struct aff_read_sessions {
    uint32_t n;
    uint32_t *starts; /* n + 1 */
    uint32_t *at_s;   /* seconds since 1970 */
    int32_t *products;
    uint32_t capacity, products_capacity;
};

/* Grows with each change of the sessions that was counted; 0 without any. */
AFF_MUST_CHECK aff_status aff_sessions_changes(struct aff_connection *connection, int store,
                                               int64_t *ret_changes, struct aff_error *reterr);

/* Reads the `most` newest sessions, newest first. AFF_LIMIT: they hold more than 2^32 - 2 views. */
AFF_MUST_CHECK aff_status aff_sessions_read(struct aff_connection *connection, int store, uint32_t most,
                                            struct aff_read_sessions *sessions, struct aff_error *reterr);

void aff_read_sessions_done(struct aff_read_sessions *sessions);
