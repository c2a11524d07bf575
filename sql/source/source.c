/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/source/source.h"

#include "core/base/money.h"
#include "sql/source/parts.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

/* First key of the lock, "sour" in ASCII; the second is the store. */
#define LOCK_CLASS "1936684402"

enum { ATTEMPTS = 10 };

struct aff_text aff_source_field(const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column))
        return (struct aff_text){0};
    return (struct aff_text){PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column)};
}

void aff_source_rejected(struct aff_source *source, enum aff_source_what what, struct aff_text id,
                         const char *reason)
{
    source->report.rejected++;
    if (source->reject != NULL)
        source->reject(source->context, what, id, reason);
}

aff_status aff_source_watched(const struct aff_source *source, uint64_t done, struct aff_error *reterr)
{
    const struct aff_watch *watch = source->watch;

    if (watch->call == NULL || watch->call(watch->context, done, 0))
        return AFF_OK;
    return aff_error_set(reterr, AFF_CANCELLED, "%s", aff_status_text(AFF_CANCELLED));
}

/* ---- the two databases ---- */

/* Names without a schema are those of public, as they are in most shops; our own statements name theirs. */
aff_status aff_source_connect(const struct aff_source_settings *settings, struct aff_connection *shop,
                              struct aff_error *reterr)
{
    aff_status status =
        aff_connection_open(settings->url, settings->application, settings->timeout_s, shop, reterr);

    if (status == AFF_OK)
        status = aff_execute(shop, "SET search_path = public", reterr);
    if (status == AFF_OK)
        return AFF_OK;
    aff_connection_close(shop);
    return aff_error_prefix(reterr, status, "the shop's database");
}

aff_status aff_source_begin(struct aff_source *source, bool writes, struct aff_error *reterr)
{
    return aff_execute(&source->shop,
                       writes ? "BEGIN ISOLATION LEVEL REPEATABLE READ"
                              : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                       reterr);
}

aff_status aff_source_end(struct aff_source *source, aff_status status, struct aff_error *reterr)
{
    if (status == AFF_OK)
        return aff_execute(&source->shop, "COMMIT", reterr);
    (void)!aff_execute(&source->shop, "ROLLBACK", NULL); /* what failed before is what counts */
    return status;
}

aff_status aff_source_write(struct aff_source *source, aff_source_write_fn write, void *context,
                            struct aff_error *reterr)
{
    struct aff_error error = {0};
    aff_status status = AFF_OK;

    for (int i = 0; i < ATTEMPTS; i++) {
        status = aff_execute(source->ours, "BEGIN", &error);
        if (status == AFF_OK)
            status = write(context, &error);
        if (status == AFF_OK)
            status = aff_execute(source->ours, "COMMIT", &error);
        if (status == AFF_OK)
            return AFF_OK;
        (void)!aff_execute(source->ours, "ROLLBACK", NULL);
        if (strncmp(error.sqlstate, "40", 2) != 0)
            break;
    }
    if (reterr != NULL)
        *reterr = error;
    return status;
}

/* ---- opening ---- */

struct first_fault {
    struct aff_error error;
    bool found;
};

static void keep_first(void *context, bool good, const char *text)
{
    struct first_fault *fault = context;

    if (good || fault->found)
        return;
    (void)aff_error_set(&fault->error, AFF_CONFIG, "%s (affinityctl source check says more)", text);
    fault->found = true;
}

static aff_status describe_all(struct aff_source *source, struct aff_error *reterr)
{
    struct first_fault fault = {.found = false};
    aff_status status = AFF_OK;

    for (int w = 0; w < AFF_SOURCE_WHATS && status == AFF_OK; w++)
        status = aff_source_describe(&source->shop, source->settings, (enum aff_source_what)w,
                                     &source->relations[w], keep_first, &fault, reterr);
    if (status == AFF_OK &&
        aff_source_is_mapped(source, AFF_SOURCE_ORDERS) != aff_source_is_mapped(source, AFF_SOURCE_LINES))
        keep_first(&fault, false, "source.orders and source.lines go together; one of them is empty");
    if (status == AFF_OK && fault.found) {
        if (reterr != NULL)
            *reterr = fault.error;
        status = AFF_CONFIG;
    }
    return status;
}

