/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is written once from beginning to end, plain or compressed. It appears under its name only when
 * it is whole. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum aff_compression { AFF_COMPRESS_NONE, AFF_COMPRESS_GZIP, AFF_COMPRESS_ZSTD, AFF_COMPRESSIONS };

/* What a file name ends with: "", ".gz" or ".zst". */
const char *aff_compression_suffix(enum aff_compression compression);

struct aff_output;

/* Begins DIRECTORY/NAME plus the suffix. */
AFF_MUST_CHECK aff_status aff_output_new(const char *directory, const char *name,
                                         enum aff_compression compression, struct aff_output **ret_output,
                                         struct aff_error *reterr);

/* At least `size` bytes (at most 64 KiB) to write into, until the next call. An error is kept until the end.
 */
char *aff_output_reserve(struct aff_output *output, size_t size);

/* Says that `size` of the reserved bytes are written. */
void aff_output_advance(struct aff_output *output, size_t size);

/* Bytes of any length. */
void aff_output_write(struct aff_output *output, const char *bytes, size_t size);

/* A field of a CSV record, quoted if it must be. */
void aff_output_field(struct aff_output *output, struct aff_text text);

/* True after an error: there is no use in going on. */
bool aff_output_failed(const struct aff_output *output);

/* Writes what is left; AFF_IO says what went wrong, now or earlier. The file has no name yet. */
AFF_MUST_CHECK aff_status aff_output_finish(struct aff_output *output, struct aff_error *reterr);

/* Gives the finished file its name, replacing what was there. */
AFF_MUST_CHECK aff_status aff_output_publish(struct aff_output *output, struct aff_error *reterr);

/* Frees; a file that was not published is removed. NULL is a no-op. */
void aff_output_free(struct aff_output *output);
