/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the services which products and customers were written (sql/migrations/002_feed.sql). */
#pragma once

#include "core/base/status.h"
#include "sql/array.h"
#include "sql/connection.h"

enum aff_catalogue_what { AFF_CHANGED_PRODUCT = 1, AFF_CHANGED_CUSTOMER = 2 };

/* Inside a transaction, before products or customers are changed: takes the row of catalogue_state until the
 * transaction ends, so that versions commit in their sequence. */
AFF_MUST_CHECK aff_status aff_catalogue_lock(struct aff_connection *connection, int store,
                                             struct aff_error *reterr);

/* Inside the same transaction: a new version, in which the products or customers `keys` have changed. */
AFF_MUST_CHECK aff_status aff_catalogue_changed(struct aff_connection *connection, int store,
                                                enum aff_catalogue_what what, struct aff_array *keys,
                                                struct aff_error *reterr);

/* The same for the keys of a table with a column `key`; more than AFF_CHANGES_NAMED of them are not named, so
 * that all services load the whole catalogue anew. `table` is a constant. */
enum { AFF_CHANGES_NAMED = 20000 };
AFF_MUST_CHECK aff_status aff_catalogue_changed_table(struct aff_connection *connection, int store,
                                                      enum aff_catalogue_what what, const char *table,
                                                      struct aff_error *reterr);
