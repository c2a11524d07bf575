/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/intake/put_catalogue.h"

#include "sql/array.h"
#include "sql/intake/changes.h"
#include "sql/intake/columns.h"
#include "sql/intake/ids.h"
#include "sql/intake/lock.h"
#include "sql/intake/put_rows.h"
#include "sql/statement.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

/* Parameters before those of the columns: store, ids, bits of the columns that are said. */
enum { FIXED = 3, MAX_COLUMNS = AFF_PRODUCT_COLUMNS, MAX_PARAMETERS = FIXED + MAX_COLUMNS };

struct putting {
    struct aff_connection *connection;
    int store;
    enum aff_catalogue_kind kind;
    const struct aff_columns *columns;
    struct aff_put_entry *entries;
    size_t n_entries;
    struct aff_ids ids; /* distinct ids; the number is 0 until the key is known */
    /* Of each distinct id: */
    unsigned *given;
    struct aff_text *values; /* columns->n each */
    enum aff_put_outcome *outcomes;
    char number[16];
    struct aff_array arrays[MAX_PARAMETERS - 1];
    struct aff_error *reterr;
};

static aff_status no_memory(const struct putting *putting)
{
    return aff_error_set(putting->reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

/* Joins entries with the same id: what a later one says counts. */
static aff_status join(struct putting *putting)
{
    int n = putting->columns->n;

    putting->given = calloc(putting->n_entries + 1, sizeof putting->given[0]);
    putting->values = calloc((putting->n_entries + 1) * (size_t)n, sizeof putting->values[0]);
    putting->outcomes = calloc(putting->n_entries + 1, sizeof putting->outcomes[0]);
    if (putting->given == NULL || putting->values == NULL || putting->outcomes == NULL)
        return no_memory(putting);
    for (size_t e = 0; e < putting->n_entries; e++) {
        const struct aff_put_entry *entry = &putting->entries[e];
        const struct aff_id *id = aff_ids_find(&putting->ids, entry->id);
        if (id == NULL && aff_ids_add(&putting->ids, entry->id, 0) != AFF_OK)
            return no_memory(putting);
        size_t i = id == NULL ? putting->ids.n - 1 : (size_t)(id - putting->ids.all);
        putting->given[i] |= entry->given;
        for (int c = 0; c < n; c++)
            if ((entry->given >> c & 1) != 0)
                putting->values[i * (size_t)n + (size_t)c] = entry->values[c];
    }
    return AFF_OK;
}

static void fill_arrays(struct putting *putting)
{
    int n = putting->columns->n;

    for (size_t i = 0; i < putting->ids.n; i++) {
        aff_array_add_text(&putting->arrays[0], putting->ids.all[i].text);
        aff_array_add_int64(&putting->arrays[1], putting->given[i]);
        for (int c = 0; c < n; c++) {
            struct aff_text value = putting->values[i * (size_t)n + (size_t)c];
            if (value.at == NULL)
                aff_array_add_null(&putting->arrays[2 + c]);
            else
                aff_array_add_text(&putting->arrays[2 + c], value);
        }
    }
}

static aff_status query(struct putting *putting, const struct aff_statement *statement, int n_parameters,
                        PGresult **ret_result)
{
    const char *parameters[MAX_PARAMETERS] = {putting->number};
    aff_status status = aff_statement_check(statement, putting->reterr);

    for (int i = 1; i < n_parameters && status == AFF_OK; i++) {
        parameters[i] = aff_array_text(&putting->arrays[i - 1]);
        if (parameters[i] == NULL)
            status = no_memory(putting);
    }
    if (status != AFF_OK)
        return status;
    return aff_query(putting->connection, statement->text, n_parameters, parameters, ret_result,
                     putting->reterr);
}

/* "unnest($2::text[], ...) i (id, given, name, ...)". */
static void append_input(struct aff_statement *statement, const struct putting *putting)
{
    aff_statement_append(statement, "unnest($2::text[], $3::integer[]");
    for (int c = 0; c < putting->columns->n; c++)
        aff_statement_append(statement, ", $%d::text[]", FIXED + 1 + c);
    aff_statement_append(statement, ") i (id, given");
    for (int c = 0; c < putting->columns->n; c++)
        aff_statement_append(statement, ", %s", putting->columns->all[c].name);
    aff_statement_append(statement, ")");
}

/* Whether a column that is said is another than the stored row's. */
static void append_differs(struct aff_statement *statement, const struct putting *putting)
{
    for (int c = 0; c < putting->columns->n; c++) {
        const struct aff_column *column = &putting->columns->all[c];
        aff_statement_append(statement, "%s(i.given >> %d & 1 = 1 AND p.%s IS DISTINCT FROM i.%s::%s)",
                             c == 0 ? "(" : " OR ", c, column->name, column->name, column->type);
    }
    aff_statement_append(statement, ")");
}

/* Takes (id, key) rows, whose outcome is `outcome`. */
static void take(struct putting *putting, const PGresult *result, enum aff_put_outcome outcome)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct aff_text text = {PQgetvalue(result, row, 0), (size_t)PQgetlength(result, row, 0)};
        const struct aff_id *id = aff_ids_find(&putting->ids, text);
        if (id == NULL)
            continue;
        putting->ids.all[id - putting->ids.all].number = strtoll(PQgetvalue(result, row, 1), NULL, 10);
        putting->outcomes[id - putting->ids.all] = outcome;
    }
}

