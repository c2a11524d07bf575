/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/copy.h"

#include "core/base/clock.h"

#include <endian.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/* PostgreSQL counts timestamps from 2000-01-01T00:00:00Z. */
#define POSTGRES_EPOCH_US (INT64_C(946684800) * AFF_SECOND_US)

enum { FLUSH_AT = 256 * 1024, FIRST_CAPACITY = FLUSH_AT + 64 * 1024 };
enum { OID_INT8 = 20, OID_INT4 = 23, OID_FLOAT4 = 700, OID_TIMESTAMPTZ = 1184 };

static const char signature[11] = "PGCOPY\n\377\r\n"; /* ends with the array's own NUL */

/* ---- writing ---- */

static unsigned char *reserve(struct aff_copy_writer *writer, size_t size)
{
    if (writer->status != AFF_OK)
        return NULL;
    if (writer->capacity - writer->used < size) {
        size_t capacity = (writer->used + size) * 2;
        char *buffer = realloc(writer->buffer, capacity);
        if (buffer == NULL) {
            writer->status = AFF_NOMEM;
            return NULL;
        }
        writer->buffer = buffer;
        writer->capacity = capacity;
    }
    unsigned char *at = (unsigned char *)writer->buffer + writer->used;
    writer->used += size;
    return at;
}

static unsigned char *store16(unsigned char *at, uint16_t value)
{
    uint16_t network = htobe16(value);
    memcpy(at, &network, sizeof network);
    return at + sizeof network;
}

static unsigned char *store32(unsigned char *at, uint32_t value)
{
    uint32_t network = htobe32(value);
    memcpy(at, &network, sizeof network);
    return at + sizeof network;
}

static unsigned char *store64(unsigned char *at, uint64_t value)
{
    uint64_t network = htobe64(value);
    memcpy(at, &network, sizeof network);
    return at + sizeof network;
}

static void flush(struct aff_copy_writer *writer)
{
    if (writer->status == AFF_OK && writer->used > 0 &&
        PQputCopyData(writer->connection->pg, writer->buffer, (int)writer->used) != 1)
        writer->status = AFF_BACKEND;
    writer->used = 0;
}

static aff_status begin(struct aff_connection *connection, const char *statement, ExecStatusType expected,
                        struct aff_error *reterr)
{
    struct aff_error silent = {.status = AFF_OK};
    PGresult *result = NULL;

    if (PQsendQuery(connection->pg, statement) != 0)
        result = aff_connection_collect(connection, &silent);
    if (silent.status != AFF_OK) {
        if (reterr != NULL)
            *reterr = silent;
        return silent.status;
    }
    aff_status status = AFF_OK;
    if (PQresultStatus(result) != expected)
        status = aff_connection_error(connection, result, reterr);
    PQclear(result);
    return status;
}

/* Takes the results that are left after a COPY; the first failure wins. */
static aff_status end(struct aff_connection *connection, struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    for (PGresult *result; (result = PQgetResult(connection->pg)) != NULL; PQclear(result)) {
        ExecStatusType outcome = PQresultStatus(result);
        if (outcome != PGRES_COMMAND_OK && status == AFF_OK)
            status = aff_connection_error(connection, result, reterr);
        if (outcome == PGRES_COPY_IN || outcome == PGRES_COPY_OUT) {
            PQclear(result);
            break; /* The connection is in a state that no further result will end. */
        }
    }
    return status;
}

