/* SPDX-License-Identifier: Apache-2.0 */
/* The records of one or more files, one after the other, each file with its own header. Malformed records are
 * rejected on the way. */
#pragma once

#include "cli/import/columns.h"
#include "cli/import/csv.h"
#include "cli/import/input.h"
#include "cli/import/rejects.h"
#include "cli/import/rules.h"
#include "cli/progress.h"
#include "core/base/arena.h"

struct aff_files {
    /* Set by the caller, borrowed: */
    enum aff_import_what what;
    const struct aff_rules *rules;
    char *const *paths;
    int n_paths;
    struct aff_rejects *rejects;
    struct aff_progress *progress;

    /* Of the current file: */
    struct aff_columns columns;
    struct aff_text *header;
    size_t n_header;
    const char *path;

    uint64_t records; /* read, malformed ones included, headers not */
    uint64_t bytes;   /* taken from the files that are finished */
    uint64_t total;   /* of all files; 0: not known */
    int next;
    struct aff_input *input;
    struct aff_csv_reader csv;
    bool csv_open;
    struct aff_arena names;
};

/* Opens every file that can be read twice, and checks its header; the files of a catalogue must have the same
 * columns. Sets `total`. */
AFF_MUST_CHECK aff_status aff_files_check(struct aff_files *files, struct aff_error *reterr);

/* The next well-formed record; *ret_more false: there are no more. */
AFF_MUST_CHECK aff_status aff_files_next(struct aff_files *files, struct aff_csv_record *ret, bool *ret_more,
                                         struct aff_error *reterr);

/* Rejects the current record because of a column of the file, from 0; -1: none in particular. */
AFF_MUST_CHECK aff_status aff_files_reject(struct aff_files *files, const struct aff_csv_record *record,
                                           int column, enum aff_reject reason, struct aff_error *reterr);

void aff_files_close(struct aff_files *files);
