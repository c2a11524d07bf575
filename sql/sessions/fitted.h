/* SPDX-License-Identifier: Apache-2.0 */
/* Fitted weights in affinity.fitted: each fit is a row with its evidence, the newest adopted one of a
 * situation holds. */
#pragma once

#include "core/recommend/weights.h"
#include "sql/connection.h"

/* Reads the weights that hold. AFF_DATA: a row names no source, or a weight is not from 0 to 1000. */
AFF_MUST_CHECK aff_status aff_fitted_read(struct aff_connection *connection, int store,
                                          struct aff_fitted *ret, struct aff_error *reterr);

/* Adds a fit; `evidence` is a JSON object. */
AFF_MUST_CHECK aff_status aff_fitted_add(struct aff_connection *connection, int store,
                                         enum aff_situation situation, const struct aff_weights *weights,
                                         const char *evidence, bool adopted, struct aff_error *reterr);

/* From now on no fit of the store holds; the rows stay. *ret_n fits were adopted before. */
AFF_MUST_CHECK aff_status aff_fitted_reset(struct aff_connection *connection, int store, int64_t *ret_n,
                                           struct aff_error *reterr);
