/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/idempotency.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT(macro) TEXT_OF(macro)
#define TEXT_OF(macro) #macro

/* Parameters as text, those with `size` above 0 as bytes. */
struct parameter {
    const char *value;
    size_t size;
};

static aff_status run(struct aff_connection *connection, const char *statement, int n,
                      const struct parameter *parameters, PGresult **ret_result, struct aff_error *reterr)
{
    const char *values[5];
    int sizes[5], formats[5];

    for (int i = 0; i < n; i++) {
        values[i] = parameters[i].value;
        sizes[i] = (int)parameters[i].size;
        formats[i] = parameters[i].size > 0;
    }
    PGresult *result = PQexecParams(connection->pg, statement, n, NULL, values, sizes, formats, 1);
    ExecStatusType outcome = PQresultStatus(result);
    if (outcome != PGRES_COMMAND_OK && outcome != PGRES_TUPLES_OK) {
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

static unsigned read_status(const PGresult *result)
{
    const unsigned char *bytes = (const unsigned char *)PQgetvalue(result, 0, 1);

    return (unsigned)bytes[2] << 8 | bytes[3];
}

/* The row of a known key. */
static aff_status read_row(const PGresult *result, struct aff_idempotent *ret, struct aff_error *reterr)
{
    struct aff_idempotent found = {.known = true, .same = PQgetvalue(result, 0, 0)[0] != 0};

    found.status = read_status(result);
    if (found.same) {
        found.answer_size = (size_t)PQgetlength(result, 0, 2);
        found.answer = malloc(found.answer_size + 1);
        if (found.answer == NULL)
            return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
        memcpy(found.answer, PQgetvalue(result, 0, 2), found.answer_size);
    }
    *ret = found;
    return AFF_OK;
}

aff_status aff_idempotency_claim(struct aff_connection *connection, int store, struct aff_text key,
                                 struct aff_text request, struct aff_idempotent *ret,
                                 struct aff_error *reterr)
{
    char number[16];
    PGresult *result = NULL;

    (void)snprintf(number, sizeof number, "%d", store);
    const struct parameter parameters[] = {{number, 0}, {key.at, key.size}, {request.at, request.size}};
    aff_status status =
        run(connection,
            "INSERT INTO affinity.idempotency (store, key, request, status, answer)"
            " VALUES ($1::integer, $2::text, $3::bytea, 0, '') ON CONFLICT DO NOTHING RETURNING store",
            3, parameters, &result, reterr);
    if (status != AFF_OK)
        return status;
    bool ours = PQntuples(result) == 1;
    PQclear(result);
    if (ours) {
        *ret = (struct aff_idempotent){.known = false};
        return AFF_OK;
    }
    status = run(connection,
                 "SELECT request = $3::bytea, status, answer FROM affinity.idempotency"
                 " WHERE store = $1::integer AND key = $2::text",
                 3, parameters, &result, reterr);
    if (status != AFF_OK)
        return status;
    if (PQntuples(result) == 1)
        status = read_row(result, ret, reterr);
    else /* thrown away between the two statements, so it was a day old */
        status = aff_error_set(reterr, AFF_BACKEND, "the key's answer has just been thrown away; repeat");
    PQclear(result);
    return status;
}

aff_status aff_idempotency_keep(struct aff_connection *connection, int store, struct aff_text key,
                                unsigned status, struct aff_text answer, struct aff_error *reterr)
{
    char number[16], code[16];

    (void)snprintf(number, sizeof number, "%d", store);
    (void)snprintf(code, sizeof code, "%u", status);
    const struct parameter parameters[] = {
        {number, 0}, {key.at, key.size}, {code, 0}, {answer.at, answer.size}};
    return run(connection,
               "UPDATE affinity.idempotency SET status = $3::integer, answer = $4::bytea"
               " WHERE store = $1::integer AND key = $2::text",
               4, parameters, NULL, reterr);
}

aff_status aff_idempotency_trim(struct aff_connection *connection, struct aff_error *reterr)
{
    return aff_query(connection,
                     "DELETE FROM affinity.idempotency WHERE (store, key) IN (SELECT store, key"
                     " FROM affinity.idempotency WHERE created_at < now() - interval"
                     " '" TEXT(AFF_IDEMPOTENCY_HOURS) " hours' ORDER BY created_at LIMIT 10000"
                                                      " FOR UPDATE SKIP LOCKED)",
                     0, NULL, NULL, reterr);
}
