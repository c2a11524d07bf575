/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of the shop into ours. An order that the shop's relation does not have, or has no lines of, is
 * deleted. */
#include "core/base/clock.h"
#include "core/base/money.h"
#include "sql/intake/ids.h"
#include "sql/intake/put_orders.h"
#include "sql/source/parts.h"

#include <libpq-fe.h>
#include <stdlib.h>

/* The largest worth of one line, in minor units: the sums of any store stay far inside 64 bits. */
#define AMOUNT_MAX INT64_C(1000000000000000)

/* Columns as in mapping.c. */
enum { ORDER_ID, ORDERED_AT, CUSTOMER_ID, CANCELS };
enum { LINE_ORDER, PRODUCT_ID, QUANTITY, UNIT_PRICE, UNIT_COST, DISCOUNTED };

struct refreshing {
    struct aff_source *source;
    PGresult *orders, *lines;
    struct aff_put_order *entries;
    size_t n_entries;
    struct aff_order_line *all; /* of all entries */
    struct aff_put_orders_report report;
};

static const char *money_of(struct aff_text text, int digits, int64_t *ret)
{
    struct aff_money money;

    if (text.at == NULL || aff_money_parse(text, digits, &money) != AFF_OK)
        return "an amount is null or not a number that fits";
    if (money.rounded)
        return "an amount has more decimals than the currency; round it in the view";
    if (money.minor < 0)
        return "an amount is negative";
    *ret = money.minor;
    return NULL;
}

/* Reads a line; the reason if it breaks a rule. *ret_kept false: it says nothing, as nothing was bought. */
static const char *read_line(const struct refreshing *refreshing, int row, struct aff_order_line *line,
                             bool *ret_kept)
{
    const PGresult *lines = refreshing->lines;
    int digits = refreshing->source->digits;
    int64_t quantity = 0;

    *ret_kept = false;
    struct aff_text text = aff_source_field(lines, row, QUANTITY);
    if (text.at == NULL || aff_whole_parse(text, &quantity) != AFF_OK || quantity > INT32_MAX ||
        quantity < -INT32_MAX)
        return "a quantity is null or no whole number; round it in the view";
    if (quantity == 0)
        return NULL;
    line->quantity = (int32_t)quantity;
    line->product_id = aff_source_field(lines, row, PRODUCT_ID);
    if (!aff_text_is_id(line->product_id))
        return "a product_id is null or no id of 1 to 128 bytes without control characters";
    const char *fault = money_of(aff_source_field(lines, row, UNIT_PRICE), digits, &line->unit_price);
    line->unit_cost = AFF_COST_UNKNOWN;
    if (fault == NULL && !PQgetisnull(lines, row, UNIT_COST))
        fault = money_of(aff_source_field(lines, row, UNIT_COST), digits, &line->unit_cost);
    if (fault != NULL)
        return fault;
    int64_t units = quantity < 0 ? -quantity : quantity, worth;
    if (__builtin_mul_overflow(units, line->unit_price, &worth) || worth > AMOUNT_MAX ||
        (line->unit_cost > 0 &&
         (__builtin_mul_overflow(units, line->unit_cost, &worth) || worth > AMOUNT_MAX)))
        return "a line is worth more than 1000000000000000 minor units";
    line->discounted = PQgetvalue(lines, row, DISCOUNTED)[0] == 't';
    *ret_kept = true;
    return NULL;
}

static const char *check_order(const PGresult *orders, int row)
{
    struct aff_text customer = aff_source_field(orders, row, CUSTOMER_ID);

    if (PQgetisnull(orders, row, ORDERED_AT))
        return "ordered_at is null";
    int64_t at_us = strtoll(PQgetvalue(orders, row, ORDERED_AT), NULL, 10);
    if (at_us < 0 || at_us > aff_clock_now_us() + AFF_DAY_US)
        return "ordered_at is before 1970 or more than a day ahead";
    if (customer.size > 0 && !aff_text_is_id(customer))
        return "customer_id is no id of 1 to 128 bytes without control characters";
    return NULL;
}

/* Adds the entry of one order, whose lines are rows from .. to - 1; the reason if it breaks a rule. */
static const char *add_order(struct refreshing *refreshing, int row, int from, int to, size_t *n_lines)
{
    const PGresult *orders = refreshing->orders;
    struct aff_put_order *entry = &refreshing->entries[refreshing->n_entries];
    const char *fault = check_order(orders, row);

    *entry = (struct aff_put_order){.id = aff_source_field(orders, row, ORDER_ID),
                                    .lines = &refreshing->all[*n_lines]};
    for (int l = from; l < to && fault == NULL; l++) {
        struct aff_order_line *line = &refreshing->all[*n_lines + entry->n_lines];
        bool kept = false;
        *line =
            (struct aff_order_line){.customer_id = aff_source_field(orders, row, CUSTOMER_ID),
                                    .ordered_at_us = strtoll(PQgetvalue(orders, row, ORDERED_AT), NULL, 10),
                                    .cancels = PQgetvalue(orders, row, CANCELS)[0] == 't'};
        fault = read_line(refreshing, l, line, &kept);
        entry->n_lines += kept;
    }
    if (fault != NULL)
        return fault;
    *n_lines += entry->n_lines;
    refreshing->n_entries++;
    return NULL;
}

static bool same_id(const PGresult *a, int row_a, const PGresult *b, int row_b)
{
    return aff_text_equal(aff_source_field(a, row_a, 0), aff_source_field(b, row_b, 0));
}

