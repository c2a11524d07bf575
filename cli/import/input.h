/* SPDX-License-Identifier: Apache-2.0 */
/* A file, or standard input, read as plain bytes: gzip and zstd are recognised by their first bytes and
 * unpacked, several packed pieces one after the other, too. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aff_input; /* used by one thread at a time */

/* Opens `path`; "-" is standard input. */
AFF_MUST_CHECK aff_status aff_input_open(const char *path, struct aff_input **ret_input,
                                         struct aff_error *reterr);

/* Puts up to `size` bytes into `into`; *ret_size 0: the end. `input` is a struct aff_input (the type fits
 * aff_csv_source). A packed file that is cut off or damaged is an error that names the file. */
AFF_MUST_CHECK aff_status aff_input_read(void *input, char *into, size_t size, size_t *ret_size,
                                         struct aff_error *reterr);

/* Bytes of the file taken so far, packed as they are. */
uint64_t aff_input_taken(const struct aff_input *input);

void aff_input_close(struct aff_input *input);

/* False for standard input, pipes and the like, which can be read only once. AFF_IO: there is no such file.
 */
AFF_MUST_CHECK aff_status aff_input_is_regular(const char *path, bool *ret_regular, struct aff_error *reterr);

/* Size of a regular file in bytes; 0 for everything else (its size is not known before its end). */
uint64_t aff_input_size(const char *path);

/* Mixes the content of a regular file into *hash. */
AFF_MUST_CHECK aff_status aff_input_hash(const char *path, uint64_t *hash, struct aff_error *reterr);
