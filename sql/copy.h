/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL's binary COPY format, in and out (PostgreSQL 15 manual, "COPY", section "Binary Format").
 *
 * Writing: begin, then for each row aff_copy_row() and one put call a column, then finish. Rows are gathered
 * in a buffer and sent when it is full. Once a call fails, the ones after it do nothing and finish reports
 * the failure. Reading: begin, then aff_copy_read() until it says there are no more rows; columns are read in
 * order by the get calls, which never read past the row. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"
#include "sql/connection.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_copy_writer {
    struct aff_connection *connection; /* borrowed */
    char *buffer;
    size_t used, capacity;
    aff_status status;
    uint64_t rows;
};

/* Starts "COPY table (columns) FROM STDIN (FORMAT binary)"; `statement` is that text. */
AFF_MUST_CHECK aff_status aff_copy_write_begin(struct aff_copy_writer *writer,
                                               struct aff_connection *connection, const char *statement,
                                               struct aff_error *reterr);
void aff_copy_row(struct aff_copy_writer *writer, int n_columns);
void aff_copy_put_null(struct aff_copy_writer *writer);
void aff_copy_put_bool(struct aff_copy_writer *writer, bool value);
void aff_copy_put_int16(struct aff_copy_writer *writer, int16_t value);
void aff_copy_put_int32(struct aff_copy_writer *writer, int32_t value);
void aff_copy_put_int64(struct aff_copy_writer *writer, int64_t value);
void aff_copy_put_float(struct aff_copy_writer *writer, float value);
void aff_copy_put_time(struct aff_copy_writer *writer, int64_t at_us);                   /* timestamptz */
void aff_copy_put_bytes(struct aff_copy_writer *writer, const void *bytes, size_t size); /* text or bytea */
void aff_copy_put_int32s(struct aff_copy_writer *writer, const int32_t *values, size_t n);
void aff_copy_put_int64s(struct aff_copy_writer *writer, const int64_t *values, size_t n);
void aff_copy_put_floats(struct aff_copy_writer *writer, const float *values, size_t n);
void aff_copy_put_times(struct aff_copy_writer *writer, const int64_t *at_us, size_t n);

/* Ends the COPY and frees the buffer, whatever came before. With `abandon`, or after a failed call, the
 * server is told to throw the rows away. Must be called once after a successful begin. */
AFF_MUST_CHECK aff_status aff_copy_write_finish(struct aff_copy_writer *writer, bool abandon,
                                                struct aff_error *reterr);

struct aff_copy_reader {
    struct aff_connection *connection; /* borrowed */
    char *row;                         /* libpq's memory of the current row */
    const unsigned char *at, *end;
    bool header_done;
};

/* Starts "COPY (SELECT ...) TO STDOUT (FORMAT binary)"; `statement` is that text, made of constants and
 * numbers. */
AFF_MUST_CHECK aff_status aff_copy_read_begin(struct aff_copy_reader *reader,
                                              struct aff_connection *connection, const char *statement,
                                              struct aff_error *reterr);

/* Moves to the next row; *ret_more false: there are no more and the COPY has ended well. */
AFF_MUST_CHECK aff_status aff_copy_read(struct aff_copy_reader *reader, bool *ret_more,
                                        struct aff_error *reterr);

/* The next column. A null (or a column that is not there or has another width) gives the `if_null` value;
 * texts and arrays give size 0. Pointers are valid until the next aff_copy_read(). */
int16_t aff_copy_get_int16(struct aff_copy_reader *reader, int16_t if_null);
int32_t aff_copy_get_int32(struct aff_copy_reader *reader, int32_t if_null);
int64_t aff_copy_get_int64(struct aff_copy_reader *reader, int64_t if_null);
bool aff_copy_get_bool(struct aff_copy_reader *reader);
int64_t aff_copy_get_time(struct aff_copy_reader *reader, int64_t if_null);
struct aff_text aff_copy_get_text(struct aff_copy_reader *reader);

/* The next column as a one-dimensional array without nulls. *ret_n elements follow in network byte order,
 * each after its length word; read them with aff_copy_element_*(). A column that is no such array gives n =
 * 0. */
struct aff_copy_array {
    const unsigned char *at;
    size_t n;
};
struct aff_copy_array aff_copy_get_array(struct aff_copy_reader *reader, size_t element_size);
int32_t aff_copy_element_int32(struct aff_copy_array array, size_t index);
int64_t aff_copy_element_int64(struct aff_copy_array array, size_t index);
float aff_copy_element_float(struct aff_copy_array array, size_t index);
int64_t aff_copy_element_time(struct aff_copy_array array, size_t index);

/* The next column as a one-dimensional text[] without nulls; `left` is the number of texts in it. A column
 * that is no such array, or whose lengths do not add up, gives an empty one. */
struct aff_copy_texts {
    const unsigned char *at;
    size_t left;
};
struct aff_copy_texts aff_copy_get_texts(struct aff_copy_reader *reader);

/* The next text; `left` must not be 0. Valid until the next aff_copy_read(). */
struct aff_text aff_copy_texts_next(struct aff_copy_texts *texts);

/* Stops reading early or after a failure: cancels the COPY if it still runs and leaves the connection usable.
 * Safe after the end and when begin failed. */
void aff_copy_read_close(struct aff_copy_reader *reader);
