/* SPDX-License-Identifier: Apache-2.0 */
/* What a writer must know about a store. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

#include <stdint.h>

/* The store's number and the currency of its money. AFF_NOTFOUND: there is no store of that name. */
AFF_MUST_CHECK aff_status aff_store_find(struct aff_connection *connection, const char *name, int *ret_store,
                                         char ret_currency[4], struct aff_error *reterr);

/* The newest version of its catalogue (affinity.catalogue_state); 0: nothing was ever changed. */
AFF_MUST_CHECK aff_status aff_store_catalogue_version(struct aff_connection *connection, int store,
                                                      int64_t *ret_version, struct aff_error *reterr);
