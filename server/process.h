/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says about this process, for /metrics. */
#pragma once

#include <stdint.h>

struct aff_process {
    double cpu_s;
    uint64_t resident_bytes, virtual_bytes, open_files, max_files, threads;
    double started_s; /* since 1970 */
};

/* What cannot be read is 0. */
void aff_process_read(struct aff_process *ret);
