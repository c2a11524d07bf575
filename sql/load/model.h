/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one store's catalogue, customers, counts and neighbour rows into a model, in one read-only snapshot.
 */
#pragma once

#include "core/base/status.h"
#include "core/index/model.h"
#include "sql/connection.h"

#include <stdint.h>

/* Number and currency of a store. AFF_NOTFOUND names the store in the text. */
AFF_MUST_CHECK aff_status aff_store_find(struct aff_connection *connection, const char *name, int *ret_store,
                                         char ret_currency[4], struct aff_error *reterr);

/* affinity.state.published of a store, 0 if it was never learned: cheap, for polling. */
AFF_MUST_CHECK aff_status aff_store_published(struct aff_connection *connection, int store,
                                              uint64_t *ret_version, struct aff_error *reterr);

/* What a load may take. */
struct aff_load_bounds {
    uint64_t limit_bytes; /* for all of the model; 0: no limit */
    struct aff_traces_bounds traces;
};

/* Loads the store `name`. The bytes that catalogue, customers and neighbours will take are estimated first
 * from the tables' own counts; AFF_LIMIT and nothing loaded if they exceed the limit. Sessions and baskets
 * get what is left (aff_load_traces). A store that was never learned loads with its catalogue and empty
 * neighbour rows. Rows that break their contract (arrays of different length, unknown keys) give AFF_DATA
 * with table and key in the text. */
AFF_MUST_CHECK aff_status aff_model_load(struct aff_connection *connection, const char *name,
                                         const struct aff_load_bounds *bounds, struct aff_model **ret_model,
                                         struct aff_error *reterr);
