/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a shop's own tables instead of being told: its orders, lines, products and customers, as views,
 * tables or SELECT statements with columns of fixed names (docs/source.md), on its own database or on ours.
 *
 * What has changed is found in an outbox table that a trigger of the shop fills, or by a column `updated_at`;
 * either way it is read whole and written into our tables with aff_orders_put() and aff_catalogue_put(),
 * which leave alone what is the same already. Our tables are the ledger of what was counted, so reading
 * something twice changes nothing. A sweep reads everything and finds what was deleted or missed. Used by one
 * thread. */
#pragma once

#include "core/base/parallel.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "core/intake/source_mapping.h"
#include "sql/connection.h"

#include <stdbool.h>
#include <stdint.h>

/* Texts are borrowed for as long as the source is open. */
struct aff_source_settings {
    const char *url; /* of the shop's database, which may be ours */
    const char *application;
    int timeout_s;
    struct aff_source_mapping mapping;
};

struct aff_source_report {
    uint64_t created, changed, unchanged, deleted; /* orders */
    uint64_t products, customers;                  /* added or changed */
    uint64_t rejected;                             /* orders, products and customers that break a rule */
};

/* Told of each order, product or customer that was left out, with the reason. */
typedef void (*aff_source_reject_fn)(void *context, enum aff_source_what what, struct aff_text id,
                                     const char *reason);

struct aff_source;

/* "orders", "lines", "products", "customers". */
const char *aff_source_word(enum aff_source_what what);

/* Connects to the shop's database, finds out which columns the relations have, and takes the right to fill
 * the store from a source, which one program has at a time: AFF_BUSY. `ours` is borrowed, and nobody else
 * uses it until aff_source_close(). AFF_CONFIG: what is wrong with the mapping; aff_source_check() says all
 * of it. `reject` may be NULL. */
AFF_MUST_CHECK aff_status aff_source_open(const struct aff_source_settings *settings,
                                          struct aff_connection *ours, const char *store_name,
                                          aff_source_reject_fn reject, void *context,
                                          struct aff_source **ret_source, struct aff_error *reterr);

/* Writes what has changed since the last call of any program. The first one of a store sweeps. The watch may
 * cancel, and is told orders only of a sweep. */
AFF_MUST_CHECK aff_status aff_source_sync(struct aff_source *source, const struct aff_watch *watch,
                                          struct aff_source_report *ret, struct aff_error *reterr);

/* Reads everything, writes what differs, deletes orders that the shop no longer has, and makes products that
 * it no longer has unavailable. The watch is told orders read. */
AFF_MUST_CHECK aff_status aff_source_sweep(struct aff_source *source, const struct aff_watch *watch,
                                           struct aff_source_report *ret, struct aff_error *reterr);

/* Seconds since the last sweep; -1: there was none. */
AFF_MUST_CHECK aff_status aff_source_swept_s(struct aff_source *source, int64_t *ret_seconds,
                                             struct aff_error *reterr);

/* The connection to the shop's database, to cancel what it does (sql/cancel.h). */
struct aff_connection *aff_source_connection(struct aff_source *source);

void aff_source_close(struct aff_source *source); /* NULL is a no-op */

/* Looks at the mapping without writing anything, and tells in whole sentences what is wrong (`good` false)
 * and what was found (`good` true). *ret_wrong: how many things are wrong. */
AFF_MUST_CHECK aff_status aff_source_check(const struct aff_source_settings *settings,
                                           void (*tell)(void *context, bool good, const char *text),
                                           void *context, int *ret_wrong, struct aff_error *reterr);

/* The statements that an administrator of the shop's database runs once, so that changes go into an outbox:
 * the table, and for each item "WHAT:TABLE:COLUMN" of `tables` (separated by commas) a function and a
 * trigger. COLUMN is a column of TABLE or an expression of its columns that gives the id. The caller frees
 * *ret_text. AFF_INVALID: an item is none. */
AFF_MUST_CHECK aff_status aff_source_trigger_sql(const char *outbox, const char *tables, char **ret_text,
                                                 struct aff_error *reterr);
