/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/partitions.h"

#include "sql/store.h"

#include <stdio.h>

static const char *const tables[] = {
#define X(table) #table,
    AFF_PARTITIONED_LIST(X)
#undef X
};

enum { N_TABLES = sizeof tables / sizeof tables[0] };

aff_status aff_partitions_drop(struct aff_connection *connection, int store, struct aff_error *reterr)
{
    char name[AFF_PARTITION_NAME], statement[256];
    aff_status status = AFF_OK;

    for (int i = 0; i < N_TABLES && status == AFF_OK; i++) {
        aff_partition_name(tables[i], store, "_next", name);
        (void)snprintf(statement, sizeof statement, "DROP TABLE IF EXISTS %s", name);
        status = aff_execute(connection, statement, reterr);
    }
    return status;
}

/* The check lets ATTACH PARTITION skip reading the table. Rows of up to a page stay whole and uncompressed:
 * rows are read whole, and compressing them costs more than writing them. Autovacuum keeps off until the
 * tables are served. */
aff_status aff_partitions_make(struct aff_connection *connection, int store, struct aff_error *reterr)
{
    char name[AFF_PARTITION_NAME], statement[512];
    aff_status status = aff_partitions_drop(connection, store, reterr);

    for (int i = 0; i < N_TABLES && status == AFF_OK; i++) {
        aff_partition_name(tables[i], store, "_next", name);
        (void)snprintf(statement, sizeof statement,
                       "CREATE TABLE %s (LIKE affinity.%s INCLUDING DEFAULTS INCLUDING COMMENTS,"
                       " CONSTRAINT is_of_store CHECK (store = %d)) WITH (toast_tuple_target = 8160,"
                       " autovacuum_enabled = false)",
                       name, tables[i], store);
        status = aff_execute(connection, statement, reterr);
    }
    return status;
}

void aff_partition_key_statement(const char *table, const char *key_columns, int store,
                                 char ret_statement[AFF_PARTITION_STATEMENT])
{
    char name[AFF_PARTITION_NAME];

    aff_partition_name(table, store, "_next", name);
    (void)snprintf(ret_statement, AFF_PARTITION_STATEMENT,
                   "ALTER TABLE %s ADD CONSTRAINT %s_s%d_next_pkey PRIMARY KEY (%s)", name, table, store,
                   key_columns);
}

/* Takes every lock that the swap needs before anything is changed, always in the same order, and gives up
 * soon. ONLY: the partitions of other stores are not touched. */
static aff_status lock(struct aff_connection *connection, int store, struct aff_error *reterr)
{
    char name[AFF_PARTITION_NAME], statement[256];
    aff_status status = aff_query(connection,
                                  "SELECT set_config('lock_timeout', (500 + 1000 * extract(epoch FROM"
                                  " current_setting('deadlock_timeout')::interval))::integer::text, true)",
                                  0, NULL, NULL, reterr);

    for (int i = 0; i < N_TABLES && status == AFF_OK; i++) {
        aff_partition_name(tables[i], store, "", name);
        (void)snprintf(statement, sizeof statement,
                       "LOCK TABLE ONLY affinity.%s, ONLY %s IN ACCESS EXCLUSIVE MODE", tables[i], name);
        status = aff_execute(connection, statement, reterr);
    }
    return status;
}

static aff_status replace(struct aff_connection *connection, const char *table, int store,
                          struct aff_error *reterr)
{
    char old[AFF_PARTITION_NAME], next[AFF_PARTITION_NAME], statement[1024];

    aff_partition_name(table, store, "", old);
    aff_partition_name(table, store, "_next", next);
    (void)snprintf(statement, sizeof statement,
                   "DROP TABLE IF EXISTS %s; ALTER TABLE %s RENAME TO %s_s%d;"
                   " ALTER TABLE %s RENAME CONSTRAINT %s_s%d_next_pkey TO %s_s%d_pkey;"
                   " ALTER TABLE affinity.%s ATTACH PARTITION %s FOR VALUES IN (%d);"
                   " ALTER TABLE %s DROP CONSTRAINT is_of_store, RESET (autovacuum_enabled)",
                   old, next, table, store, old, table, store, table, store, table, old, store, old);
    return aff_execute(connection, statement, reterr);
}

aff_status aff_partitions_swap(struct aff_connection *connection, int store, struct aff_error *reterr)
{
    aff_status status = lock(connection, store, reterr);

    for (int i = 0; i < N_TABLES && status == AFF_OK; i++)
        status = replace(connection, tables[i], store, reterr);
    return status;
}
