/* SPDX-License-Identifier: Apache-2.0 */
/* A file that nobody sees before it is whole; for core/index/ only. */
#pragma once

#include "core/base/status.h"

/* The file that becomes another one. One writer at a time has it; what a killed writer left is taken over. */
struct aff_snapshot_draft {
    char path[4096];
    int fd;
};

/* Opens `path`, empty, and locks it. AFF_BUSY: another writer has it. AFF_IO, AFF_LIMIT: the path is too
 * long.
 */
AFF_MUST_CHECK aff_status aff_snapshot_draft_open(const char *path, struct aff_snapshot_draft *ret_draft,
                                                  struct aff_error *reterr);

/* Gives the file its name, in the same directory, lastingly, and closes it. AFF_IO: it is gone. */
AFF_MUST_CHECK aff_status aff_snapshot_draft_publish(struct aff_snapshot_draft *draft, const char *path,
                                                     struct aff_error *reterr);

/* Removes and closes the file. */
void aff_snapshot_draft_drop(struct aff_snapshot_draft *draft);