aff_status aff_copy_write_begin(struct aff_copy_writer *writer, struct aff_connection *connection,
                                const char *statement, struct aff_error *reterr)
{
    *writer = (struct aff_copy_writer){.connection = connection};
    writer->buffer = malloc(FIRST_CAPACITY);
    if (writer->buffer == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    writer->capacity = FIRST_CAPACITY;
    aff_status status = begin(connection, statement, PGRES_COPY_IN, reterr);
    if (status != AFF_OK) {
        free(writer->buffer);
        writer->buffer = NULL;
        return status;
    }
    unsigned char *at = reserve(writer, sizeof signature + 8);
    memcpy(at, signature, sizeof signature);
    (void)store64(at + sizeof signature, 0); /* no flags, no header extension */
    return AFF_OK;
}

void aff_copy_row(struct aff_copy_writer *writer, int n_columns)
{
    if (writer->used >= FLUSH_AT)
        flush(writer);
    unsigned char *at = reserve(writer, 2);
    if (at == NULL)
        return;
    (void)store16(at, (uint16_t)n_columns);
    writer->rows++;
}

void aff_copy_put_null(struct aff_copy_writer *writer)
{
    unsigned char *at = reserve(writer, 4);
    if (at != NULL)
        (void)store32(at, UINT32_MAX);
}

void aff_copy_put_bool(struct aff_copy_writer *writer, bool value)
{
    unsigned char *at = reserve(writer, 5);
    if (at != NULL)
        *store32(at, 1) = value ? 1 : 0;
}

void aff_copy_put_int16(struct aff_copy_writer *writer, int16_t value)
{
    unsigned char *at = reserve(writer, 6);
    if (at != NULL)
        (void)store16(store32(at, 2), (uint16_t)value);
}

void aff_copy_put_int32(struct aff_copy_writer *writer, int32_t value)
{
    unsigned char *at = reserve(writer, 8);
    if (at != NULL)
        (void)store32(store32(at, 4), (uint32_t)value);
}

void aff_copy_put_int64(struct aff_copy_writer *writer, int64_t value)
{
    unsigned char *at = reserve(writer, 12);
    if (at != NULL)
        (void)store64(store32(at, 8), (uint64_t)value);
}

void aff_copy_put_float(struct aff_copy_writer *writer, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    aff_copy_put_int32(writer, (int32_t)bits);
}

void aff_copy_put_time(struct aff_copy_writer *writer, int64_t at_us)
{
    aff_copy_put_int64(writer, at_us - POSTGRES_EPOCH_US);
}

void aff_copy_put_bytes(struct aff_copy_writer *writer, const void *bytes, size_t size)
{
    unsigned char *at = reserve(writer, 4 + size);
    if (at == NULL)
        return;
    at = store32(at, (uint32_t)size);
    if (size > 0)
        memcpy(at, bytes, size);
}

/* Opens an array column; an empty array has no dimension. Returns where the elements go. */
static unsigned char *put_array(struct aff_copy_writer *writer, size_t n, size_t element_size, uint32_t oid)
{
    size_t body = n == 0 ? 12 : 20 + n * (4 + element_size);
    unsigned char *at = reserve(writer, 4 + body);

    if (at == NULL)
        return NULL;
    at = store32(at, (uint32_t)body);
    at = store32(at, n == 0 ? 0 : 1);
    at = store32(at, 0); /* no nulls */
    at = store32(at, oid);
    if (n == 0)
        return NULL;
    at = store32(at, (uint32_t)n);
    return store32(at, 1); /* lower bound */
}

void aff_copy_put_int32s(struct aff_copy_writer *writer, const int32_t *values, size_t n)
{
    unsigned char *at = put_array(writer, n, 4, OID_INT4);
    for (size_t i = 0; at != NULL && i < n; i++)
        at = store32(store32(at, 4), (uint32_t)values[i]);
}

void aff_copy_put_int64s(struct aff_copy_writer *writer, const int64_t *values, size_t n)
{
    unsigned char *at = put_array(writer, n, 8, OID_INT8);
    for (size_t i = 0; at != NULL && i < n; i++)
        at = store64(store32(at, 8), (uint64_t)values[i]);
}

void aff_copy_put_floats(struct aff_copy_writer *writer, const float *values, size_t n)
{
    unsigned char *at = put_array(writer, n, 4, OID_FLOAT4);
    for (size_t i = 0; at != NULL && i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        at = store32(store32(at, 4), bits);
    }
}

void aff_copy_put_times(struct aff_copy_writer *writer, const int64_t *at_us, size_t n)
{
    unsigned char *at = put_array(writer, n, 8, OID_TIMESTAMPTZ);
    for (size_t i = 0; at != NULL && i < n; i++)
        at = store64(store32(at, 8), (uint64_t)(at_us[i] - POSTGRES_EPOCH_US));
}

aff_status aff_copy_write_finish(struct aff_copy_writer *writer, bool abandon, struct aff_error *reterr)
{
    unsigned char *trailer = reserve(writer, 2);
    if (trailer != NULL)
        (void)store16(trailer, UINT16_MAX);
    if (!abandon)
        flush(writer);
    free(writer->buffer);
    writer->buffer = NULL;

    aff_status status = writer->status;
    const char *reason = abandon || status != AFF_OK ? "abandoned by the client" : NULL;
    if (PQputCopyEnd(writer->connection->pg, reason) != 1 && status == AFF_OK)
        status = AFF_BACKEND;
    if (reason != NULL) {
        struct aff_error ended;
        (void)end(writer->connection, &ended);
        if (status == AFF_BACKEND)
            return aff_connection_error(writer->connection, NULL, reterr);
        return status == AFF_OK ? AFF_OK : aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
    if (status != AFF_OK)
        return aff_connection_error(writer->connection, NULL, reterr);
    return end(writer->connection, reterr);
}

/* ---- reading ---- */

aff_status aff_copy_read_begin(struct aff_copy_reader *reader, struct aff_connection *connection,
                               const char *statement, struct aff_error *reterr)
{
    *reader = (struct aff_copy_reader){.connection = connection};
    aff_status status = begin(connection, statement, PGRES_COPY_OUT, reterr);
    if (status != AFF_OK)
        reader->connection = NULL;
    return status;
}

static uint16_t load16(const unsigned char *at)
{
    uint16_t network;
    memcpy(&network, at, sizeof network);
    return be16toh(network);
}

static uint32_t load32(const unsigned char *at)
{
    uint32_t network;
    memcpy(&network, at, sizeof network);
    return be32toh(network);
}

static uint64_t load64(const unsigned char *at)
{
    uint64_t network;
    memcpy(&network, at, sizeof network);
    return be64toh(network);
}

/* Passes the signature, the flags and the header extension. */
static aff_status skip_header(struct aff_copy_reader *reader, struct aff_error *reterr)
{
    size_t left = (size_t)(reader->end - reader->at);

    if (left < sizeof signature + 8 || memcmp(reader->at, signature, sizeof signature) != 0)
        return aff_error_set(reterr, AFF_DATA,
                             "the server's COPY data do not begin with the binary signature");
    size_t extension = load32(reader->at + sizeof signature + 4);
    if (left - sizeof signature - 8 < extension)
        return aff_error_set(reterr, AFF_DATA, "the server's COPY header is cut off");
    reader->at += sizeof signature + 8 + extension;
    reader->header_done = true;
    return AFF_OK;
}

aff_status aff_copy_read(struct aff_copy_reader *reader, bool *ret_more, struct aff_error *reterr)
{
    for (;;) {
        PQfreemem(reader->row);
        reader->row = NULL;
        int size;
        while ((size = PQgetCopyData(reader->connection->pg, &reader->row, 1)) == 0) {
            aff_status status = aff_connection_await(reader->connection, reterr);
            if (status != AFF_OK) {
                reader->connection = NULL; /* nothing more can be read from it */
                return status;
            }
        }
        if (size < 0) {
            struct aff_connection *connection = reader->connection;
            reader->connection = NULL;
            *ret_more = false;
            return size == -1 ? end(connection, reterr) : aff_connection_error(connection, NULL, reterr);
        }
        reader->at = (const unsigned char *)reader->row;
        reader->end = reader->at + size;
        if (!reader->header_done) {
            aff_status status = skip_header(reader, reterr);
            if (status != AFF_OK)
                return status;
        }
        if (reader->end - reader->at < 2)
            continue; /* the header came alone */
        uint16_t columns = load16(reader->at);
        reader->at += 2;
        if (columns == UINT16_MAX)
            continue; /* the trailer; the end of the COPY follows */
        *ret_more = true;
        return AFF_OK;
    }
}

/* The bytes of the next column, NULL for a null, a missing column or one of another width (width 0: any). */
static const unsigned char *take(struct aff_copy_reader *reader, size_t width, size_t *ret_size)
{
    if (reader->end - reader->at < 4)
        return NULL;
    uint32_t size = load32(reader->at);
    reader->at += 4;
    if (size == UINT32_MAX)
        return NULL;
    if ((size_t)(reader->end - reader->at) < size) {
        reader->at = reader->end;
        return NULL;
    }
    const unsigned char *bytes = reader->at;
    reader->at += size;
    if (width != 0 && size != width)
        return NULL;
    if (ret_size != NULL)
        *ret_size = size;
    return bytes;
}

int16_t aff_copy_get_int16(struct aff_copy_reader *reader, int16_t if_null)
{
    const unsigned char *bytes = take(reader, 2, NULL);
    return (int16_t)(bytes == NULL ? if_null : (int16_t)load16(bytes));
}

int32_t aff_copy_get_int32(struct aff_copy_reader *reader, int32_t if_null)
{
    const unsigned char *bytes = take(reader, 4, NULL);
    return bytes == NULL ? if_null : (int32_t)load32(bytes);
}

int64_t aff_copy_get_int64(struct aff_copy_reader *reader, int64_t if_null)
{
    const unsigned char *bytes = take(reader, 8, NULL);
    return bytes == NULL ? if_null : (int64_t)load64(bytes);
}

bool aff_copy_get_bool(struct aff_copy_reader *reader)
{
    const unsigned char *bytes = take(reader, 1, NULL);
    return bytes != NULL && *bytes != 0;
}

int64_t aff_copy_get_time(struct aff_copy_reader *reader, int64_t if_null)
{
    const unsigned char *bytes = take(reader, 8, NULL);
    return bytes == NULL ? if_null : (int64_t)load64(bytes) + POSTGRES_EPOCH_US;
}

struct aff_text aff_copy_get_text(struct aff_copy_reader *reader)
{
    size_t size = 0;
    const unsigned char *bytes = take(reader, 0, &size);
    return (struct aff_text){(const char *)bytes, size};
}

struct aff_copy_array aff_copy_get_array(struct aff_copy_reader *reader, size_t element_size)
{
    size_t size = 0;
    const unsigned char *bytes = take(reader, 0, &size);

    if (bytes == NULL || size < 20 || load32(bytes) != 1 || load32(bytes + 4) != 0)
        return (struct aff_copy_array){NULL, 0};
    size_t n = load32(bytes + 12);
    if (size != 20 + n * (4 + element_size))
        return (struct aff_copy_array){NULL, 0};
    return (struct aff_copy_array){bytes + 20, n};
}

int32_t aff_copy_element_int32(struct aff_copy_array array, size_t index)
{
    return (int32_t)load32(array.at + index * 8 + 4);
}

int64_t aff_copy_element_int64(struct aff_copy_array array, size_t index)
{
    return (int64_t)load64(array.at + index * 12 + 4);
}

float aff_copy_element_float(struct aff_copy_array array, size_t index)
{
    uint32_t bits = load32(array.at + index * 8 + 4);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

int64_t aff_copy_element_time(struct aff_copy_array array, size_t index)
{
    return aff_copy_element_int64(array, index) + POSTGRES_EPOCH_US;
}

struct aff_copy_texts aff_copy_get_texts(struct aff_copy_reader *reader)
{
    size_t size = 0;
    const unsigned char *bytes = take(reader, 0, &size);

    if (bytes == NULL || size < 20 || load32(bytes) != 1 || load32(bytes + 4) != 0)
        return (struct aff_copy_texts){NULL, 0};
    struct aff_copy_texts texts = {bytes + 20, load32(bytes + 12)};
    size_t at = 20;
    for (size_t i = 0; i < texts.left; i++) {
        uint32_t length = size - at < 4 ? UINT32_MAX : load32(bytes + at);
        if (length > INT32_MAX || length > size - at - 4)
            return (struct aff_copy_texts){NULL, 0};
        at += 4 + length;
    }
    return texts;
}

struct aff_text aff_copy_texts_next(struct aff_copy_texts *texts)
{
    struct aff_text text = {(const char *)texts->at + 4, load32(texts->at)};

    texts->at += 4 + text.size;
    texts->left--;
    return text;
}

void aff_copy_read_close(struct aff_copy_reader *reader)
{
    PQfreemem(reader->row);
    reader->row = NULL;
    if (reader->connection == NULL)
        return;
    char reason[256];
    PGcancel *cancel = PQgetCancel(reader->connection->pg);
    if (cancel != NULL && PQtransactionStatus(reader->connection->pg) == PQTRANS_ACTIVE)
        (void)PQcancel(cancel, reason, sizeof reason);
    PQfreeCancel(cancel);
    char *rest = NULL;
    while (PQgetCopyData(reader->connection->pg, &rest, 0) > 0)
        PQfreemem(rest);
    (void)end(reader->connection, NULL);
    reader->connection = NULL;
}
