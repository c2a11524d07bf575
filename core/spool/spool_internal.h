/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a spool; for core/spool/ only. */
#pragma once

#include "core/spool/format.h"
#include "core/spool/spool.h"

#include <pthread.h>

/* A file. Records from `first` to the next segment's first belong to it. */
struct aff_segment {
    uint64_t first;
    uint64_t bytes; /* that are durable */
};

struct aff_spool {
    int directory; /* descriptors */
    int lock_file;
    uint64_t limit_bytes, segment_bytes;
    unsigned char id[AFF_SPOOL_ID];

    pthread_mutex_t lock;         /* of the next six */
    struct aff_segment *segments; /* oldest first; the last one is written */
    size_t n_segments, capacity;
    uint64_t durable; /* number of the last durable record */
    uint64_t freed;
    uint64_t lost;

    /* The writer's own. */
    int file;         /* the last segment; -1: to be begun */
    uint64_t next;    /* number of the next record */
    uint64_t at;      /* where it goes */
    uint64_t at_safe; /* end of what is durable in it */

    /* The reader's own. */
    unsigned char *bytes; /* of segment `reading` */
    size_t size, bytes_capacity, read_at;
    uint64_t reading; /* its first number; 0: none */
    uint64_t wanted;  /* number of the next record */
};

#define AFF_SEGMENT_NAME 32

void aff_segment_name(uint64_t first, char ret_name[AFF_SEGMENT_NAME]);

/* Reads a segment from its byte *size on up to byte `end` into *bytes, which grows. A shorter file is no
 * failure; *size is what there is then. */
AFF_MUST_CHECK aff_status aff_segment_load(const struct aff_spool *spool, uint64_t first, uint64_t end,
                                           unsigned char **bytes, size_t *size, size_t *capacity,
                                           struct aff_error *reterr);

/* Adds a segment at the end of the list. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_segment_add(struct aff_spool *spool, struct aff_segment segment);

/* Finds the segments of the directory, cuts the end of the newest and sets where writing and reading go on.
 */
AFF_MUST_CHECK aff_status aff_spool_recover(struct aff_spool *spool, struct aff_spool_found *ret_found,
                                            struct aff_error *reterr);

/* Removes segments whose records are all free, except the last one. Under the lock. */
void aff_spool_remove_freed(struct aff_spool *spool);
