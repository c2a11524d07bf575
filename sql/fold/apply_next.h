/* SPDX-License-Identifier: Apache-2.0 */
/* The part of aff_apply_delta() that needs the rows as they are: histograms can be added up only here. */
#pragma once

#include "core/base/status.h"
#include "core/learn/delta.h"
#include "sql/connection.h"

AFF_MUST_CHECK aff_status aff_apply_next(struct aff_connection *connection, int store,
                                         const struct aff_delta *delta, struct aff_error *reterr);

/* AFF_DATA if a row of the result counts below 0 in its first column. */
AFF_MUST_CHECK aff_status aff_apply_negative(const char *table, const PGresult *result,
                                             struct aff_error *reterr);
