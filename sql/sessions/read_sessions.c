/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/sessions/read_sessions.h"

#include "sql/copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_VIEWS (UINT32_MAX - 1)

aff_status aff_sessions_changes(struct aff_connection *connection, int store, int64_t *ret_changes,
                                struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number};

    (void)snprintf(number, sizeof number, "%d", store);
    return aff_query_number(
        connection,
        "SELECT coalesce((SELECT changes FROM affinity.viewed_state WHERE store = $1::integer), 0)", 1,
        parameters, ret_changes, reterr);
}

static uint32_t grown(uint32_t wanted)
{
    return wanted > MOST_VIEWS / 2 ? MOST_VIEWS : wanted * 2 + 1024;
}

/* Room for one more session of n views. */
static aff_status reserve(struct aff_read_sessions *sessions, size_t n)
{
    const uint32_t used = sessions->n == 0 ? 0 : sessions->starts[sessions->n];

    if (n > MOST_VIEWS - used)
        return AFF_LIMIT;
    if (sessions->n + 2 > sessions->capacity) {
        const uint32_t capacity = grown(sessions->n + 2);
        uint32_t *starts = realloc(sessions->starts, capacity * sizeof *starts);
        if (starts == NULL)
            return AFF_NOMEM;
        sessions->starts = starts;
        uint32_t *at_s = realloc(sessions->at_s, capacity * sizeof *at_s);
        if (at_s == NULL)
            return AFF_NOMEM;
        sessions->at_s = at_s;
        sessions->capacity = capacity;
    }
    if (used + n > sessions->products_capacity) {
        const uint32_t capacity = grown(used + (uint32_t)n);
        int32_t *products = realloc(sessions->products, capacity * sizeof *products);
        if (products == NULL)
            return AFF_NOMEM;
        sessions->products = products;
        sessions->products_capacity = capacity;
    }
    return AFF_OK;
}

static aff_status add(struct aff_read_sessions *sessions, int64_t at_s, struct aff_copy_array products)
{
    aff_status status = reserve(sessions, products.n);

    if (status != AFF_OK)
        return status;
    const uint32_t start = sessions->n == 0 ? 0 : sessions->starts[sessions->n];
    for (size_t i = 0; i < products.n; i++)
        sessions->products[start + i] = aff_copy_element_int32(products, i);
    sessions->at_s[sessions->n] = at_s < 0 ? 0 : at_s > UINT32_MAX ? UINT32_MAX : (uint32_t)at_s;
    sessions->starts[sessions->n++] = start;
    sessions->starts[sessions->n] = start + (uint32_t)products.n;
    return AFF_OK;
}

aff_status aff_sessions_read(struct aff_connection *connection, int store, uint32_t most,
                             struct aff_read_sessions *sessions, struct aff_error *reterr)
{
    struct aff_copy_reader reader = {0};
    char statement[256];
    bool more = true;

    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT extract(epoch FROM at)::bigint, products FROM affinity.session"
                   " WHERE store = %d ORDER BY at DESC, session_key LIMIT %" PRIu32
                   ") TO STDOUT (FORMAT binary)",
                   store, most);
    aff_status status = aff_copy_read_begin(&reader, connection, statement, reterr);
    while (status == AFF_OK && (status = aff_copy_read(&reader, &more, reterr)) == AFF_OK && more) {
        const int64_t at_s = aff_copy_get_int64(&reader, 0);
        status = add(sessions, at_s, aff_copy_get_array(&reader, sizeof(int32_t)));
        if (status != AFF_OK)
            (void)aff_error_set(reterr, status, "affinity.session: %s", aff_status_text(status));
    }
    aff_copy_read_close(&reader);
    return status;
}

void aff_read_sessions_done(struct aff_read_sessions *sessions)
{
    free(sessions->starts);
    free(sessions->at_s);
    free(sessions->products);
    *sessions = (struct aff_read_sessions){0};
}