/* Where each order's lines are in the result; the two results need not sort ids alike. */
struct place {
    int from, to;
};

static aff_status find_lines(const struct refreshing *refreshing, struct aff_ids *ids, struct place *places)
{
    const PGresult *lines = refreshing->lines;

    for (int from = 0, to; from < PQntuples(lines); from = to) {
        for (to = from + 1; to < PQntuples(lines) && same_id(lines, from, lines, to);)
            to++;
        if (aff_ids_find(ids, aff_source_field(lines, from, LINE_ORDER)) != NULL)
            continue;
        places[ids->n] = (struct place){from, to};
        if (aff_ids_add(ids, aff_source_field(lines, from, LINE_ORDER), 0) != AFF_OK)
            return AFF_NOMEM;
    }
    return AFF_OK;
}

/* The entries of all orders that the shop has; `known` gets their ids. */
static aff_status make_entries(struct refreshing *refreshing, struct aff_ids *known)
{
    int n_orders = PQntuples(refreshing->orders);
    struct place *places = calloc((size_t)PQntuples(refreshing->lines) + 1, sizeof *places);
    struct aff_ids ids = {0};
    size_t n_lines = 0;
    aff_status status = places == NULL ? AFF_NOMEM : find_lines(refreshing, &ids, places);

    for (int row = 0; row < n_orders && status == AFF_OK; row++) {
        struct aff_text id = aff_source_field(refreshing->orders, row, ORDER_ID);
        const char *fault = NULL;
        if (!aff_text_is_id(id)) {
            fault = "order_id is null or no id of 1 to 128 bytes without control characters";
        } else if (aff_ids_find(known, id) != NULL) {
            fault = "order_id comes more than once in source.orders";
        } else {
            const struct aff_id *found = aff_ids_find(&ids, id);
            struct place place = found == NULL ? (struct place){0, 0} : places[found - ids.all];
            status = aff_ids_add(known, id, 0);
            if (status == AFF_OK)
                fault = add_order(refreshing, row, place.from, place.to, &n_lines);
        }
        if (fault != NULL)
            aff_source_rejected(refreshing->source, AFF_SOURCE_ORDERS, id, fault);
    }
    aff_ids_done(&ids);
    free(places);
    return status;
}

/* Orders that are asked for and not there. */
static void add_deleted(struct refreshing *refreshing, const struct aff_ids *known,
                        const struct aff_text *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (aff_text_is_id(ids[i]) && aff_ids_find(known, ids[i]) == NULL)
            refreshing->entries[refreshing->n_entries++] = (struct aff_put_order){.id = ids[i]};
}

static aff_status put(void *context, struct aff_error *reterr)
{
    struct refreshing *refreshing = context;

    return aff_orders_put(refreshing->source->ours, refreshing->source->store, refreshing->entries,
                          refreshing->n_entries, &refreshing->report, reterr);
}

static aff_status write(struct refreshing *refreshing, struct aff_error *reterr)
{
    struct aff_source_report *report = &refreshing->source->report;

    if (refreshing->n_entries == 0)
        return AFF_OK;
    aff_status status = aff_source_write(refreshing->source, put, refreshing, reterr);
    if (status != AFF_OK)
        return status;
    report->created += refreshing->report.created;
    report->changed += refreshing->report.changed;
    report->unchanged += refreshing->report.unchanged;
    report->deleted += refreshing->report.deleted;
    for (size_t i = 0; i < refreshing->n_entries; i++)
        if (refreshing->entries[i].outcome == AFF_ORDER_COLLIDING)
            aff_source_rejected(refreshing->source, AFF_SOURCE_ORDERS, refreshing->entries[i].id,
                                "another order id has the same 64-bit key");
    return AFF_OK;
}

static aff_status read(struct refreshing *refreshing, const struct aff_text *ids, size_t n,
                       struct aff_error *reterr)
{
    struct aff_array texts = {0};

    for (size_t i = 0; i < n; i++)
        aff_array_add_text(&texts, ids[i]);
    aff_status status =
        aff_source_read(refreshing->source, AFF_SOURCE_ORDERS, &texts, &refreshing->orders, reterr);
    if (status == AFF_OK)
        status = aff_source_read(refreshing->source, AFF_SOURCE_LINES, &texts, &refreshing->lines, reterr);
    aff_array_done(&texts);
    return status;
}

aff_status aff_source_refresh_orders(struct aff_source *source, const struct aff_text *ids, size_t n,
                                     bool gone, struct aff_error *reterr)
{
    struct refreshing refreshing = {.source = source};
    struct aff_ids known = {0};
    aff_status status = gone ? AFF_OK : read(&refreshing, ids, n, reterr);

    if (status == AFF_OK) {
        size_t n_orders = (size_t)PQntuples(refreshing.orders);
        refreshing.entries = calloc(n_orders + n + 1, sizeof refreshing.entries[0]);
        refreshing.all = calloc((size_t)PQntuples(refreshing.lines) + 1, sizeof refreshing.all[0]);
        status = refreshing.entries == NULL || refreshing.all == NULL ? AFF_NOMEM
                                                                      : make_entries(&refreshing, &known);
        if (status != AFF_OK)
            (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
    if (status == AFF_OK) {
        add_deleted(&refreshing, &known, ids, n);
        status = write(&refreshing, reterr);
    }
    aff_ids_done(&known);
    free(refreshing.entries);
    free(refreshing.all);
    PQclear(refreshing.orders);
    PQclear(refreshing.lines);
    return status;
}
