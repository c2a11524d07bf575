/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/store.h"

#include "core/base/text.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two programs that make partitions at once would fail on each other's names; the lock, "aff_stor" in ASCII,
 * ends with the transaction. */
#define LOCK "SELECT pg_advisory_xact_lock(7018409629448433522)"

static bool is_currency(const char *text)
{
    return strlen(text) == 3 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

/* Number and currency of the store; *ret_store 0 if there is none. */
static aff_status find(struct aff_connection *connection, const char *name, int *ret_store,
                       char ret_currency[4], struct aff_error *reterr)
{
    const char *parameters[] = {name};
    PGresult *result = NULL;
    aff_status status = aff_query(connection, "SELECT store, currency FROM affinity.store WHERE name = $1", 1,
                                  parameters, &result, reterr);

    if (status != AFF_OK)
        return status;
    *ret_store = 0;
    ret_currency[0] = '\0';
    if (PQntuples(result) > 0) {
        *ret_store = atoi(PQgetvalue(result, 0, 0));
        (void)snprintf(ret_currency, 4, "%s", PQgetvalue(result, 0, 1));
    }
    PQclear(result);
    return AFF_OK;
}

static aff_status check_currency(const char *name, const char *currency, const char *kept,
                                 struct aff_error *reterr)
{
    if (currency == NULL || strcmp(currency, kept) == 0)
        return AFF_OK;
    return aff_error_set(reterr, AFF_INVALID,
                         "store '%s' keeps its money in %s, not in %s; use that currency or another store",
                         name, kept, currency);
}

/* Whether the state rows and all partitions of the store are there. */
static aff_status is_whole(struct aff_connection *connection, int store, bool *ret_whole,
                           struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number};
    int64_t missing;

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status =
        aff_query_number(connection,
                         "SELECT "
#define X(table) "(to_regclass('affinity." #table "_s' || $1::text) IS NULL)::integer + "
                         AFF_PARTITIONED_LIST(X)
#undef X
                             "(NOT EXISTS (SELECT FROM affinity.state WHERE store = $1::integer))::integer"
                             " + (NOT EXISTS (SELECT FROM affinity.catalogue_state"
                             " WHERE store = $1::integer))::integer"
                             " + (NOT EXISTS (SELECT FROM affinity.viewed_state"
                             " WHERE store = $1::integer))::integer",
                         1, parameters, &missing, reterr);
    if (status == AFF_OK)
        *ret_whole = missing == 0;
    return status;
}

/* An empty table of the parent's shape is made first and attached then: ATTACH PARTITION lets others read and
 * write the parent meanwhile, which CREATE TABLE ... PARTITION OF does not. */
static aff_status make_partition(struct aff_connection *connection, const char *table, int store,
                                 struct aff_error *reterr)
{
    char name[AFF_PARTITION_NAME], statement[512];
    const char *parameters[] = {name};
    int64_t present;

    aff_partition_name(table, store, "", name);
    aff_status status = aff_query_number(connection, "SELECT (to_regclass($1) IS NOT NULL)::integer", 1,
                                         parameters, &present, reterr);
    if (status != AFF_OK || present != 0)
        return status;
    int size = snprintf(statement, sizeof statement,
                        "CREATE TABLE %s (LIKE affinity.%s INCLUDING ALL);"
                        "ALTER TABLE affinity.%s ATTACH PARTITION %s FOR VALUES IN (%d)",
                        name, table, table, name, store);
    assert(size > 0 && (size_t)size < sizeof statement);
    return aff_execute(connection, statement, reterr);
}

/* Inside the transaction and the lock: makes what is missing. */
static aff_status make_missing(struct aff_connection *connection, const char *name, const char *currency,
                               int *ret_store, bool *ret_created, struct aff_error *reterr)
{
    const char *parameters[] = {name, currency};
    int64_t number;
    char kept[4], key[16];
    int store;
    bool created = false;

    aff_status status = find(connection, name, &store, kept, reterr);
    if (status != AFF_OK)
        return status;
    if (store == 0) {
        status = aff_query_number(
            connection, "INSERT INTO affinity.store (name, currency) VALUES ($1, $2) RETURNING store", 2,
            parameters, &number, reterr);
        if (status != AFF_OK)
            return status;
        store = (int)number;
        created = true;
    } else {
        status = check_currency(name, currency, kept, reterr);
        if (status != AFF_OK)
            return status;
    }
    static const char *const tables[] = {
#define X(table) #table,
        AFF_PARTITIONED_LIST(X)
#undef X
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && status == AFF_OK; i++)
        status = make_partition(connection, tables[i], store, reterr);
    (void)snprintf(key, sizeof key, "%d", store);
    parameters[0] = key;
    if (status == AFF_OK)
        status =
            aff_query(connection, "INSERT INTO affinity.state (store) VALUES ($1) ON CONFLICT DO NOTHING", 1,
                      parameters, NULL, reterr);
    if (status == AFF_OK)
        status = aff_query(connection,
                           "INSERT INTO affinity.catalogue_state (store) VALUES ($1) ON CONFLICT DO NOTHING",
                           1, parameters, NULL, reterr);
    if (status == AFF_OK)
        status = aff_query(connection,
                           "INSERT INTO affinity.viewed_state (store) VALUES ($1) ON CONFLICT DO NOTHING", 1,
                           parameters, NULL, reterr);
    if (status != AFF_OK)
        return status;
    *ret_store = store;
    *ret_created = created;
    return AFF_OK;
}

aff_status aff_store_ensure(struct aff_connection *connection, const char *name, const char *currency,
                            int *ret_store, bool *ret_created, struct aff_error *reterr)
{
    struct aff_error ignored;
    char kept[4];
    int store;
    bool whole = false, created = false;

    assert(PQtransactionStatus(connection->pg) != PQTRANS_INTRANS);
    if (!aff_text_is_id(aff_text_of(name)))
        return aff_error_set(reterr, AFF_INVALID,
                             "a store's name is 1 to %d bytes of UTF-8 without control characters",
                             AFF_ID_MAX);
    if (currency != NULL && !is_currency(currency))
        return aff_error_set(reterr, AFF_INVALID,
                             "'%s' is no currency; give three capital letters (ISO 4217), for example EUR",
                             currency);
    aff_status status = find(connection, name, &store, kept, reterr);
    if (status == AFF_OK && store == 0 && currency == NULL)
        status =
            aff_error_set(reterr, AFF_NOTFOUND, "there is no store '%s'; import orders into it first", name);
    if (status == AFF_OK && store != 0)
        status = check_currency(name, currency, kept, reterr);
    if (status == AFF_OK && store != 0)
        status = is_whole(connection, store, &whole, reterr);
    if (status == AFF_OK && !whole) {
        status = aff_execute(connection, "BEGIN; " LOCK, reterr);
        if (status == AFF_OK)
            status = make_missing(connection, name, currency, &store, &created, reterr);
        if (status == AFF_OK)
            status = aff_execute(connection, "COMMIT", reterr);
        if (status != AFF_OK)
            (void)!aff_execute(connection, "ROLLBACK", &ignored);
    }
    if (status != AFF_OK)
        return status;
    *ret_store = store;
    if (ret_created != NULL)
        *ret_created = created;
    return AFF_OK;
}
