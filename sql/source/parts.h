/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a source share; nobody else includes it. */
#pragma once

#include "core/base/arena.h"
#include "sql/array.h"
#include "sql/source/source.h"
#include "sql/statement.h"

/* Orders, products or customers that are read and written at a time. */
enum { AFF_SOURCE_BATCH = 500, AFF_SOURCE_COLUMNS = 14, AFF_SOURCE_TYPE = 64 };

/* A column that a relation has or may have. */
struct aff_source_column {
    const char *name;
    const char *types;  /* those accepted, each with a blank before and behind */
    const char *read;   /* how it is read, from the alias s */
    const char *absent; /* what is read if it is not there; NULL: it has to be there */
};

/* The columns of one relation, in the sequence in which they are read; the first is the id, the last of those
 * with changes is updated_at. */
struct aff_source_shape {
    const struct aff_source_column *columns;
    int n;
};

/* What was found out about a relation. */
struct aff_source_relation {
    const char *from;              /* as configured; "": not mapped */
    bool statement;                /* a SELECT */
    unsigned present;              /* bit c: it has column c */
    char id_type[AFF_SOURCE_TYPE]; /* as SQL spells it */
};

/* A growing list of hashes. */
struct aff_source_hashes {
    uint64_t *all;
    size_t n, capacity;
};

struct aff_source {
    struct aff_connection *ours;
    struct aff_connection shop;
    const struct aff_source_settings *settings;
    struct aff_source_relation relations[AFF_SOURCE_WHATS];
    int store, digits; /* of the currency */
    bool locked;
    aff_source_reject_fn reject;
    void *context;
    struct aff_source_hashes seen[AFF_SOURCE_WHATS]; /* polling: marks of what the last look found, sorted */
    const struct aff_watch *watch;                   /* of the call that runs, and: */
    struct aff_source_report report;
};

extern const struct aff_source_shape aff_source_shapes[AFF_SOURCE_WHATS];

/* The column number of updated_at, or -1. */
int aff_source_updated(enum aff_source_what what);

bool aff_source_is_mapped(const struct aff_source *source, enum aff_source_what what);

/* Connects to the shop's database. */
AFF_MUST_CHECK aff_status aff_source_connect(const struct aff_source_settings *settings,
                                             struct aff_connection *shop, struct aff_error *reterr);

/* Finds out which columns a relation has. `tell` gets what is wrong. */
AFF_MUST_CHECK aff_status aff_source_describe(struct aff_connection *shop,
                                              const struct aff_source_settings *settings,
                                              enum aff_source_what what, struct aff_source_relation *ret,
                                              void (*tell)(void *context, bool good, const char *text),
                                              void *context, struct aff_error *reterr);

/* Appends "name s" or "(SELECT ...) s". */
void aff_source_append_from(struct aff_statement *statement, const struct aff_source_relation *relation);

/* Appends the columns that are read, separated by commas. */
void aff_source_append_columns(struct aff_statement *statement, enum aff_source_what what,
                               const struct aff_source_relation *relation);

/* Reads the ids `ids` (an array of texts) of a relation with all columns; inside the shop's transaction. */
AFF_MUST_CHECK aff_status aff_source_read(struct aff_source *source, enum aff_source_what what,
                                          struct aff_array *ids, PGresult **ret_result,
                                          struct aff_error *reterr);

/* Brings the orders, products or customers `ids` up to date with what the shop's transaction sees; `gone`: it
 * has none of them, which need not be looked at again. */
AFF_MUST_CHECK aff_status aff_source_refresh(struct aff_source *source, enum aff_source_what what,
                                             const struct aff_text *ids, size_t n, bool gone,
                                             struct aff_error *reterr);

/* The two kinds of it. */
AFF_MUST_CHECK aff_status aff_source_refresh_orders(struct aff_source *source, const struct aff_text *ids,
                                                    size_t n, bool gone, struct aff_error *reterr);
AFF_MUST_CHECK aff_status aff_source_refresh_catalogue(struct aff_source *source, enum aff_source_what what,
                                                       const struct aff_text *ids, size_t n, bool gone,
                                                       struct aff_error *reterr);

/* Runs `write` in a transaction of ours, again and again while it meets others (SQLSTATE class 40). */
typedef aff_status (*aff_source_write_fn)(void *context, struct aff_error *reterr);
AFF_MUST_CHECK aff_status aff_source_write(struct aff_source *source, aff_source_write_fn write,
                                           void *context, struct aff_error *reterr);

/* AFF_CANCELLED if the watch says so. */
AFF_MUST_CHECK aff_status aff_source_watched(const struct aff_source *source, uint64_t done,
                                             struct aff_error *reterr);

/* Counts and tells an order, product or customer that is left out. */
void aff_source_rejected(struct aff_source *source, enum aff_source_what what, struct aff_text id,
                         const char *reason);

/* Calls `take` with the ids of a relation, AFF_SOURCE_BATCH at a time, inside the shop's transaction: those
 * changed at or after `from` (a time as text; NULL: all). `marks` are hashes of id and updated_at, 0 without
 * that column; *ret_newest is the newest updated_at as text, "" if there is none. */
enum { AFF_SOURCE_TIME = 64 };
typedef aff_status (*aff_source_ids_fn)(void *context, const struct aff_text *ids, const uint64_t *marks,
                                        size_t n, struct aff_error *reterr);
AFF_MUST_CHECK aff_status aff_source_scan(struct aff_source *source, enum aff_source_what what,
                                          const char *from, aff_source_ids_fn take, void *context,
                                          char ret_newest[AFF_SOURCE_TIME], struct aff_error *reterr);

/* Remembers how far a relation was read; `swept`: all of it. An empty `newest` leaves the watermark. */
AFF_MUST_CHECK aff_status aff_source_remember(struct aff_source *source, enum aff_source_what what,
                                              const char *newest, bool swept, struct aff_error *reterr);

/* Lists of hashes. */
AFF_MUST_CHECK aff_status aff_source_hashes_add(struct aff_source_hashes *hashes, uint64_t hash);
void aff_source_hashes_sort(struct aff_source_hashes *hashes);
bool aff_source_hashes_have(const struct aff_source_hashes *hashes, uint64_t hash);

/* The shop's transaction: one snapshot, and nothing is written unless `writes`. */
AFF_MUST_CHECK aff_status aff_source_begin(struct aff_source *source, bool writes, struct aff_error *reterr);
AFF_MUST_CHECK aff_status aff_source_end(struct aff_source *source, aff_status status,
                                         struct aff_error *reterr);

/* The text of a field; at == NULL: null. */
struct aff_text aff_source_field(const PGresult *result, int row, int column);
