/* SPDX-License-Identifier: Apache-2.0 */
/* What a snapshot's bytes are written through: collects blocks, sums them up and writes them; for core/index/
 * only. After a failure it can only be freed. */
#pragma once

#include "core/index/snapshot_format.h"

struct aff_snapshot_sink {
    int fd;
    const char *path;
    uint64_t at; /* place in the file of the buffer's first byte */
    char *buffer;
    size_t used, capacity;
    struct aff_checksum *sums; /* of the blocks that are written */
    size_t n_sums, sum_capacity;
};

/* Begins behind the head. `path` is for texts and stays the caller's. Set to zero before. */
AFF_MUST_CHECK aff_status aff_snapshot_sink_begin(struct aff_snapshot_sink *sink, int fd, const char *path,
                                                  struct aff_error *reterr);
void aff_snapshot_sink_done(struct aff_snapshot_sink *sink);

/* Where the next byte goes in the file. */
static inline uint64_t aff_snapshot_sink_place(const struct aff_snapshot_sink *sink)
{
    return sink->at + sink->used;
}

/* Takes room for `size` bytes, uninitialised; NULL: out of memory. Valid until the next call. */
char *aff_snapshot_sink_take(struct aff_snapshot_sink *sink, size_t size);

/* Fills up with zeros to the next aligned place. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_snapshot_sink_align(struct aff_snapshot_sink *sink);

/* Writes the whole blocks that have come together. */
AFF_MUST_CHECK aff_status aff_snapshot_sink_flush(struct aff_snapshot_sink *sink, struct aff_error *reterr);

/* Writes what is left, the checksums, and the head, of which it fills in what it knows; makes all of it
 * lasting. */
AFF_MUST_CHECK aff_status aff_snapshot_sink_finish(struct aff_snapshot_sink *sink,
                                                   struct aff_snapshot_head *head, struct aff_error *reterr);
