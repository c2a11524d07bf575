/* SPDX-License-Identifier: Apache-2.0 */
/* Many rows as parameters of one constant statement: each column is an array in PostgreSQL's binary form (the
 * server's array_recv(): dimensions, null flag, element type, then length and bytes of each element), so a
 * statement can say `FROM unnest($2::integer[], $3::bigint[])`. Results come back in binary form, too.
 *
 * Once memory is out, the calls after it do nothing and aff_query_columns() reports it. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum aff_column_type {
    AFF_COLUMN_INT16,
    AFF_COLUMN_INT32,
    AFF_COLUMN_INT64,
    AFF_COLUMN_TIME, /* timestamptz */
    AFF_COLUMN_BYTES,
};

/* Zero except for `type` before first use. */
struct aff_column {
    enum aff_column_type type;
    uint32_t n; /* elements */
    unsigned char *bytes;
    size_t used, capacity;
    bool failed, has_nulls;
};

void aff_column_add(struct aff_column *column, int64_t value); /* of a number or time (microseconds) */
void aff_column_add_null(struct aff_column *column);
void aff_column_add_bytes(struct aff_column *column, const void *bytes, size_t size);
void aff_columns_clear(struct aff_column *columns, size_t n); /* empties them, keeps their memory */
void aff_columns_done(struct aff_column *columns, size_t n);

enum { AFF_COLUMNS_MAX = 15 };

/* Runs a statement whose parameter $1 is `number` as bigint and $2 and following are the columns (at most
 * AFF_COLUMNS_MAX). `ret_result` may be NULL when no rows are wanted; else the caller clears it with
 * PQclear(). */
AFF_MUST_CHECK aff_status aff_query_columns(struct aff_connection *connection, const char *statement,
                                            int64_t number, struct aff_column *columns, size_t n_columns,
                                            PGresult **ret_result, struct aff_error *reterr);

/* A value of a binary result; `if_null` also where its width is another one. */
int64_t aff_result_whole(const PGresult *result, int row, int column, int64_t if_null); /* 1 to 8 bytes */
int64_t aff_result_time(const PGresult *result, int row, int column, int64_t if_null);
