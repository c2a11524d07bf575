/* SPDX-License-Identifier: Apache-2.0 */
/* Going through a relation of the shop, and remembering how far. */
#include "core/base/sort.h"
#include "sql/source/parts.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

aff_status aff_source_hashes_add(struct aff_source_hashes *hashes, uint64_t hash)
{
    if (hashes->n == hashes->capacity) {
        size_t capacity = hashes->capacity == 0 ? 1024 : hashes->capacity * 2;
        uint64_t *all = realloc(hashes->all, capacity * sizeof all[0]);
        if (all == NULL)
            return AFF_NOMEM;
        hashes->all = all;
        hashes->capacity = capacity;
    }
    hashes->all[hashes->n++] = hash;
    return AFF_OK;
}

static int compare(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

void aff_source_hashes_sort(struct aff_source_hashes *hashes)
{
    if (hashes->n > 1)
        qsort(hashes->all, hashes->n, sizeof hashes->all[0], compare);
}

bool aff_source_hashes_have(const struct aff_source_hashes *hashes, uint64_t hash)
{
    return hashes->n > 0 && bsearch(&hash, hashes->all, hashes->n, sizeof hash, compare) != NULL;
}

static uint64_t mark_of(struct aff_text id, struct aff_text updated_at)
{
    uint64_t both[2] = {aff_text_hash(id), aff_text_hash(updated_at)};

    return updated_at.size == 0 ? 0 : aff_text_hash((struct aff_text){(const char *)both, sizeof both});
}

/* Hands the fetched rows on. Times of one session and time zone grow with their text only if they have the
 * same number of decimals, so the newest is taken from the last row: rows come by time. */
static aff_status hand_on(const PGresult *rows, aff_source_ids_fn take, void *context,
                          char newest[AFF_SOURCE_TIME], struct aff_error *reterr)
{
    struct aff_text ids[AFF_SOURCE_BATCH];
    uint64_t marks[AFF_SOURCE_BATCH];
    size_t n = 0;

    for (int row = 0; row < PQntuples(rows); row++) {
        struct aff_text id = aff_source_field(rows, row, 0), at = aff_source_field(rows, row, 1);
        if (at.size > 0)
            (void)snprintf(newest, AFF_SOURCE_TIME, "%s", at.at);
        if (id.at == NULL)
            continue;
        ids[n] = id;
        marks[n++] = mark_of(id, at);
    }
    return n == 0 ? AFF_OK : take(context, ids, marks, n, reterr);
}

static aff_status declare(struct aff_source *source, enum aff_source_what what, const char *from,
                          struct aff_error *reterr)
{
    const struct aff_source_relation *relation = &source->relations[what];
    const struct aff_source_shape *shape = &aff_source_shapes[what];
    bool timed = (relation->present >> aff_source_updated(what) & 1) != 0;
    char overlap[32];
    const char *parameters[] = {from, overlap};
    struct aff_statement statement = {.size = 0};

    (void)snprintf(overlap, sizeof overlap, "%lld seconds", (long long)source->settings->mapping.overlap_s);
    aff_statement_append(&statement, "DECLARE source_scan NO SCROLL CURSOR FOR SELECT %s, %s FROM ",
                         shape->columns[0].read, timed ? "s.updated_at::text" : "NULL");
    aff_source_append_from(&statement, relation);
    if (from != NULL)
        aff_statement_append(&statement, " WHERE s.updated_at >= $1::timestamptz - $2::interval");
    if (timed)
        aff_statement_append(&statement, " ORDER BY s.updated_at NULLS FIRST");
    aff_status status = aff_statement_check(&statement, reterr);
    if (status == AFF_OK)
        status = aff_query(&source->shop, statement.text, from == NULL ? 0 : 2, parameters, NULL, reterr);
    return status == AFF_OK ? AFF_OK : aff_error_prefix(reterr, status, "source.%s", aff_source_word(what));
}

aff_status aff_source_scan(struct aff_source *source, enum aff_source_what what, const char *from,
                           aff_source_ids_fn take, void *context, char ret_newest[AFF_SOURCE_TIME],
                           struct aff_error *reterr)
{
    char fetch[64];
    bool more = true;
    aff_status status = declare(source, what, from, reterr);

    ret_newest[0] = '\0';
    (void)snprintf(fetch, sizeof fetch, "FETCH %d FROM source_scan", AFF_SOURCE_BATCH);
    while (status == AFF_OK && more) {
        PGresult *rows = NULL;
        status = aff_query(&source->shop, fetch, 0, NULL, &rows, reterr);
        if (status == AFF_OK) {
            more = PQntuples(rows) == AFF_SOURCE_BATCH;
            status = hand_on(rows, take, context, ret_newest, reterr);
        }
        PQclear(rows);
    }
    if (status == AFF_OK)
        status = aff_execute(&source->shop, "CLOSE source_scan", reterr);
    return status;
}

aff_status aff_source_remember(struct aff_source *source, enum aff_source_what what, const char *newest,
                               bool swept, struct aff_error *reterr)
{
    char store[16];
    const char *parameters[] = {store, aff_source_word(what), newest[0] == '\0' ? NULL : newest,
                                swept ? "true" : "false"};

    (void)snprintf(store, sizeof store, "%d", source->store);
    return aff_query(
        source->ours,
        "INSERT INTO affinity.source_state AS s (store, what, watermark, swept_at)"
        " VALUES ($1::integer, $2, $3::timestamptz, CASE WHEN $4::boolean THEN now() END)"
        " ON CONFLICT (store, what) DO UPDATE SET watermark = greatest(s.watermark, excluded.watermark),"
        " swept_at = coalesce(excluded.swept_at, s.swept_at)",
        4, parameters, NULL, reterr);
}
