/* SPDX-License-Identifier: Apache-2.0 */
/* Writing sessions of viewed products: views go into a temporary table and from there, in the same
 * transaction, into affinity.session. A session that is there already is replaced whole. Products that are
 * not known yet are created with their id only. Nothing has changed until apply commits.
 *
 * Used by one thread; the connection must not be used for anything else between open and close. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"
#include "sql/connection.h"
#include "sql/copy.h"

#include <stdbool.h>
#include <stdint.h>

/* Set to zero before open. */
struct aff_session_intake {
    struct aff_connection *connection;
    struct aff_copy_writer copy;
    int store;
    bool open, copying;
    int64_t views;
};

struct aff_session_report {
    int64_t sessions, products_new;
};

/* Begins the transaction. */
AFF_MUST_CHECK aff_status aff_session_intake_open(struct aff_session_intake *intake,
                                                  struct aff_connection *connection, int store,
                                                  struct aff_error *reterr);

/* Adds one view. Views of one session are ordered by time, those of equal times as they come. */
void aff_session_intake_put(struct aff_session_intake *intake, struct aff_text session,
                            struct aff_text product, int64_t at_us);

/* Writes the sessions and commits. */
AFF_MUST_CHECK aff_status aff_session_intake_apply(struct aff_session_intake *intake,
                                                   struct aff_session_report *ret, struct aff_error *reterr);

/* What was not applied is gone. Safe when open failed. */
void aff_session_intake_close(struct aff_session_intake *intake);