/* The ids that are stored, and the number of entries that would change something. */
static aff_status compare(struct putting *putting, size_t *ret_differing)
{
    struct aff_statement statement = {.size = 0};
    const char *table = putting->columns->table;
    PGresult *result = NULL;

    aff_statement_append(&statement, "SELECT p.id, p.%s, ", table);
    append_differs(&statement, putting);
    aff_statement_append(&statement, " FROM ");
    append_input(&statement, putting);
    aff_statement_append(&statement, " JOIN affinity.%s p ON p.store = $1::integer AND p.id = i.id", table);
    aff_status status = query(putting, &statement, FIXED + putting->columns->n, &result);
    if (status == AFF_OK) {
        take(putting, result, AFF_PUT_UNCHANGED);
        *ret_differing = putting->ids.n - (size_t)PQntuples(result);
        for (int row = 0; row < PQntuples(result); row++)
            *ret_differing += PQgetvalue(result, row, 2)[0] == 't';
    }
    PQclear(result);
    return status;
}

/* Creates those that are missing, with the tables' defaults. */
static aff_status add(struct putting *putting)
{
    struct aff_statement statement = {.size = 0};
    const char *table = putting->columns->table;
    PGresult *result = NULL;

    aff_statement_append(
        &statement,
        "INSERT INTO affinity.%s (store, id) SELECT $1::integer, i.id FROM unnest($2::text[])"
        " i (id) WHERE NOT EXISTS (SELECT FROM affinity.%s p WHERE p.store = $1::integer"
        " AND p.id = i.id) ORDER BY i.id COLLATE \"C\" ON CONFLICT (store, id) DO NOTHING"
        " RETURNING id, %s",
        table, table, table);
    aff_status status = query(putting, &statement, 2, &result);
    if (status == AFF_OK)
        take(putting, result, AFF_PUT_ADDED);
    PQclear(result);
    return status;
}

static aff_status change(struct putting *putting)
{
    struct aff_statement statement = {.size = 0};
    PGresult *result = NULL;

    aff_statement_append(&statement, "UPDATE affinity.%s p SET updated_at = now()", putting->columns->table);
    for (int c = 0; c < putting->columns->n; c++) {
        const struct aff_column *column = &putting->columns->all[c];
        aff_statement_append(&statement, ", %s = CASE WHEN i.given >> %d & 1 = 1 THEN i.%s::%s ELSE p.%s END",
                             column->name, c, column->name, column->type, column->name);
    }
    aff_statement_append(&statement, " FROM ");
    append_input(&statement, putting);
    aff_statement_append(&statement, " WHERE p.store = $1::integer AND p.id = i.id AND ");
    append_differs(&statement, putting);
    aff_statement_append(&statement, " RETURNING p.id, p.%s", putting->columns->table);
    aff_status status = query(putting, &statement, FIXED + putting->columns->n, &result);
    for (int row = 0; status == AFF_OK && row < PQntuples(result); row++) {
        struct aff_text text = {PQgetvalue(result, row, 0), (size_t)PQgetlength(result, row, 0)};
        const struct aff_id *id = aff_ids_find(&putting->ids, text);
        if (id == NULL)
            continue;
        size_t index = (size_t)(id - putting->ids.all);
        putting->ids.all[index].number = strtoll(PQgetvalue(result, row, 1), NULL, 10);
        if (putting->outcomes[index] != AFF_PUT_ADDED)
            putting->outcomes[index] = AFF_PUT_CHANGED;
    }
    PQclear(result);
    return status;
}

