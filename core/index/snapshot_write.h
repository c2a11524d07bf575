/* SPDX-License-Identifier: Apache-2.0 */
/* The content of a snapshot file; for core/index/ only. */
#pragma once

#include "core/index/snapshot_format.h"

/* Writes the model in the slot to an empty file and makes it lasting; see aff_snapshot_write. `path` is for
 * texts. */
AFF_MUST_CHECK aff_status aff_snapshot_write_content(const struct aff_slot *slot, int fd, const char *path,
                                                     const struct aff_watch *watch,
                                                     struct aff_snapshot_info *ret_info,
                                                     struct aff_error *reterr);
