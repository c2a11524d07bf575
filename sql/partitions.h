/* SPDX-License-Identifier: Apache-2.0 */
/* Replacing all learned tables of a store at once: new tables are made and filled beside the partitions that
 * are served, then take their place in one short transaction. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

#include <stdint.h>

/* Makes empty tables "affinity.TABLE_sSTORE_next", one for each partitioned table, without indexes; leftovers
 * of a rebuild that was killed are dropped first. */
AFF_MUST_CHECK aff_status aff_partitions_make(struct aff_connection *connection, int store,
                                              struct aff_error *reterr);

/* Drops what aff_partitions_make() made; nothing happens if it is not there. */
AFF_MUST_CHECK aff_status aff_partitions_drop(struct aff_connection *connection, int store,
                                              struct aff_error *reterr);

/* The statement that gives the filled table its primary key, for whoever sends it. */
enum { AFF_PARTITION_STATEMENT = 256 };
void aff_partition_key_statement(const char *table, const char *key_columns, int store,
                                 char ret_statement[AFF_PARTITION_STATEMENT]);

/* Inside a transaction of the caller: locks the parents, drops the store's partitions and puts the new tables
 * in their place. Readers are never made to queue behind the lock for more than half a second: if the tables
 * are busy it fails with SQLSTATE 55P03 (lock_not_available), and the caller rolls back and tries again. */
AFF_MUST_CHECK aff_status aff_partitions_swap(struct aff_connection *connection, int store,
                                              struct aff_error *reterr);
