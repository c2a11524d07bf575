/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/events/put_events.h"

#include "core/base/clock.h"

#include <endian.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PostgreSQL counts timestamps from 2000-01-01T00:00:00Z. */
#define POSTGRES_EPOCH_US (INT64_C(946684800) * AFF_SECOND_US)

enum oid {
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_TIMESTAMPTZ = 1184,
    OID_UUID = 2950
};
enum { ARRAY_HEAD = 20, FIRST_CAPACITY = 1024 };

enum column {
    COLUMN_KEY,
    COLUMN_KIND,
    COLUMN_AT,
    COLUMN_SESSION,
    COLUMN_RECOMMENDATION,
    COLUMN_ORDER,
    COLUMN_QUANTITY,
    COLUMN_AMOUNT,
    COLUMN_PRODUCT,
    COLUMN_CUSTOMER,
    COLUMN_DATA,
};
_Static_assert(COLUMN_DATA + 1 == AFF_EVENT_COLUMNS, "each column has its place");

static const enum oid types[AFF_EVENT_COLUMNS] = {
    [COLUMN_KEY] = OID_UUID,      [COLUMN_KIND] = OID_INT2,           [COLUMN_AT] = OID_TIMESTAMPTZ,
    [COLUMN_SESSION] = OID_INT8,  [COLUMN_RECOMMENDATION] = OID_UUID, [COLUMN_ORDER] = OID_INT8,
    [COLUMN_QUANTITY] = OID_INT4, [COLUMN_AMOUNT] = OID_INT8,         [COLUMN_PRODUCT] = OID_TEXT,
    [COLUMN_CUSTOMER] = OID_TEXT, [COLUMN_DATA] = OID_TEXT,
};

/* Views of sessions, and what was put into their carts, are noted to be counted. No other transaction is
 * waited for, as no row is changed. */
#define HEARD                                                                                                \
    " heard AS (INSERT INTO affinity.session_heard (store, session_key, at, product, product_id)"            \
    " SELECT $1, session, at, product, product_id FROM stored WHERE session IS NOT NULL AND kind IN (1, 3)"  \
    " AND (product IS NOT NULL OR product_id IS NOT NULL)"                                                   \
    " AND (kind = 1 OR data ->> 'action' IS DISTINCT FROM 'remove'))"

/* LATERAL with OFFSET 0: one look into an index for each event, whatever the planner believes of tables that
 * are new or have grown. */
static const char statement[] =
    "WITH stored AS (INSERT INTO affinity.event (store, event_key, kind, at, writer, session, customer, "
    "product,"
    " recommendation_id, order_key, quantity, amount, product_id, customer_id, data)"
    " SELECT $1, e.key, e.kind, e.at, $2, e.session, c.customer, p.product, e.recommendation, e.order_key,"
    " e.quantity, e.amount, CASE WHEN p.product IS NULL THEN e.product_id END,"
    " CASE WHEN c.customer IS NULL THEN e.customer_id END, e.data::jsonb"
    " FROM unnest($3::uuid[], $4::smallint[], $5::timestamptz[], $6::bigint[], $7::uuid[], $8::bigint[],"
    " $9::integer[], $10::bigint[], $11::text[], $12::text[], $13::text[])"
    " AS e(key, kind, at, session, recommendation, order_key, quantity, amount, product_id, customer_id, "
    "data)"
    " LEFT JOIN LATERAL (SELECT product FROM affinity.product WHERE store = $1 AND id = e.product_id OFFSET "
    "0)"
    " AS p ON true"
    " LEFT JOIN LATERAL (SELECT customer FROM affinity.customer WHERE store = $1 AND id = e.customer_id"
    " OFFSET 0) AS c ON true"
    " ON CONFLICT DO NOTHING RETURNING event_key, kind, session, at, product, product_id, data)," HEARD
    " SELECT event_key FROM stored";

/* ---- columns ---- */

static bool grow(struct aff_event_column *column, size_t size)
{
    if (column->capacity >= column->size + size)
        return true;
    size_t capacity = column->capacity * 2;
    if (capacity < column->size + size)
        capacity = column->size + size;
    if (capacity < FIRST_CAPACITY)
        capacity = FIRST_CAPACITY;
    unsigned char *bytes = realloc(column->bytes, capacity);
    if (bytes == NULL)
        return false;
    column->bytes = bytes;
    column->capacity = capacity;
    return true;
}

static void store32(unsigned char *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof value);
}

/* One element; `bytes` NULL is an SQL null. */
static bool add(struct aff_event_rows *rows, enum column number, const void *bytes, size_t size)
{
    struct aff_event_column *column = &rows->columns[number];

    if (column->size == 0)
        column->size = ARRAY_HEAD;
    if (!grow(column, 4 + size))
        return false;
    store32(column->bytes + column->size, bytes == NULL ? UINT32_MAX : (uint32_t)size);
    column->size += 4;
    if (bytes != NULL) {
        memcpy(column->bytes + column->size, bytes, size);
        column->size += size;
    }
    return true;
}

static bool add16(struct aff_event_rows *rows, enum column column, uint16_t value)
{
    value = htobe16(value);
    return add(rows, column, &value, sizeof value);
}

static bool add32(struct aff_event_rows *rows, enum column column, bool given, uint32_t value)
{
    value = htobe32(value);
    return add(rows, column, given ? &value : NULL, sizeof value);
}

static bool add64(struct aff_event_rows *rows, enum column column, bool given, uint64_t value)
{
    value = htobe64(value);
    return add(rows, column, given ? &value : NULL, sizeof value);
}

