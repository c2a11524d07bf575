/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a file or of standard input, plain or gzip, one after the other. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer lines are reported as such and skipped. */
#define AFF_LINE_MAX (1 << 20)

/* Set to zero before open. */
struct aff_lines {
    void *file; /* zlib's gzFile */
    const char *path;
    char *buffer; /* AFF_LINE_MAX + 1 bytes */
    size_t start, end;
    bool at_end;
    uint64_t number; /* of the line read last, from 1 */
};

/* Opens `path`, "-" for standard input. AFF_IO: the text names the file and why. */
AFF_MUST_CHECK aff_status aff_lines_open(struct aff_lines *lines, const char *path, struct aff_error *reterr);

/* The next line without its line break; *ret_more false: there is none. Valid until the next call. AFF_LIMIT:
 * the line is too long and was skipped, reading can go on. AFF_IO: the file cannot be read further. */
AFF_MUST_CHECK aff_status aff_lines_next(struct aff_lines *lines, struct aff_text *ret_line, bool *ret_more,
                                         struct aff_error *reterr);

void aff_lines_done(struct aff_lines *lines);
