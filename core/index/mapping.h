/* SPDX-License-Identifier: Apache-2.0 */
/* A file mapped into memory, of which parts of a model are; for core/index/ only. */
#pragma once

#include "core/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct aff_mapping {
    char *at; /* read-only; not `const` because the model's parts hold pointers that may be freed */
    size_t size;
    size_t other_bytes; /* of it that no part of the model counts */
};

/* Maps all of an open file, which can be closed afterwards. AFF_IO with a text, AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_mapping_new(int fd, const char *path, size_t size,
                                          struct aff_mapping **ret_mapping, struct aff_error *reterr);
void aff_mapping_free(struct aff_mapping *mapping); /* NULL is a no-op */

/* Reads a piece of the file into memory. AFF_IO: it cannot be read, which would otherwise end the process at
 * the first look. */
AFF_MUST_CHECK aff_status aff_mapping_load(const struct aff_mapping *mapping, uint64_t at, uint64_t size);
