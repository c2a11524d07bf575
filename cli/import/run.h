/* SPDX-License-Identifier: Apache-2.0 */
/* The ways of the four kinds of import from files to tables. */
#pragma once

#include "cli/import/files.h"
#include "cli/import/options.h"
#include "core/base/status.h"
#include "sql/connection.h"

/* What an import works on; all borrowed. */
struct aff_import {
    const struct aff_import_options *options;
    struct aff_files *files;
    struct aff_connection *connection; /* NULL: only check */
    int store;
    char currency[4];
    bool resumable;
    uint64_t job;
    struct aff_progress *progress;
};

/* All print what they did to standard output. */
AFF_MUST_CHECK aff_status aff_import_orders(struct aff_import *import, struct aff_error *reterr);
AFF_MUST_CHECK aff_status aff_import_catalogue(struct aff_import *import, struct aff_error *reterr);
AFF_MUST_CHECK aff_status aff_import_sessions(struct aff_import *import, struct aff_error *reterr);

/* "1,234,567" for people. */
#define AFF_COUNT_TEXT 32
const char *aff_count_text(int64_t value, char ret_text[AFF_COUNT_TEXT]);

/* Prints "  1,234 text" when the count is not 0. */
void aff_count_print(int64_t value, const char *text);