static bool add_text(struct aff_event_rows *rows, enum column column, struct aff_text text)
{
    return add(rows, column, text.size == 0 ? NULL : text.at, text.size);
}

aff_status aff_event_rows_add(struct aff_event_rows *rows, const struct aff_event *event)
{
    bool good = add(rows, COLUMN_KEY, event->key, sizeof event->key) &&
                add16(rows, COLUMN_KIND, (uint16_t)event->kind) &&
                add64(rows, COLUMN_AT, true, (uint64_t)(event->at_us - POSTGRES_EPOCH_US)) &&
                add64(rows, COLUMN_SESSION, event->has_session, event->session) &&
                add(rows, COLUMN_RECOMMENDATION, event->has_recommendation ? event->recommendation : NULL,
                    sizeof event->recommendation) &&
                add64(rows, COLUMN_ORDER, event->has_order, event->order_key) &&
                add32(rows, COLUMN_QUANTITY, event->has_quantity, (uint32_t)event->quantity) &&
                add64(rows, COLUMN_AMOUNT, event->has_amount, (uint64_t)event->amount) &&
                add_text(rows, COLUMN_PRODUCT, event->product) &&
                add_text(rows, COLUMN_CUSTOMER, event->customer) && add_text(rows, COLUMN_DATA, event->data);

    if (!good)
        return AFF_NOMEM;
    rows->n++;
    return AFF_OK;
}

void aff_event_rows_reset(struct aff_event_rows *rows)
{
    for (int i = 0; i < AFF_EVENT_COLUMNS; i++)
        rows->columns[i].size = 0;
    rows->n = 0;
}

void aff_event_rows_done(struct aff_event_rows *rows)
{
    for (int i = 0; i < AFF_EVENT_COLUMNS; i++)
        free(rows->columns[i].bytes);
    *rows = (struct aff_event_rows){0};
}

size_t aff_event_rows_bytes(const struct aff_event_rows *rows)
{
    size_t bytes = 0;

    for (int i = 0; i < AFF_EVENT_COLUMNS; i++)
        bytes += rows->columns[i].size;
    return bytes;
}

/* One dimension, nulls possible, `n` elements from index 1. */
static void write_heads(const struct aff_event_rows *rows)
{
    for (int i = 0; i < AFF_EVENT_COLUMNS; i++) {
        unsigned char *at = rows->columns[i].bytes;
        store32(at, 1);
        store32(at + 4, 1);
        store32(at + 8, types[i]);
        store32(at + 12, rows->n);
        store32(at + 16, 1);
    }
}

/* ---- statements ---- */

aff_status aff_events_prepare(struct aff_connection *connection, struct aff_error *reterr)
{
    aff_status status =
        aff_execute(connection,
                    "SELECT set_config('synchronous_commit', 'local', false)"
                    " WHERE current_setting('synchronous_commit') = 'off'; SET statement_timeout = '60s'",
                    reterr);

    if (status != AFF_OK)
        return status;
    PGresult *result = PQprepare(connection->pg, "put_events", statement, 0, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        status = aff_connection_error(connection, result, reterr);
    PQclear(result);
    return status;
}

int aff_events_socket(const struct aff_connection *connection)
{
    return PQsocket(connection->pg);
}

bool aff_events_is_lost(struct aff_connection *connection)
{
    /* The first look may find the server's last words, the second one the end behind them. */
    return PQconsumeInput(connection->pg) == 0 || PQconsumeInput(connection->pg) == 0 ||
           PQstatus(connection->pg) != CONNECTION_OK;
}

aff_status aff_events_store(struct aff_connection *connection, struct aff_text name, int *ret_store,
                            struct aff_error *reterr)
{
    char text[AFF_ID_MAX + 1];
    const char *parameters[] = {text};
    int64_t number;

    memcpy(text, name.at, name.size);
    text[name.size] = '\0';
    aff_status status = aff_query_number(connection, "SELECT store FROM affinity.store WHERE name = $1", 1,
                                         parameters, &number, reterr);
    if (status == AFF_NOTFOUND)
        return aff_error_set(reterr, AFF_NOTFOUND, "there is no store '%s' in the database", text);
    if (status == AFF_OK)
        *ret_store = (int)number;
    return status;
}

aff_status aff_events_put(struct aff_connection *connection, int store, int writer,
                          const struct aff_event_rows *rows,
                          void (*visit)(void *context, const unsigned char *key), void *context,
                          struct aff_error *reterr)
{
    char store_text[16], writer_text[16];
    const char *values[2 + AFF_EVENT_COLUMNS] = {store_text, writer_text};
    int sizes[2 + AFF_EVENT_COLUMNS] = {0}, formats[2 + AFF_EVENT_COLUMNS] = {0};
    aff_status status = AFF_OK;

    if (rows->n == 0)
        return AFF_OK;
    (void)snprintf(store_text, sizeof store_text, "%d", store);
    (void)snprintf(writer_text, sizeof writer_text, "%d", writer);
    write_heads(rows);
    for (int i = 0; i < AFF_EVENT_COLUMNS; i++) {
        values[2 + i] = (const char *)rows->columns[i].bytes;
        sizes[2 + i] = (int)rows->columns[i].size;
        formats[2 + i] = 1;
    }
    PGresult *result =
        PQexecPrepared(connection->pg, "put_events", 2 + AFF_EVENT_COLUMNS, values, sizes, formats, 1);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        status = aff_connection_error(connection, result, reterr);
    for (int i = 0; status == AFF_OK && i < PQntuples(result); i++)
        visit(context, (const unsigned char *)PQgetvalue(result, i, 0));
    PQclear(result);
    return status;
}
