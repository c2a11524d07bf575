/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/files.h"

#include "cli/import/read_catalogue.h"

#include <stdio.h>

/* How many records go by between two looks at the clock. */
enum { SHOW_EVERY = 1024 };

static void close_file(struct aff_files *files)
{
    if (files->input != NULL)
        files->bytes += aff_input_taken(files->input);
    if (files->csv_open)
        aff_csv_close(&files->csv);
    aff_input_close(files->input);
    aff_arena_done(&files->names);
    files->input = NULL;
    files->csv_open = false;
    files->header = NULL;
    files->n_header = 0;
}

static aff_status copy_header(struct aff_files *files, const struct aff_csv_record *record)
{
    files->header = aff_arena_take(&files->names, record->n_fields * sizeof files->header[0]);
    if (files->header == NULL)
        return AFF_NOMEM;
    for (size_t i = 0; i < record->n_fields; i++) {
        files->header[i] = aff_arena_copy(&files->names, record->fields[i]);
        if (files->header[i].at == NULL)
            return AFF_NOMEM;
    }
    files->n_header = record->n_fields;
    return AFF_OK;
}

/* Reads the header of the file that has just been opened. An empty file has no records and needs none. */
static aff_status read_header(struct aff_files *files, struct aff_error *reterr)
{
    struct aff_csv_record record = {0};
    bool more = false;
    aff_status status = aff_csv_read(&files->csv, &record, &more, reterr);

    if (status != AFF_OK)
        return status;
    if (!more)
        return aff_error_set(reterr, AFF_IO, "%s: the file is empty, not even a header is there",
                             files->path);
    if (record.fault != AFF_CSV_FINE)
        return aff_error_set(reterr, AFF_IO, "%s: the header cannot be read: %s", files->path,
                             aff_reject_text((enum aff_reject)record.fault));
    if (copy_header(files, &record) != AFF_OK)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    files->csv.n_columns = record.n_fields;
    status =
        aff_columns_find(&files->columns, files->what, files->rules, files->header, files->n_header, reterr);
    return status == AFF_OK ? AFF_OK : aff_error_prefix(reterr, status, "%s", files->path);
}

static aff_status open_file(struct aff_files *files, const char *path, struct aff_error *reterr)
{
    aff_status status = aff_input_open(path, &files->input, reterr);

    files->path = strcmp(path, "-") == 0 ? "standard input" : path;
    if (status == AFF_OK)
        status = aff_csv_open(&files->csv, aff_input_read, files->input, files->rules->separator, reterr);
    files->csv_open = status == AFF_OK;
    if (status == AFF_OK)
        status = read_header(files, reterr);
    return status;
}

aff_status aff_files_check(struct aff_files *files, struct aff_error *reterr)
{
    unsigned first_columns = 0;
    bool first = true, all_known = true;
    aff_status status = AFF_OK;

    for (int i = 0; i < files->n_paths && status == AFF_OK; i++) {
        bool regular = false;
        status = aff_input_is_regular(files->paths[i], &regular, reterr);
        if (status != AFF_OK || !regular) {
            all_known = false;
            continue;
        }
        files->total += aff_input_size(files->paths[i]);
        status = open_file(files, files->paths[i], reterr);
        close_file(files);
        if (status != AFF_OK || files->what == AFF_IMPORT_ORDERS || files->what == AFF_IMPORT_SESSIONS)
            continue;
        unsigned columns = aff_catalogue_columns(files->what, &files->columns);
        if (!first && columns != first_columns)
            status =
                aff_error_set(reterr, AFF_IO,
                              "%s has other columns than %s; import files with different columns one by one",
                              files->paths[i], files->paths[0]);
        first_columns = columns;
        first = false;
    }
    files->bytes = 0;
    files->total = all_known ? files->total : 0;
    return status;
}

aff_status aff_files_next(struct aff_files *files, struct aff_csv_record *ret, bool *ret_more,
                          struct aff_error *reterr)
{
    for (;;) {
        bool more = false;
        if (files->input == NULL) {
            if (files->next == files->n_paths) {
                *ret_more = false;
                return AFF_OK;
            }
            aff_status status = open_file(files, files->paths[files->next++], reterr);
            if (status != AFF_OK)
                return status;
        }
        aff_status status = aff_csv_read(&files->csv, ret, &more, reterr);
        if (status != AFF_OK)
            return status;
        if (!more) {
            close_file(files);
            continue;
        }
        if (++files->records % SHOW_EVERY == 0)
            aff_progress_show_part(files->progress, files->records,
                                   files->bytes + aff_input_taken(files->input), files->total);
        if (ret->fault == AFF_CSV_FINE) {
            *ret_more = true;
            return AFF_OK;
        }
        /* The faults of the reader are the first reasons of the list. */
        status = aff_files_reject(files, ret, (int)ret->column - 1, (enum aff_reject)ret->fault, reterr);
        if (status != AFF_OK)
            return status;
    }
}

aff_status aff_files_reject(struct aff_files *files, const struct aff_csv_record *record, int column,
                            enum aff_reject reason, struct aff_error *reterr)
{
    char number[16];
    struct aff_text name = {"", 0};

    if (column >= 0 && (size_t)column < files->n_header) {
        name = files->header[column];
    } else if (column >= 0) {
        (void)snprintf(number, sizeof number, "%d", column + 1);
        name = aff_text_of(number);
    }
    return aff_rejects_add(files->rejects, files->path, record->line, name, reason, record->raw, reterr);
}

void aff_files_close(struct aff_files *files)
{
    close_file(files);
}
