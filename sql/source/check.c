/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/source/parts.h"

#include <libpq-fe.h>
#include <stdio.h>

struct counting {
    void (*tell)(void *context, bool good, const char *text);
    void *context;
    int wrong;
};

static void count(void *context, bool good, const char *text)
{
    struct counting *counting = context;

    counting->wrong += !good;
    counting->tell(counting->context, good, text);
}

/* A few rows through the same statement that reads them later. */
static aff_status try_rows(struct aff_connection *shop, enum aff_source_what what,
                           const struct aff_source_relation *relation, struct counting *counting,
                           struct aff_error *reterr)
{
    struct aff_statement statement = {.size = 0};
    struct aff_error error = {0};
    char text[1024];
    PGresult *rows = NULL;

    aff_statement_append(&statement, "SELECT ");
    aff_source_append_columns(&statement, what, relation);
    aff_statement_append(&statement, " FROM ");
    aff_source_append_from(&statement, relation);
    aff_statement_append(&statement, " LIMIT 1000");
    aff_status status = aff_statement_check(&statement, reterr);
    if (status == AFF_OK)
        status = aff_query(shop, statement.text, 0, NULL, &rows, &error);
    if (status == AFF_BACKEND && reterr != NULL)
        *reterr = error;
    if (status == AFF_BACKEND || status == AFF_LIMIT)
        return status;
    if (status != AFF_OK)
        (void)snprintf(text, sizeof text, "source.%s: rows cannot be read: %s", aff_source_word(what),
                       error.text);
    else
        (void)snprintf(text, sizeof text, "source.%s: can be read, %s%d rows", aff_source_word(what),
                       PQntuples(rows) == 1000 ? "more than " : "", PQntuples(rows));
    count(counting, status == AFF_OK, text);
    PQclear(rows);
    return AFF_OK;
}

static aff_status check_outbox(struct aff_connection *shop, const char *outbox, struct counting *counting,
                               struct aff_error *reterr)
{
    const char *parameters[] = {outbox};
    int64_t fits = 0;
    char text[1024];
    aff_status status = aff_query_number(shop,
                                         "SELECT CASE WHEN to_regclass($1) IS NULL THEN 0"
                                         " WHEN has_table_privilege(to_regclass($1), 'SELECT') AND "
                                         "has_table_privilege(to_regclass($1), 'DELETE')"
                                         " THEN 2 ELSE 1 END",
                                         1, parameters, &fits, reterr);

    if (status != AFF_OK)
        return status;
    (void)snprintf(
        text, sizeof text,
        fits == 0   ? "source.outbox: there is no table %s; 'affinityctl source sql --trigger' prints what"
                      " makes it"
        : fits == 1 ? "source.outbox: this role may not SELECT and DELETE in %s; GRANT SELECT, DELETE on it"
                    : "source.outbox: %s is there and may be read and emptied",
        outbox);
    count(counting, fits == 2, text);
    return AFF_OK;
}

static aff_status check_all(struct aff_connection *shop, const struct aff_source_settings *settings,
                            struct counting *counting, struct aff_error *reterr)
{
    aff_status status = AFF_OK;
    int mapped = 0;

    for (int w = 0; w < AFF_SOURCE_WHATS && status == AFF_OK; w++) {
        struct aff_source_relation relation;
        int before = counting->wrong;
        status =
            aff_source_describe(shop, settings, (enum aff_source_what)w, &relation, count, counting, reterr);
        mapped += status == AFF_OK && relation.from[0] != '\0';
        if (status == AFF_OK && relation.from[0] != '\0' && counting->wrong == before)
            status = try_rows(shop, (enum aff_source_what)w, &relation, counting, reterr);
    }
    if (status == AFF_OK && mapped == 0)
        count(counting, false, "nothing is mapped: set source.orders and source.lines, and source.products");
    if (status == AFF_OK && (settings->mapping.relations[AFF_SOURCE_ORDERS][0] == '\0') !=
                                (settings->mapping.relations[AFF_SOURCE_LINES][0] == '\0'))
        count(counting, false, "source.orders and source.lines go together; one of them is empty");
    if (status == AFF_OK && settings->mapping.triggers)
        status = check_outbox(shop, settings->mapping.outbox, counting, reterr);
    return status;
}

aff_status aff_source_check(const struct aff_source_settings *settings,
                            void (*tell)(void *context, bool good, const char *text), void *context,
                            int *ret_wrong, struct aff_error *reterr)
{
    struct counting counting = {tell, context, 0};
    struct aff_connection shop = {0};
    aff_status status = aff_source_connect(settings, &shop, reterr);

    if (status == AFF_OK)
        status = check_all(&shop, settings, &counting, reterr);
    aff_connection_close(&shop);
    if (status == AFF_OK)
        *ret_wrong = counting.wrong;
    return status;
}
