/* SPDX-License-Identifier: Apache-2.0 */
/* Which stores the database holds, and how new their tables are: the poll of whoever follows them. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"
#include "sql/connection.h"

#include <stdint.h>

struct aff_store_seen {
    int store;
    char name[AFF_ID_MAX + 1];
    uint64_t published;          /* affinity.state; 0: never learned */
    uint64_t generation;         /* of affinity.state */
    uint64_t catalogue_version;  /* of affinity.catalogue_state */
    uint64_t fitted_version;     /* of affinity.fitting */
    double lag_s;                /* age of the oldest queued change of an order; 0: none waits */
    uint64_t queued;             /* changes that wait; counted up to 100,000 */
    char leader[AFF_ID_MAX + 1]; /* who folds, for people; empty: nobody */
};

/* Calls `visit` for each store in the order of its number. One statement, whatever the number of stores.
 * `visit` must not use the connection. */
AFF_MUST_CHECK aff_status aff_stores_list(struct aff_connection *connection,
                                          void (*visit)(void *context, const struct aff_store_seen *seen),
                                          void *context, struct aff_error *reterr);
