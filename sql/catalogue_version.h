/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

#include <stdint.h>

/* The newest version of a store's catalogue (affinity.catalogue_state) that this statement sees; 0: nothing
 * was ever changed. */
AFF_MUST_CHECK aff_status aff_catalogue_version(struct aff_connection *connection, int store,
                                                int64_t *ret_version, struct aff_error *reterr);
