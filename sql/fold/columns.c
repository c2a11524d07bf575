/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/columns.h"

#include "core/base/clock.h"

#include <assert.h>
#include <endian.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/* PostgreSQL counts timestamps from 2000-01-01T00:00:00Z. */
#define POSTGRES_EPOCH_US (INT64_C(946684800) * AFF_SECOND_US)

enum { OID_BYTES = 17, OID_INT64 = 20, OID_INT16 = 21, OID_INT32 = 23, OID_TIME = 1184 };
enum { OID_ARRAY_BYTES = 1001, OID_ARRAY_INT64 = 1016, OID_ARRAY_INT16 = 1005, OID_ARRAY_INT32 = 1007 };
enum { OID_ARRAY_TIME = 1185, HEAD_BYTES = 20, FIRST_CAPACITY = 1024 };

static const struct {
    uint32_t element, array;
    size_t width; /* 0: varies */
} types[] = {
    [AFF_COLUMN_INT16] = {OID_INT16, OID_ARRAY_INT16, 2},
    [AFF_COLUMN_INT32] = {OID_INT32, OID_ARRAY_INT32, 4},
    [AFF_COLUMN_INT64] = {OID_INT64, OID_ARRAY_INT64, 8},
    [AFF_COLUMN_TIME] = {OID_TIME, OID_ARRAY_TIME, 8},
    [AFF_COLUMN_BYTES] = {OID_BYTES, OID_ARRAY_BYTES, 0},
};

static void store32(unsigned char *at, uint32_t value)
{
    uint32_t network = htobe32(value);
    memcpy(at, &network, sizeof network);
}

/* Room for `size` more bytes; the head of the array stays free for aff_query_columns(). */
static unsigned char *reserve(struct aff_column *column, size_t size)
{
    if (column->failed)
        return NULL;
    if (column->used == 0)
        column->used = HEAD_BYTES;
    if (column->used + size > column->capacity) {
        size_t capacity = column->capacity * 2 + size + FIRST_CAPACITY;
        unsigned char *bytes = realloc(column->bytes, capacity);
        if (bytes == NULL) {
            column->failed = true;
            return NULL;
        }
        column->bytes = bytes;
        column->capacity = capacity;
    }
    unsigned char *at = column->bytes + column->used;
    column->used += size;
    return at;
}

void aff_column_add(struct aff_column *column, int64_t value)
{
    size_t width = types[column->type].width;
    unsigned char *at = reserve(column, 4 + width);

    if (at == NULL)
        return;
    if (column->type == AFF_COLUMN_TIME)
        value -= POSTGRES_EPOCH_US;
    uint64_t network = htobe64((uint64_t)value);
    store32(at, (uint32_t)width);
    memcpy(at + 4, (const unsigned char *)&network + sizeof network - width, width);
    column->n++;
}

void aff_column_add_null(struct aff_column *column)
{
    unsigned char *at = reserve(column, 4);

    if (at == NULL)
        return;
    store32(at, UINT32_MAX);
    column->has_nulls = true;
    column->n++;
}

void aff_column_add_bytes(struct aff_column *column, const void *bytes, size_t size)
{
    unsigned char *at = reserve(column, 4 + size);

    if (at == NULL)
        return;
    store32(at, (uint32_t)size);
    if (size > 0)
        memcpy(at + 4, bytes, size);
    column->n++;
}

void aff_columns_clear(struct aff_column *columns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        columns[i].used = 0;
        columns[i].n = 0;
        columns[i].failed = columns[i].has_nulls = false;
    }
}

void aff_columns_done(struct aff_column *columns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(columns[i].bytes);
        columns[i] = (struct aff_column){.type = columns[i].type};
    }
}

/* Writes the head and returns the array's size; an empty array has no dimension. */
static int finish(struct aff_column *column)
{
    (void)reserve(column, 0);
    if (column->failed)
        return -1;
    store32(column->bytes, column->n == 0 ? 0 : 1);
    store32(column->bytes + 4, column->has_nulls ? 1 : 0);
    store32(column->bytes + 8, types[column->type].element);
    store32(column->bytes + 12, column->n);
    store32(column->bytes + 16, 1); /* lower bound */
    return column->n == 0 ? 12 : (int)column->used;
}

aff_status aff_query_columns(struct aff_connection *connection, const char *statement, int64_t number,
                             struct aff_column *columns, size_t n_columns, PGresult **ret_result,
                             struct aff_error *reterr)
{
    uint64_t network = htobe64((uint64_t)number);
    Oid oids[AFF_COLUMNS_MAX + 1] = {OID_INT64};
    const char *values[AFF_COLUMNS_MAX + 1] = {(const char *)&network};
    int sizes[AFF_COLUMNS_MAX + 1] = {sizeof network}, formats[AFF_COLUMNS_MAX + 1] = {1};

    assert(n_columns <= AFF_COLUMNS_MAX);
    for (size_t i = 0; i < n_columns; i++) {
        sizes[i + 1] = finish(&columns[i]);
        if (sizes[i + 1] < 0)
            return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
        oids[i + 1] = types[columns[i].type].array;
        values[i + 1] = (const char *)columns[i].bytes;
        formats[i + 1] = 1;
    }
    PGresult *result =
        PQexecParams(connection->pg, statement, (int)n_columns + 1, oids, values, sizes, formats, 1);
    ExecStatusType outcome = PQresultStatus(result);
    aff_status status = AFF_OK;
    if (outcome != PGRES_COMMAND_OK && outcome != PGRES_TUPLES_OK)
        status = aff_connection_error(connection, result, reterr);
    if (status != AFF_OK || ret_result == NULL)
        PQclear(result);
    else
        *ret_result = result;
    return status;
}

int64_t aff_result_whole(const PGresult *result, int row, int column, int64_t if_null)
{
    int width = PQgetlength(result, row, column);
    const unsigned char *bytes = (const unsigned char *)PQgetvalue(result, row, column);

    if (PQgetisnull(result, row, column) || width < 1 || width > 8)
        return if_null;
    /* The first byte carries the sign. */
    int64_t value = width == 1 ? bytes[0] : (int8_t)bytes[0];
    for (int i = 1; i < width; i++)
        value = (int64_t)((uint64_t)value << 8 | bytes[i]);
    return value;
}

int64_t aff_result_time(const PGresult *result, int row, int column, int64_t if_null)
{
    if (PQgetisnull(result, row, column))
        return if_null;
    return aff_result_whole(result, row, column, if_null) + POSTGRES_EPOCH_US;
}
