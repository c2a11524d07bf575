/* SPDX-License-Identifier: Apache-2.0 */
/* Products and customers of the shop into ours. A product that the shop no longer has becomes unavailable: it
 * stays in the orders that named it. */
#include "core/base/money.h"
#include "sql/intake/put_catalogue.h"
#include "sql/source/parts.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

struct refreshing {
    struct aff_source *source;
    enum aff_source_what what;
    PGresult *rows;
    struct aff_put_entry *entries;
    struct aff_text *values; /* AFF_PRODUCT_COLUMNS an entry */
    size_t n_entries;
    struct aff_arena arena;
    uint64_t written;
};

static const struct aff_text no = {"false", 5};

static bool is_money(const struct refreshing *refreshing, int column)
{
    return refreshing->what == AFF_SOURCE_PRODUCTS &&
           (column == AFF_PRODUCT_PRICE || column == AFF_PRODUCT_COMPARE_AT || column == AFF_PRODUCT_COST);
}

/* Prices of the catalogue are shown, not added up: they are rounded half away from zero. */
static const char *set_money(struct refreshing *refreshing, struct aff_text *value)
{
    char number[32];
    struct aff_money money;

    if (value->at == NULL)
        return NULL;
    if (aff_money_parse(*value, refreshing->source->digits, &money) != AFF_OK || money.minor < 0)
        return "an amount of money is negative or does not fit";
    (void)snprintf(number, sizeof number, "%" PRId64, money.minor);
    *value = aff_arena_copy(&refreshing->arena, aff_text_of(number));
    return NULL;
}

static const char *check_value(struct refreshing *refreshing, int column, struct aff_text *value)
{
    int64_t stock;

    if (is_money(refreshing, column))
        return set_money(refreshing, value);
    if (refreshing->what == AFF_SOURCE_PRODUCTS && column == AFF_PRODUCT_STOCK && value->at != NULL &&
        (aff_whole_parse(*value, &stock) != AFF_OK || stock > INT32_MAX || stock < INT32_MIN))
        return "stock does not fit";
    return NULL;
}

/* Adds the entry of one row; the reason if it breaks a rule. */
static const char *add_row(struct refreshing *refreshing, int row)
{
    const struct aff_source_relation *relation = &refreshing->source->relations[refreshing->what];
    int n_columns = refreshing->what == AFF_SOURCE_PRODUCTS ? AFF_PRODUCT_COLUMNS : AFF_CUSTOMER_COLUMNS;
    struct aff_put_entry *entry = &refreshing->entries[refreshing->n_entries];
    struct aff_text *values = &refreshing->values[refreshing->n_entries * AFF_PRODUCT_COLUMNS];

    *entry = (struct aff_put_entry){.id = aff_source_field(refreshing->rows, row, 0), .values = values};
    if (!aff_text_is_id(entry->id))
        return "its id is null or not 1 to 128 bytes without control characters";
    for (int c = 0; c < n_columns; c++) {
        if ((relation->present >> (c + 1) & 1) == 0)
            continue;
        values[c] = aff_source_field(refreshing->rows, row, c + 1);
        const char *fault = check_value(refreshing, c, &values[c]);
        if (fault != NULL)
            return fault;
        entry->given |= 1U << c;
    }
    refreshing->n_entries++;
    return NULL;
}

/* Products that are asked for and not there, if ours has them. */
static aff_status add_gone(struct refreshing *refreshing, const struct aff_text *ids, size_t n,
                           struct aff_error *reterr)
{
    char number[16];
    struct aff_array missing = {0};
    PGresult *found = NULL;
    aff_status status = AFF_OK;

    for (size_t i = 0; i < n; i++) {
        int row = 0;
        while (row < PQntuples(refreshing->rows) &&
               !aff_text_equal(aff_source_field(refreshing->rows, row, 0), ids[i]))
            row++;
        if (row == PQntuples(refreshing->rows))
            aff_array_add_text(&missing, ids[i]);
    }
    (void)snprintf(number, sizeof number, "%d", refreshing->source->store);
    const char *parameters[] = {number, aff_array_text(&missing)};
    if (missing.used > 0 && parameters[1] != NULL)
        status =
            aff_query(refreshing->source->ours,
                      "SELECT id FROM affinity.product WHERE store = $1::integer AND id = ANY ($2::text[])",
                      2, parameters, &found, reterr);
    for (int row = 0; status == AFF_OK && row < PQntuples(found); row++) {
        struct aff_text *values = &refreshing->values[refreshing->n_entries * AFF_PRODUCT_COLUMNS];
        values[AFF_PRODUCT_AVAILABLE] = no;
        refreshing->entries[refreshing->n_entries++] =
            (struct aff_put_entry){.id = aff_arena_copy(&refreshing->arena, aff_source_field(found, row, 0)),
                                   .given = 1U << AFF_PRODUCT_AVAILABLE,
                                   .values = values};
    }
    PQclear(found);
    aff_array_done(&missing);
    return status;
}

static aff_status put(void *context, struct aff_error *reterr)
{
    struct refreshing *refreshing = context;
    struct aff_put_result result = {0};
    aff_status status = aff_catalogue_put(refreshing->source->ours, refreshing->source->store,
                                          refreshing->what == AFF_SOURCE_PRODUCTS ? AFF_CATALOGUE_PRODUCTS
                                                                                  : AFF_CATALOGUE_CUSTOMERS,
                                          refreshing->entries, refreshing->n_entries, &result, reterr);

    refreshing->written = result.added + result.changed;
    aff_put_result_done(&result);
    return status;
}

static aff_status fill(struct refreshing *refreshing, const struct aff_text *ids, size_t n,
                       struct aff_error *reterr)
{
    size_t room = (size_t)PQntuples(refreshing->rows) + n + 1;

    refreshing->entries = calloc(room, sizeof refreshing->entries[0]);
    refreshing->values = calloc(room * AFF_PRODUCT_COLUMNS, sizeof refreshing->values[0]);
    if (refreshing->entries == NULL || refreshing->values == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    for (int row = 0; row < PQntuples(refreshing->rows); row++) {
        const char *fault = add_row(refreshing, row);
        if (fault != NULL)
            aff_source_rejected(refreshing->source, refreshing->what,
                                aff_source_field(refreshing->rows, row, 0), fault);
    }
    return refreshing->what == AFF_SOURCE_PRODUCTS ? add_gone(refreshing, ids, n, reterr) : AFF_OK;
}

aff_status aff_source_refresh_catalogue(struct aff_source *source, enum aff_source_what what,
                                        const struct aff_text *ids, size_t n, bool gone,
                                        struct aff_error *reterr)
{
    struct refreshing refreshing = {.source = source, .what = what};
    struct aff_array texts = {0};

    for (size_t i = 0; i < n; i++)
        aff_array_add_text(&texts, ids[i]);
    aff_status status = gone ? AFF_OK : aff_source_read(source, what, &texts, &refreshing.rows, reterr);
    if (status == AFF_OK)
        status = fill(&refreshing, ids, n, reterr);
    if (status == AFF_OK && refreshing.n_entries > 0)
        status = aff_source_write(source, put, &refreshing, reterr);
    if (status == AFF_OK && what == AFF_SOURCE_PRODUCTS)
        source->report.products += refreshing.written;
    else if (status == AFF_OK)
        source->report.customers += refreshing.written;
    aff_array_done(&texts);
    aff_arena_done(&refreshing.arena);
    free(refreshing.entries);
    free(refreshing.values);
    PQclear(refreshing.rows);
    return status;
}
