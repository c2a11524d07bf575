/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/connection.h"

#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What all our statements expect of a session. */
#define SESSION                                                                                              \
    "-c search_path= -c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=iso_8601"                             \
    " -c client_connection_check_interval=2000"

static void ignore_notice(void *unused, const PGresult *result)
{
    (void)unused;
    (void)result;
}

/* libpq's messages end with a newline and may have several lines; people get one. */
static void one_line(char *text)
{
    size_t end = strlen(text);

    while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == ' '))
        text[--end] = '\0';
    for (char *at = text; (at = strchr(at, '\n')) != NULL;)
        *at = ' ';
}

aff_status aff_connection_open(const char *url, const char *application, int timeout_s,
                               struct aff_connection *ret, struct aff_error *reterr)
{
    char timeout[16];
    const char *keywords[] = {"dbname",
                              "connect_timeout",
                              "fallback_application_name",
                              "options",
                              "client_encoding",
                              "keepalives_idle",
                              "keepalives_interval",
                              "keepalives_count",
                              "tcp_user_timeout",
                              NULL};
    const char *values[] = {url, timeout, application, SESSION, "UTF8", "5", "3", "3", "15000", NULL};

    (void)snprintf(timeout, sizeof timeout, "%d", timeout_s);
    PGconn *pg = PQconnectdbParams(keywords, values, 1);
    if (pg == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    if (PQstatus(pg) != CONNECTION_OK) {
        (void)aff_error_set(reterr, AFF_BACKEND, "%s", PQerrorMessage(pg));
        if (reterr != NULL)
            one_line(reterr->text);
        PQfinish(pg);
        return AFF_BACKEND;
    }
    (void)PQsetNoticeReceiver(pg, ignore_notice, NULL);
    *ret = (struct aff_connection){.pg = pg};
    return AFF_OK;
}

void aff_connection_close(struct aff_connection *connection)
{
    PQfinish(connection->pg);
    connection->pg = NULL;
}

bool aff_connection_good(const struct aff_connection *connection)
{
    return connection->pg != NULL && PQstatus(connection->pg) == CONNECTION_OK;
}

static aff_status status_of(const char *sqlstate, PGconn *pg)
{
    static const char *const passing[] = {"08", "25006", "53", "57P", "40"};
    static const char *const schema[] = {"42P01", "42703", "3F000"};

    if (sqlstate == NULL || sqlstate[0] == '\0')
        return PQstatus(pg) == CONNECTION_OK ? AFF_DATA : AFF_BACKEND;
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        if (strncmp(sqlstate, passing[i], strlen(passing[i])) == 0)
            return AFF_BACKEND;
    for (size_t i = 0; i < sizeof schema / sizeof schema[0]; i++)
        if (strcmp(sqlstate, schema[i]) == 0)
            return AFF_SCHEMA;
    return AFF_DATA;
}

aff_status aff_connection_error(struct aff_connection *connection, const PGresult *result,
                                struct aff_error *reterr)
{
    const char *sqlstate = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    aff_status status = status_of(sqlstate, connection->pg);

    if (message == NULL)
        message = result != NULL && PQresultErrorMessage(result)[0] != '\0' ? PQresultErrorMessage(result)
                                                                            : PQerrorMessage(connection->pg);
    const char *detail = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    (void)aff_error_set(reterr, status, "%s%s%s", message, detail == NULL ? "" : ": ",
                        detail == NULL ? "" : detail);
    if (reterr != NULL) {
        one_line(reterr->text);
        if (sqlstate != NULL)
            (void)snprintf(reterr->sqlstate, sizeof reterr->sqlstate, "%s", sqlstate);
    }
    return status;
}

aff_status aff_connection_await(struct aff_connection *connection, struct aff_error *reterr)
{
    struct pollfd server = {.fd = PQsocket(connection->pg), .events = POLLIN};
    int ready;

    do
        ready = poll(&server, 1, connection->patience_ms == 0 ? -1 : connection->patience_ms);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return aff_error_set(reterr, AFF_BACKEND, "the database has said nothing for %d seconds",
                             connection->patience_ms / 1000);
    if (ready < 0 || PQconsumeInput(connection->pg) == 0)
        return aff_connection_error(connection, NULL, reterr);
    return AFF_OK;
}

PGresult *aff_connection_collect(struct aff_connection *connection, struct aff_error *reterr)
{
    PGresult *last = NULL;

    for (;;) {
        while (PQisBusy(connection->pg) != 0)
            if (aff_connection_await(connection, reterr) != AFF_OK) {
                PQclear(last);
                return NULL;
            }
        PGresult *result = PQgetResult(connection->pg);
        if (result == NULL)
            return last;
        if (last != NULL && PQresultStatus(last) == PGRES_FATAL_ERROR) {
            PQclear(result);
            continue;
        }
        PQclear(last);
        last = result;
        ExecStatusType outcome = PQresultStatus(last);
        if (outcome == PGRES_COPY_OUT || outcome == PGRES_COPY_IN ||
            PQstatus(connection->pg) == CONNECTION_BAD)
            return last;
    }
}

/* Checks and hands on what a statement gave; `sent` is 0 when it could not be sent. */
static aff_status conclude(struct aff_connection *connection, int sent, PGresult **ret_result,
                           struct aff_error *reterr)
{
    struct aff_error silent = {.status = AFF_OK};
    PGresult *result = sent == 0 ? NULL : aff_connection_collect(connection, &silent);
    ExecStatusType outcome = PQresultStatus(result);

    if (silent.status != AFF_OK) {
        if (reterr != NULL)
            *reterr = silent;
        return silent.status;
    }
    if (outcome != PGRES_COMMAND_OK && outcome != PGRES_TUPLES_OK && outcome != PGRES_EMPTY_QUERY &&
        outcome != PGRES_COPY_OUT) {
        aff_status status = aff_connection_error(connection, result, reterr);
        PQclear(result);
        return status;
    }
    if (ret_result == NULL)
        PQclear(result);
    else
        *ret_result = result;
    return AFF_OK;
}

aff_status aff_query(struct aff_connection *connection, const char *statement, int n_parameters,
                     const char *const parameters[], PGresult **ret_result, struct aff_error *reterr)
{
    int sent = PQsendQueryParams(connection->pg, statement, n_parameters, NULL, parameters, NULL, NULL, 0);

    return conclude(connection, sent, ret_result, reterr);
}

aff_status aff_execute(struct aff_connection *connection, const char *script, struct aff_error *reterr)
{
    return conclude(connection, PQsendQuery(connection->pg, script), NULL, reterr);
}

aff_status aff_query_number(struct aff_connection *connection, const char *statement, int n_parameters,
                            const char *const parameters[], int64_t *ret_number, struct aff_error *reterr)
{
    PGresult *result = NULL;
    aff_status status = aff_query(connection, statement, n_parameters, parameters, &result, reterr);

    if (status != AFF_OK)
        return status;
    if (PQntuples(result) == 0 || PQgetisnull(result, 0, 0))
        status = aff_error_set(reterr, AFF_NOTFOUND, "no such row");
    else
        *ret_number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return status;
}

void aff_partition_name(const char *table, int store, const char *suffix, char ret_name[AFF_PARTITION_NAME])
{
    (void)snprintf(ret_name, AFF_PARTITION_NAME, "affinity.%s_s%d%s", table, store, suffix);
}
