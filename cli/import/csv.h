/* SPDX-License-Identifier: Apache-2.0 */
/* A streaming reader of CSV (RFC 4180): quoted fields with separators, line ends and doubled quotes in them,
 * CRLF or LF, a byte order mark. A quote inside a field that does not begin with one is an ordinary
 * character, and blank lines are skipped.
 *
 * It is our own because an import must survive its input: a malformed record is reported alone, with line and
 * column, and reading goes on at the next line of the file (so a stray quote costs one line, not all up to
 * the next quote), and a record never takes more than AFF_CSV_RECORD_MAX bytes. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define AFF_CSV_RECORD_MAX 65536
#define AFF_CSV_COLUMNS_MAX 1024

/* What can be wrong with a record, and its text for people. */
#define AFF_CSV_FAULT_LIST(X)                                                                                \
    X(QUOTE_OPEN, "a quoted field is not closed")                                                            \
    X(QUOTE_TEXT, "text after the closing quote of a field")                                                 \
    X(TOO_LONG, "the record is longer than 65536 bytes")                                                     \
    X(TOO_FEW, "too few columns")                                                                            \
    X(TOO_MANY, "too many columns")                                                                          \
    X(NUL, "a NUL byte")                                                                                     \
    X(NOT_UTF8, "not UTF-8")

enum aff_csv_fault {
    AFF_CSV_FINE,
#define X(name, text) AFF_CSV_##name,
    AFF_CSV_FAULT_LIST(X)
#undef X
};

/* Everything is borrowed from the reader until its next call. */
struct aff_csv_record {
    const struct aff_text *fields; /* unquoted; only when fault is AFF_CSV_FINE */
    size_t n_fields;
    uint64_t line; /* of the file, where the record begins; from 1 */
    enum aff_csv_fault fault;
    size_t column;       /* from 1: where the fault was seen */
    struct aff_text raw; /* as in the file, without the line end; what a fault costs */
};

/* Puts up to `size` bytes into `into`; *ret_size 0 means the end. */
typedef aff_status aff_csv_source(void *context, char *into, size_t size, size_t *ret_size,
                                  struct aff_error *reterr);

struct aff_csv_reader {
    aff_csv_source *source;
    void *context;
    char separator;
    size_t n_columns; /* that a record must have; 0: any number. The caller sets it after the header */
    char *buffer, *unquoted;
    struct aff_text *fields;
    size_t begin, end; /* what is in the buffer and not yet read */
    uint64_t line;     /* of buffer[begin] */
    bool started, source_ended;
};

/* `separator` '\0': the most frequent of , ; and tab in the first line. */
AFF_MUST_CHECK aff_status aff_csv_open(struct aff_csv_reader *reader, aff_csv_source *source, void *context,
                                       char separator, struct aff_error *reterr);

/* The next record, well-formed or not; *ret_more false: there are no more. Fails only when the source does.
 */
AFF_MUST_CHECK aff_status aff_csv_read(struct aff_csv_reader *reader, struct aff_csv_record *ret,
                                       bool *ret_more, struct aff_error *reterr);

void aff_csv_close(struct aff_csv_reader *reader);
