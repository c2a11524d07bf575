/* SPDX-License-Identifier: Apache-2.0 */
/* A queue of records on disk that survives the end of the process and of the machine: appended and synced by
 * one thread, read and given free by another. Records have numbers, 1, 2, 3, ..., which never come again, so
 * that whoever takes them out can remember how far it was. The bytes are in core/spool/format.h.
 *
 * What was synced is there after a restart. What was appended and not synced may be there or not, but never
 * in part: the end of the newest segment is cut to its last whole record. A record whose bytes have changed
 * is left out and counted as lost, never given out wrong. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aff_spool;

struct aff_spool_plan {
    const char *directory;  /* made if it is not there; its parent must be */
    uint64_t limit_bytes;   /* of all segments */
    uint64_t segment_bytes; /* a segment that has reached this is followed by another */
};

/* What opening found. */
struct aff_spool_found {
    uint64_t records;   /* that wait to be taken out, or have been and were not given free */
    uint64_t cut_bytes; /* of a torn end */
};

/* Opens the spool of a directory and holds it until it is closed. AFF_BUSY: another process holds it. AFF_IO.
 */
AFF_MUST_CHECK aff_status aff_spool_open(const struct aff_spool_plan *plan, struct aff_spool **ret_spool,
                                         struct aff_spool_found *ret_found, struct aff_error *reterr);
void aff_spool_close(struct aff_spool *spool); /* NULL is a no-op */

/* Chosen at random when the spool was made: names it wherever its numbers are remembered. */
const unsigned char *aff_spool_id(const struct aff_spool *spool);

/* ---- the thread that writes ---- */

/* Appends a record, which is not durable before the next sync. AFF_LIMIT: the spool is full. AFF_IO: it could
 * not be written; all that was appended since the last sync is thrown away. */
AFF_MUST_CHECK aff_status aff_spool_append(struct aff_spool *spool, const void *content, size_t size,
                                           struct aff_error *reterr);

/* Makes all that was appended durable and lets the reader see it. AFF_IO: it is thrown away. */
AFF_MUST_CHECK aff_status aff_spool_sync(struct aff_spool *spool, struct aff_error *reterr);

/* ---- the thread that reads ---- */

struct aff_spool_record {
    uint64_t number;
    const unsigned char *content; /* until the next call for a record */
    size_t size;
};

/* The next record that is durable, in their order. AFF_NOTFOUND: there is none now. AFF_IO, AFF_NOMEM: it can
 * be tried again. */
AFF_MUST_CHECK aff_status aff_spool_next(struct aff_spool *spool, struct aff_spool_record *ret_record,
                                         struct aff_error *reterr);

/* Goes back behind record `number` (0: to the beginning); only over records that were not given free. */
void aff_spool_rewind(struct aff_spool *spool, uint64_t number);

/* Gives free all up to `number`: segments without another record are removed. */
void aff_spool_free(struct aff_spool *spool, uint64_t number);

/* ---- any thread ---- */

struct aff_spool_view {
    uint64_t bytes;        /* of all segments */
    uint64_t durable;      /* number of the last durable record */
    uint64_t waiting;      /* durable records that were not given free */
    uint64_t lost_records; /* to damage, as far as the reader has come */
};

void aff_spool_read_view(struct aff_spool *spool, struct aff_spool_view *ret_view);
