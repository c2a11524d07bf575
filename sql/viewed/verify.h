/* SPDX-License-Identifier: Apache-2.0 */
/* The part of aff_verify() that concerns sessions: the tables of counts against what was counted for each
 * session. */
#pragma once

#include "sql/fold/verify_parts.h"

/* Counts all sessions of the snapshot into verifying->viewed; before the others. */
AFF_MUST_CHECK aff_status aff_verify_sessions_count(struct aff_verifying *verifying);

/* Each compares one table; the comparison is then read by the caller. */
AFF_MUST_CHECK aff_status aff_verify_viewed_stats(struct aff_verifying *verifying);
AFF_MUST_CHECK aff_status aff_verify_viewed_pairs(struct aff_verifying *verifying);
AFF_MUST_CHECK aff_status aff_verify_viewed_sessions(struct aff_verifying *verifying);
