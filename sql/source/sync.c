/* SPDX-License-Identifier: Apache-2.0 */
/* Finding what has changed in the shop's tables. */
#include "sql/intake/ids.h"
#include "sql/source/parts.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

/* Products and customers before the orders that name them. */
static const enum aff_source_what sequence[] = {AFF_SOURCE_CUSTOMERS, AFF_SOURCE_PRODUCTS, AFF_SOURCE_ORDERS};
enum { N_SEQUENCE = sizeof sequence / sizeof sequence[0] };

/* ---- by the shop's outbox ---- */

/* The ids of one kind among the claimed rows, each once. */
static aff_status refresh_claimed(struct aff_source *source, enum aff_source_what what,
                                  const PGresult *claimed, struct aff_error *reterr)
{
    struct aff_text ids[AFF_SOURCE_BATCH];
    struct aff_ids known = {0};
    aff_status status = AFF_OK;
    size_t n = 0;

    for (int row = 0; row < PQntuples(claimed) && status == AFF_OK; row++) {
        struct aff_text word = aff_source_field(claimed, row, 1), id = aff_source_field(claimed, row, 2);
        if (!aff_text_equal(word, aff_text_of(aff_source_word(what))) || id.at == NULL ||
            aff_ids_find(&known, id) != NULL)
            continue;
        status = aff_ids_add(&known, id, 0);
        ids[n++] = id;
    }
    aff_ids_done(&known);
    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    return aff_source_is_mapped(source, what) ? aff_source_refresh(source, what, ids, n, false, reterr)
                                              : AFF_OK;
}

static aff_status forget_claimed(struct aff_source *source, const PGresult *claimed, struct aff_error *reterr)
{
    struct aff_statement statement = {.size = 0};
    struct aff_array changes = {0};

    for (int row = 0; row < PQntuples(claimed); row++)
        aff_array_add_int64(&changes, strtoll(PQgetvalue(claimed, row, 0), NULL, 10));
    const char *parameters[] = {aff_array_text(&changes)};
    aff_statement_append(&statement, "DELETE FROM %s WHERE change = ANY ($1::bigint[])",
                         source->settings->mapping.outbox);
    aff_status status = parameters[0] == NULL
                            ? aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM))
                            : aff_query(&source->shop, statement.text, 1, parameters, NULL, reterr);
    aff_array_done(&changes);
    return status;
}

/* One snapshot of the shop shows the rows and at least what they stand for. They go when that is committed in
 * our tables; if this fails in between, they come again, which changes nothing. Rows that commit later stay,
 * whatever their numbers are. */
static aff_status take_outbox(struct aff_source *source, bool *ret_more, struct aff_error *reterr)
{
    struct aff_statement statement = {.size = 0};
    PGresult *claimed = NULL;
    aff_status status = aff_source_begin(source, true, reterr);

    if (status != AFF_OK)
        return status;
    aff_statement_append(&statement,
                         "SELECT change, CASE what WHEN 'lines' THEN 'orders' ELSE what END, key FROM %s"
                         " ORDER BY change LIMIT %d",
                         source->settings->mapping.outbox, AFF_SOURCE_BATCH);
    status = aff_query(&source->shop, statement.text, 0, NULL, &claimed, reterr);
    if (status != AFF_OK)
        (void)aff_error_prefix(reterr, status, "source.outbox");
    for (int i = 0; i < N_SEQUENCE && status == AFF_OK; i++)
        status = refresh_claimed(source, sequence[i], claimed, reterr);
    if (status == AFF_OK && PQntuples(claimed) > 0)
        status = forget_claimed(source, claimed, reterr);
    *ret_more = status == AFF_OK && PQntuples(claimed) == AFF_SOURCE_BATCH;
    PQclear(claimed);
    return aff_source_end(source, status, reterr);
}

/* ---- by updated_at ---- */

struct look {
    struct aff_source *source;
    enum aff_source_what what;
    struct aff_source_hashes seen; /* by this look */
};

/* What the last look saw with the same time is the same. */
static aff_status take_changed(void *context, const struct aff_text *ids, const uint64_t *marks, size_t n,
                               struct aff_error *reterr)
{
    struct look *look = context;
    struct aff_text changed[AFF_SOURCE_BATCH];
    size_t n_changed = 0;
    aff_status status = AFF_OK;

    for (size_t i = 0; i < n && status == AFF_OK; i++) {
        if (!aff_source_hashes_have(&look->source->seen[look->what], marks[i]))
            changed[n_changed++] = ids[i];
        status = aff_source_hashes_add(&look->seen, marks[i]);
    }
    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    status = aff_source_watched(look->source, 0, reterr);
    if (status != AFF_OK)
        return status;
    return aff_source_refresh(look->source, look->what, changed, n_changed, false, reterr);
}

static aff_status watermark(struct aff_source *source, enum aff_source_what what,
                            char ret_time[AFF_SOURCE_TIME], struct aff_error *reterr)
{
    char store[16];
    const char *parameters[] = {store, aff_source_word(what)};
    PGresult *result = NULL;

    (void)snprintf(store, sizeof store, "%d", source->store);
    aff_status status =
        aff_query(source->ours,
                  "SELECT coalesce(max(watermark), 'epoch'::timestamptz) FROM affinity.source_state"
                  " WHERE store = $1::integer AND what = $2",
                  2, parameters, &result, reterr);
    if (status == AFF_OK)
        (void)snprintf(ret_time, AFF_SOURCE_TIME, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return status;
}

static aff_status poll(struct aff_source *source, enum aff_source_what what, struct aff_error *reterr)
{
    struct look look = {.source = source, .what = what};
    char from[AFF_SOURCE_TIME], newest[AFF_SOURCE_TIME];
    aff_status status = watermark(source, what, from, reterr);

    if (status == AFF_OK)
        status = aff_source_begin(source, false, reterr);
    if (status != AFF_OK)
        return status;
    status = aff_source_scan(source, what, from, take_changed, &look, newest, reterr);
    status = aff_source_end(source, status, reterr);
    if (status == AFF_OK)
        status = aff_source_remember(source, what, newest, false, reterr);
    if (status == AFF_OK) {
        aff_source_hashes_sort(&look.seen);
        free(source->seen[what].all);
        source->seen[what] = look.seen;
    } else {
        free(look.seen.all);
    }
    return status;
}

aff_status aff_source_sync(struct aff_source *source, const struct aff_watch *watch,
                           struct aff_source_report *ret, struct aff_error *reterr)
{
    int64_t swept_s = -1;
    bool more = source->settings->mapping.triggers;
    aff_status status = aff_source_swept_s(source, &swept_s, reterr);

    if (status == AFF_OK && swept_s < 0)
        return aff_source_sweep(source, watch, ret, reterr);
    source->watch = watch;
    source->report = (struct aff_source_report){0};
    while (status == AFF_OK && more) {
        status = take_outbox(source, &more, reterr);
        if (status == AFF_OK)
            status = aff_source_watched(source, 0, reterr);
    }
    for (int i = 0; i < N_SEQUENCE && status == AFF_OK && !source->settings->mapping.triggers; i++)
        if (aff_source_is_mapped(source, sequence[i]))
            status = poll(source, sequence[i], reterr);
    if (status == AFF_OK)
        *ret = source->report;
    return status;
}
