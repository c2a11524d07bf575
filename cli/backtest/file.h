/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is there whole or not at all: written beside its place, then renamed. */
#pragma once

#include "core/base/status.h"

#include <stdio.h>

/* Set to zero before. */
struct aff_backtest_file {
    FILE *stream; /* NULL: nothing is written */
    const char *path;
    char *partial; /* path of what is being written */
};

/* Begins to write; `path` is borrowed, NULL: does nothing. AFF_IO: the text says why. */
AFF_MUST_CHECK aff_status aff_backtest_file_open(struct aff_backtest_file *file, const char *path,
                                                 struct aff_error *reterr);

/* Puts what was written into its place. AFF_IO. */
AFF_MUST_CHECK aff_status aff_backtest_file_finish(struct aff_backtest_file *file, struct aff_error *reterr);

/* Removes what was written and is not finished; a no-op after aff_backtest_file_finish(). */
void aff_backtest_file_abandon(struct aff_backtest_file *file);
