/* SPDX-License-Identifier: Apache-2.0 */
/* A file that the build put into the program (cmake/Embed.cmake). */
#pragma once

#include <stddef.h>

/* `text` is followed by a NUL byte that `size` does not count. Arrays of these end with a NULL name. */
struct aff_embedded {
    const char *name;
    const char *text;
    size_t size;
};

extern const struct aff_embedded aff_migrations[]; /* in aff_sql: sql/migrations, by number */
extern const struct aff_embedded aff_documents[];  /* in aff_server: openapi.yaml */
