/* SPDX-License-Identifier: Apache-2.0 */
/* What handlers have in common: reading parameters and finding the store. Each returns false after it has
 * written the problem into call->reply. */
#pragma once

#include "server/call.h"

#include <stdbool.h>

/* Reads query string or body (with POST) into the context's parameters and checks them. */
bool aff_lookup_parameters(struct aff_call *call, unsigned allowed);

/* The same, but the query string whatever the method: where the body holds something else. */
bool aff_lookup_query(struct aff_call *call, unsigned allowed);

/* The store that the parameters name, or the configured one. */
bool aff_lookup_store(struct aff_call *call, struct aff_store **ret_store);

/* Answers 503: the store has no model yet. */
void aff_lookup_not_ready(struct aff_call *call);
