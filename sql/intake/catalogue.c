/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/intake/catalogue.h"

#include "sql/copy.h"
#include "sql/intake/changes.h"
#include "sql/intake/columns.h"
#include "sql/intake/lock.h"
#include "sql/statement.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOCK_WAIT_MS = 3000, MANY_NEW = 1000 };

struct aff_catalogue_intake {
    struct aff_connection *connection;
    int store;
    enum aff_catalogue_kind kind;
    const struct aff_columns *columns;
    unsigned given;
    struct aff_copy_writer copy;
    int64_t n;
    bool locked, in_transaction, copying;
};

/* Appends `format` for each column that the source has, with its name; `between` goes between them. */
static void append_columns(struct aff_statement *statement, const struct aff_catalogue_intake *intake,
                           const char *between, const char *before, const char *after, bool with_type)
{
    bool first = true;

    for (int c = 0; c < intake->columns->n; c++) {
        if ((intake->given >> c & 1) == 0)
            continue;
        aff_statement_append(statement, "%s%s%s%s%s", first ? "" : between, before,
                             intake->columns->all[c].name, after,
                             with_type ? intake->columns->all[c].type : "");
        first = false;
    }
}

static aff_status run(struct aff_catalogue_intake *intake, const struct aff_statement *statement,
                      int64_t *ret_rows, struct aff_error *reterr)
{
    PGresult *result = NULL;
    aff_status status = aff_statement_check(statement, reterr);

    if (status == AFF_OK)
        status = aff_query(intake->connection, statement->text, 0, NULL, &result, reterr);
    if (status == AFF_OK && ret_rows != NULL)
        *ret_rows = strtoll(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return status;
}

static aff_status begin(struct aff_catalogue_intake *intake, struct aff_error *reterr)
{
    struct aff_statement create = {.size = 0};
    aff_status status =
        aff_execute(intake->connection, "BEGIN; SET LOCAL work_mem = '128MB'; SET LOCAL jit = off", reterr);

    if (status != AFF_OK)
        return status;
    intake->in_transaction = true;
    aff_statement_append(&create,
                         "CREATE TEMPORARY TABLE import_row (number bigint NOT NULL, id text NOT NULL");
    for (int c = 0; c < intake->columns->n; c++)
        if ((intake->given >> c & 1) != 0)
            aff_statement_append(&create, ", %s text", intake->columns->all[c].name);
    aff_statement_append(&create, ") ON COMMIT DROP");
    status = aff_execute(intake->connection,
                         "CREATE TEMPORARY TABLE import_key (key bigint NOT NULL) ON COMMIT DROP", reterr);
    if (status == AFF_OK)
        status = run(intake, &create, NULL, reterr);
    if (status == AFF_OK)
        status = aff_copy_write_begin(&intake->copy, intake->connection,
                                      "COPY import_row FROM STDIN (FORMAT binary)", reterr);
    intake->copying = status == AFF_OK;
    return status;
}

aff_status aff_catalogue_intake_open(struct aff_connection *connection, int store,
                                     enum aff_catalogue_kind kind, unsigned columns,
                                     struct aff_catalogue_intake **ret_intake, struct aff_error *reterr)
{
    struct aff_catalogue_intake *intake = calloc(1, sizeof *intake);

    if (intake == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    intake->connection = connection;
    intake->store = store;
    intake->kind = kind;
    intake->columns = aff_columns_of(kind);
    intake->given = columns;
    aff_status status = aff_intake_lock(connection, store, LOCK_WAIT_MS, reterr);
    intake->locked = status == AFF_OK;
    if (status == AFF_OK)
        status = begin(intake, reterr);
    if (status != AFF_OK) {
        aff_catalogue_intake_close(intake);
        return status;
    }
    *ret_intake = intake;
    return AFF_OK;
}

static int count_bits(unsigned bits)
{
    return __builtin_popcount(bits);
}

aff_status aff_catalogue_intake_put(struct aff_catalogue_intake *intake, struct aff_text id,
                                    const struct aff_text values[], struct aff_error *reterr)
{
    aff_copy_row(&intake->copy, 2 + count_bits(intake->given));
    aff_copy_put_int64(&intake->copy, intake->n++);
    aff_copy_put_bytes(&intake->copy, id.at, id.size);
    for (int c = 0; c < intake->columns->n; c++) {
        if ((intake->given >> c & 1) == 0)
            continue;
        if (values[c].at == NULL)
            aff_copy_put_null(&intake->copy);
        else
            aff_copy_put_bytes(&intake->copy, values[c].at, values[c].size);
    }
    if (intake->copy.status == AFF_OK)
        return AFF_OK;
    intake->copying = false;
    return aff_copy_write_finish(&intake->copy, true, reterr);
}

/* Keeps the last row of each id. */
static aff_status keep_last(struct aff_catalogue_intake *intake, int64_t *ret_repeated,
                            struct aff_error *reterr)
{
    struct aff_statement statement = {.size = 0};
    aff_status status = aff_execute(intake->connection, "ANALYZE import_row", reterr);

    aff_statement_append(
        &statement,
        "DELETE FROM import_row a USING (SELECT id, max(number) AS number FROM import_row GROUP BY id"
        " HAVING count(*) > 1) b WHERE a.id = b.id AND a.number < b.number");
    if (status == AFF_OK)
        status = run(intake, &statement, ret_repeated, reterr);
    return status;
}

static aff_status update(struct aff_catalogue_intake *intake, int64_t *ret_changed, struct aff_error *reterr)
{
    struct aff_statement statement = {.size = 0};

    *ret_changed = 0;
    if (intake->given == 0)
        return AFF_OK;
    aff_statement_append(&statement, "WITH new AS (UPDATE affinity.%s t SET updated_at = now()",
                         intake->columns->table);
    for (int c = 0; c < intake->columns->n; c++)
        if ((intake->given >> c & 1) != 0)
            aff_statement_append(&statement, ", %s = r.%s::%s", intake->columns->all[c].name,
                                 intake->columns->all[c].name, intake->columns->all[c].type);
    aff_statement_append(&statement, " FROM import_row r WHERE t.store = %d AND t.id = r.id AND (",
                         intake->store);
    append_columns(&statement, intake, ", ", "t.", "", false);
    aff_statement_append(&statement, ") IS DISTINCT FROM (");
    append_columns(&statement, intake, ", ", "r.", "::", true);
    aff_statement_append(&statement, ") RETURNING t.%s) INSERT INTO import_key SELECT * FROM new",
                         intake->columns->table);
    return run(intake, &statement, ret_changed, reterr);
}

static aff_status insert(struct aff_catalogue_intake *intake, int64_t *ret_added, struct aff_error *reterr)
{
    struct aff_statement statement = {.size = 0};

    aff_statement_append(&statement, "WITH new AS (INSERT INTO affinity.%s (store, id",
                         intake->columns->table);
    append_columns(&statement, intake, "", ", ", "", false);
    aff_statement_append(&statement, ") SELECT %d, r.id", intake->store);
    append_columns(&statement, intake, "", ", r.", "::", true);
    aff_statement_append(
        &statement,
        " FROM import_row r WHERE NOT EXISTS (SELECT FROM affinity.%s t WHERE t.store = %d AND t.id = r.id)"
        " ORDER BY r.number ON CONFLICT (store, id) DO NOTHING RETURNING %s)"
        " INSERT INTO import_key SELECT * FROM new",
        intake->columns->table, intake->store, intake->columns->table);
    return run(intake, &statement, ret_added, reterr);
}

aff_status aff_catalogue_intake_apply(struct aff_catalogue_intake *intake, struct aff_catalogue_report *ret,
                                      struct aff_error *reterr)
{
    struct aff_catalogue_report report = {0};

    intake->copying = false;
    aff_status status = aff_copy_write_finish(&intake->copy, false, reterr);
    if (status == AFF_OK)
        status = keep_last(intake, &report.repeated, reterr);
    if (status == AFF_OK)
        status = aff_catalogue_lock(intake->connection, intake->store, reterr);
    if (status == AFF_OK)
        status = update(intake, &report.changed, reterr);
    if (status == AFF_OK)
        status = insert(intake, &report.added, reterr);
    if (status == AFF_OK)
        status = aff_catalogue_changed_table(intake->connection, intake->store,
                                             intake->kind == AFF_CATALOGUE_PRODUCTS ? AFF_CHANGED_PRODUCT
                                                                                    : AFF_CHANGED_CUSTOMER,
                                             "import_key", reterr);
    if (status == AFF_OK && report.added > MANY_NEW) /* statistics that fit, before anybody asks for rows */
        status = aff_execute(intake->connection,
                             intake->kind == AFF_CATALOGUE_PRODUCTS ? "ANALYZE affinity.product"
                                                                    : "ANALYZE affinity.customer",
                             reterr);
    if (status == AFF_OK)
        status = aff_execute(intake->connection, "COMMIT", reterr);
    if (status != AFF_OK)
        return status;
    intake->in_transaction = false;
    report.unchanged = intake->n - report.repeated - report.changed - report.added;
    *ret = report;
    return AFF_OK;
}

void aff_catalogue_intake_close(struct aff_catalogue_intake *intake)
{
    if (intake == NULL)
        return;
    if (intake->copying)
        (void)!aff_copy_write_finish(&intake->copy, true, NULL);
    if (intake->in_transaction)
        (void)!aff_execute(intake->connection, "ROLLBACK", NULL);
    if (intake->locked)
        aff_intake_unlock(intake->connection, intake->store);
    free(intake);
}
