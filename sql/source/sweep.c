/* SPDX-License-Identifier: Apache-2.0 */
/* Reading all of the shop's tables, and finding what is no longer there. */
#include "sql/copy.h"
#include "sql/source/parts.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

struct sweeping {
    struct aff_source *source;
    enum aff_source_what what;
    struct aff_source_hashes ids; /* hashes of those that the shop has */
    struct aff_arena arena;
    struct aff_text *gone; /* those that only ours has */
    size_t n_gone, capacity;
    uint64_t read;
};

static aff_status no_memory(struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

static aff_status take(void *context, const struct aff_text *ids, const uint64_t *marks, size_t n,
                       struct aff_error *reterr)
{
    struct sweeping *sweeping = context;

    (void)marks;
    for (size_t i = 0; i < n; i++)
        if (aff_source_hashes_add(&sweeping->ids, aff_text_hash(ids[i])) != AFF_OK)
            return no_memory(reterr);
    sweeping->read += n;
    aff_status status = aff_source_watched(sweeping->source,
                                           sweeping->what == AFF_SOURCE_ORDERS ? sweeping->read : 0, reterr);
    if (status != AFF_OK)
        return status;
    return aff_source_refresh(sweeping->source, sweeping->what, ids, n, false, reterr);
}

static aff_status note_gone(struct sweeping *sweeping, struct aff_text id)
{
    if (sweeping->n_gone == sweeping->capacity) {
        size_t capacity = sweeping->capacity == 0 ? 256 : sweeping->capacity * 2;
        struct aff_text *gone = realloc(sweeping->gone, capacity * sizeof gone[0]);
        if (gone == NULL)
            return AFF_NOMEM;
        sweeping->gone = gone;
        sweeping->capacity = capacity;
    }
    struct aff_text copy = aff_arena_copy(&sweeping->arena, id);
    if (copy.at == NULL)
        return AFF_NOMEM;
    sweeping->gone[sweeping->n_gone++] = copy;
    return AFF_OK;
}

/* What ours has and the shop has not. Customers stay: their orders tell of them. */
static aff_status find_gone(struct sweeping *sweeping, struct aff_error *reterr)
{
    struct aff_copy_reader reader = {0};
    char statement[256];
    bool more = true;

    if (sweeping->what == AFF_SOURCE_CUSTOMERS)
        return AFF_OK;
    aff_source_hashes_sort(&sweeping->ids);
    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT id FROM affinity.%s WHERE store = %d%s) TO STDOUT (FORMAT binary)",
                   sweeping->what == AFF_SOURCE_ORDERS ? "orders" : "product", sweeping->source->store,
                   sweeping->what == AFF_SOURCE_ORDERS ? "" : " AND available");
    aff_status status = aff_copy_read_begin(&reader, sweeping->source->ours, statement, reterr);
    while (status == AFF_OK && (status = aff_copy_read(&reader, &more, reterr)) == AFF_OK && more) {
        struct aff_text id = aff_copy_get_text(&reader);
        if (!aff_source_hashes_have(&sweeping->ids, aff_text_hash(id)) && note_gone(sweeping, id) != AFF_OK)
            status = no_memory(reterr);
    }
    aff_copy_read_close(&reader);
    return status;
}

static aff_status drop_gone(struct sweeping *sweeping, struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    for (size_t from = 0; from < sweeping->n_gone && status == AFF_OK; from += AFF_SOURCE_BATCH) {
        size_t n = sweeping->n_gone - from < AFF_SOURCE_BATCH ? sweeping->n_gone - from : AFF_SOURCE_BATCH;
        status = aff_source_refresh(sweeping->source, sweeping->what, sweeping->gone + from, n, true, reterr);
    }
    return status;
}

static aff_status sweep(struct sweeping *sweeping, struct aff_error *reterr)
{
    struct aff_source *source = sweeping->source;
    char newest[AFF_SOURCE_TIME] = "";
    aff_status status = aff_source_begin(source, false, reterr);

    if (status != AFF_OK)
        return status;
    status = aff_source_scan(source, sweeping->what, NULL, take, sweeping, newest, reterr);
    if (status == AFF_OK)
        status = find_gone(sweeping, reterr);
    if (status == AFF_OK)
        status = drop_gone(sweeping, reterr);
    status = aff_source_end(source, status, reterr);
    if (status == AFF_OK)
        status = aff_source_remember(source, sweeping->what, newest, true, reterr);
    return status;
}

aff_status aff_source_sweep(struct aff_source *source, const struct aff_watch *watch,
                            struct aff_source_report *ret, struct aff_error *reterr)
{
    static const enum aff_source_what sequence[] = {AFF_SOURCE_CUSTOMERS, AFF_SOURCE_PRODUCTS,
                                                    AFF_SOURCE_ORDERS};
    aff_status status = AFF_OK;

    source->watch = watch;
    source->report = (struct aff_source_report){0};
    for (size_t i = 0; i < sizeof sequence / sizeof sequence[0] && status == AFF_OK; i++) {
        struct sweeping sweeping = {.source = source, .what = sequence[i]};
        if (!aff_source_is_mapped(source, sequence[i]))
            continue;
        status = sweep(&sweeping, reterr);
        free(sweeping.ids.all);
        free(sweeping.gone);
        aff_arena_done(&sweeping.arena);
    }
    if (status == AFF_OK)
        *ret = source->report;
    return status;
}

aff_status aff_source_swept_s(struct aff_source *source, int64_t *ret_seconds, struct aff_error *reterr)
{
    struct aff_array whats = {0};
    char store[16];
    int64_t n = 0;

    for (int w = 0; w < AFF_SOURCE_WHATS; w++)
        if (w != AFF_SOURCE_LINES && aff_source_is_mapped(source, (enum aff_source_what)w)) {
            aff_array_add_text(&whats, aff_text_of(aff_source_word((enum aff_source_what)w)));
            n++;
        }
    (void)snprintf(store, sizeof store, "%d", source->store);
    char wanted[32];
    (void)snprintf(wanted, sizeof wanted, "%lld", (long long)n);
    const char *parameters[] = {store, aff_array_text(&whats), wanted};
    aff_status status =
        parameters[1] == NULL
            ? no_memory(reterr)
            : aff_query_number(
                  source->ours,
                  "SELECT CASE WHEN count(swept_at) < $3::integer THEN -1 ELSE"
                  " extract(epoch FROM now() - min(swept_at))::bigint END FROM affinity.source_state"
                  " WHERE store = $1::integer AND what = ANY ($2::text[])",
                  3, parameters, ret_seconds, reterr);
    aff_array_done(&whats);
    return status;
}
