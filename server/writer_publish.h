/* SPDX-License-Identifier: Apache-2.0 */
/* Shows written products in the index of this instance. */
#pragma once

#include "server/stores.h"
#include "sql/intake/put_catalogue.h"

#include <stdbool.h>

/* Puts the first `n` products of the result into the store's model; the caller holds store->publish. False:
 * there is no model, or no room in it, and the loader is asked to load the store anew. */
bool aff_writer_publish(struct aff_store *store, const struct aff_put_result *result, size_t n);
