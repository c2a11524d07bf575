/* SPDX-License-Identifier: Apache-2.0 */
/* How far a spool was shipped, and clearing events away that are too old. */
#pragma once

#include "sql/connection.h"

#include <stdint.h>

#define AFF_SPOOL_ID_BYTES 16

/* The number of the last record that was shipped; 0: none. */
AFF_MUST_CHECK aff_status aff_spool_mark_read(struct aff_connection *connection,
                                              const unsigned char id[AFF_SPOOL_ID_BYTES],
                                              uint64_t *ret_shipped, struct aff_error *reterr);

/* Sets it, in the transaction that is open. */
AFF_MUST_CHECK aff_status aff_spool_mark_write(struct aff_connection *connection,
                                               const unsigned char id[AFF_SPOOL_ID_BYTES], uint64_t shipped,
                                               struct aff_error *reterr);

/* Deletes some events that were stored more than `keep_days` ago, in a short statement; *ret_n is their
 * number. Several services may do so at one time. */
AFF_MUST_CHECK aff_status aff_events_purge(struct aff_connection *connection, int64_t keep_days,
                                           int64_t *ret_n, struct aff_error *reterr);
