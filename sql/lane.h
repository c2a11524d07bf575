/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that write into one table side by side, one for each thread of the learning. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"
#include "sql/copy.h"

#include <stdbool.h>

struct aff_lane {
    struct aff_connection connection;
    struct aff_copy_writer writer; /* valid while `writing` */
    bool writing;
};

/* Makes a session fit for bulk work: no statement timeout, no just-in-time compiling of statements that run
 * once, no parallel workers for index builds (lanes use the processors already), and the server notices
 * within seconds when the client died. */
AFF_MUST_CHECK aff_status aff_session_for_bulk(struct aff_connection *connection, struct aff_error *reterr);

/* Opens `n` lanes to `url`; on a failure none stays open. Their sessions have no statement timeout, do not
 * wait for the disk at commit (the swap's own commit does, and comes after them), and notice a client that
 * died. */
AFF_MUST_CHECK aff_status aff_lanes_open(const char *url, const char *application, int timeout_s, int n,
                                         struct aff_lane *ret_lanes, struct aff_error *reterr);
void aff_lanes_close(struct aff_lane *lanes, int n); /* lanes that are not open are skipped */

/* Starts writing all columns, or those named, of the table "affinity.TABLE_sSTORE_next" on each lane. */
AFF_MUST_CHECK aff_status aff_lanes_begin(struct aff_lane *lanes, int n, const char *table, int store,
                                          struct aff_error *reterr);

/* Ends writing on each lane that writes; with `abandon` the rows are thrown away. Returns the first failure.
 * `ret_rows` (may be NULL): rows written. */
AFF_MUST_CHECK aff_status aff_lanes_finish(struct aff_lane *lanes, int n, bool abandon, uint64_t *ret_rows,
                                           struct aff_error *reterr);