static aff_status tell(struct putting *putting)
{
    struct aff_array keys = {0};
    aff_status status = AFF_OK;

    for (size_t i = 0; i < putting->ids.n; i++)
        if (putting->outcomes[i] != AFF_PUT_UNCHANGED)
            aff_array_add_int64(&keys, putting->ids.all[i].number);
    if (keys.used > 0)
        status = aff_catalogue_changed(putting->connection, putting->store,
                                       putting->kind == AFF_CATALOGUE_PRODUCTS ? AFF_CHANGED_PRODUCT
                                                                               : AFF_CHANGED_CUSTOMER,
                                       &keys, putting->reterr);
    aff_array_done(&keys);
    return status;
}

static aff_status write(struct putting *putting)
{
    size_t differing = 0;
    aff_status status = compare(putting, &differing);

    if (status != AFF_OK || differing == 0)
        return status;
    status = aff_catalogue_lock(putting->connection, putting->store, putting->reterr);
    /* Once more: what somebody else has written meanwhile is not ours to report. */
    if (status == AFF_OK)
        status = compare(putting, &differing);
    if (status == AFF_OK)
        status = add(putting);
    if (status == AFF_OK)
        status = change(putting);
    if (status == AFF_OK)
        status = tell(putting);
    return status;
}

/* Hands the outcome and the row of each id to its entries. */
static aff_status finish(struct putting *putting, struct aff_put_result *result)
{
    result->keys = aff_arena_take(&result->arena, (putting->n_entries + 1) * sizeof result->keys[0]);
    if (result->keys == NULL)
        return no_memory(putting);
    for (size_t e = 0; e < putting->n_entries; e++) {
        struct aff_put_entry *entry = &putting->entries[e];
        const struct aff_id *id = aff_ids_find(&putting->ids, entry->id);
        entry->outcome = putting->outcomes[id - putting->ids.all];
        result->keys[e] = id->number;
        result->added += entry->outcome == AFF_PUT_ADDED;
        result->changed += entry->outcome == AFF_PUT_CHANGED;
        result->unchanged += entry->outcome == AFF_PUT_UNCHANGED;
    }
    return aff_put_read_rows(putting->connection, putting->store, putting->kind, putting->n_entries, result,
                             putting->reterr);
}

static void done(struct putting *putting)
{
    aff_ids_done(&putting->ids);
    free(putting->given);
    free(putting->values);
    free(putting->outcomes);
    for (int i = 0; i < MAX_PARAMETERS - 1; i++)
        aff_array_done(&putting->arrays[i]);
}

aff_status aff_catalogue_put(struct aff_connection *connection, int store, enum aff_catalogue_kind kind,
                             struct aff_put_entry *entries, size_t n_entries,
                             struct aff_put_result *ret_result, struct aff_error *reterr)
{
    struct putting putting = {.connection = connection,
                              .store = store,
                              .kind = kind,
                              .columns = aff_columns_of(kind),
                              .entries = entries,
                              .n_entries = n_entries,
                              .reterr = reterr};
    struct aff_put_result result = {0};

    if (n_entries > AFF_PUT_CATALOGUE_MAX)
        return aff_error_set(reterr, AFF_LIMIT, "a batch has at most %d entries", AFF_PUT_CATALOGUE_MAX);
    (void)snprintf(putting.number, sizeof putting.number, "%d", store);
    aff_status status = aff_intake_begin_small(connection, reterr);
    if (status == AFF_OK)
        status = join(&putting);
    if (status == AFF_OK) {
        fill_arrays(&putting);
        status = write(&putting);
    }
    if (status == AFF_OK)
        status = finish(&putting, &result);
    done(&putting);
    if (status != AFF_OK) {
        aff_put_result_done(&result);
        return status;
    }
    *ret_result = result;
    return AFF_OK;
}

void aff_put_result_done(struct aff_put_result *result)
{
    aff_arena_done(&result->arena);
    *result = (struct aff_put_result){0};
}