static aff_status find_store(struct aff_source *source, const char *store_name, struct aff_error *reterr)
{
    const char *parameters[] = {store_name};
    PGresult *result = NULL;
    aff_status status = aff_query(source->ours, "SELECT store, currency FROM affinity.store WHERE name = $1",
                                  1, parameters, &result, reterr);

    if (status != AFF_OK)
        return status;
    if (PQntuples(result) == 0) {
        status = aff_error_set(reterr, AFF_NOTFOUND, "there is no store '%s'", store_name);
    } else {
        source->store = atoi(PQgetvalue(result, 0, 0));
        source->digits = aff_currency_digits(PQgetvalue(result, 0, 1));
    }
    PQclear(result);
    return status;
}

static aff_status lock(struct aff_source *source, const char *store_name, struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number};
    int64_t got = 0;

    (void)snprintf(number, sizeof number, "%d", source->store);
    aff_status status =
        aff_query_number(source->ours, "SELECT pg_try_advisory_lock(" LOCK_CLASS ", $1::integer)::integer", 1,
                         parameters, &got, reterr);
    if (status == AFF_OK && got == 0)
        status = aff_error_set(reterr, AFF_BUSY,
                               "another program fills store '%s' from the shop's tables already", store_name);
    source->locked = status == AFF_OK;
    return status;
}

aff_status aff_source_open(const struct aff_source_settings *settings, struct aff_connection *ours,
                           const char *store_name, aff_source_reject_fn reject, void *context,
                           struct aff_source **ret_source, struct aff_error *reterr)
{
    struct aff_source *source = calloc(1, sizeof *source);

    if (source == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    source->settings = settings;
    source->ours = ours;
    source->reject = reject;
    source->context = context;
    aff_status status = find_store(source, store_name, reterr);
    if (status == AFF_OK)
        status = lock(source, store_name, reterr);
    if (status == AFF_OK)
        status = aff_source_connect(settings, &source->shop, reterr);
    if (status == AFF_OK)
        status = describe_all(source, reterr);
    if (status != AFF_OK) {
        aff_source_close(source);
        return status;
    }
    *ret_source = source;
    return AFF_OK;
}

struct aff_connection *aff_source_connection(struct aff_source *source)
{
    return &source->shop;
}

void aff_source_close(struct aff_source *source)
{
    char number[16];
    const char *parameters[] = {number};

    if (source == NULL)
        return;
    (void)snprintf(number, sizeof number, "%d", source->store);
    if (source->locked) /* the lock ends with the session at the latest */
        (void)!aff_query(source->ours, "SELECT pg_advisory_unlock(" LOCK_CLASS ", $1::integer)", 1,
                         parameters, NULL, NULL);
    aff_connection_close(&source->shop);
    for (int w = 0; w < AFF_SOURCE_WHATS; w++)
        free(source->seen[w].all);
    free(source);
}

/* ---- reading ---- */

aff_status aff_source_read(struct aff_source *source, enum aff_source_what what, struct aff_array *ids,
                           PGresult **ret_result, struct aff_error *reterr)
{
    const struct aff_source_relation *relation = &source->relations[what];
    const char *id = aff_source_shapes[what].columns[0].name;
    const char *parameters[] = {aff_array_text(ids)};
    struct aff_statement statement = {.size = 0};

    if (parameters[0] == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    aff_statement_append(&statement, "SELECT ");
    aff_source_append_columns(&statement, what, relation);
    aff_statement_append(&statement, " FROM ");
    aff_source_append_from(&statement, relation);
    aff_statement_append(&statement, " WHERE s.%s = ANY ($1::%s[]) ORDER BY 1", id, relation->id_type);
    aff_status status = aff_statement_check(&statement, reterr);
    if (status == AFF_OK)
        status = aff_query(&source->shop, statement.text, 1, parameters, ret_result, reterr);
    return status == AFF_OK ? AFF_OK : aff_error_prefix(reterr, status, "source.%s", aff_source_word(what));
}

aff_status aff_source_refresh(struct aff_source *source, enum aff_source_what what,
                              const struct aff_text *ids, size_t n, bool gone, struct aff_error *reterr)
{
    if (n == 0)
        return AFF_OK;
    if (what == AFF_SOURCE_ORDERS)
        return aff_source_refresh_orders(source, ids, n, gone, reterr);
    return aff_source_refresh_catalogue(source, what, ids, n, gone, reterr);
}
