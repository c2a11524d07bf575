/* SPDX-License-Identifier: Apache-2.0 */
/* From a whole request to its answer. */
#pragma once

#include "server/call.h"
#include "server/router.h"

/* What must be refused once the head is known, before a body is read. True: all right; false: the reply is
 * the refusal. */
bool aff_dispatch_admit(struct aff_call *call, const struct aff_match *match, bool has_body,
                        uint64_t body_bytes);

/* A JSON text a line. */
#define AFF_NDJSON "application/x-ndjson"
bool aff_dispatch_is_lines(const struct aff_call *call);

/* Bytes that the body of a request may have. */
size_t aff_dispatch_body_bytes(const struct aff_live *live, const struct aff_match *match);

/* Runs the handler of an admitted request, or answers OPTIONS. */
void aff_dispatch_run(struct aff_call *call, const struct aff_match *match);
