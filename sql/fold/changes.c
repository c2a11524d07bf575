/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/changes.h"

#include "core/intake/line.h"
#include "core/learn/baskets.h"
#include "sql/copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What was counted for an order is the content before its first change that is not folded. */
static const char queue[] =
    "COPY (SELECT DISTINCT ON (order_key) order_key, customer, ordered_at, products, units, unit_prices,"
    " array_replace(unit_costs, NULL, -1), discounted::integer[] FROM affinity.order_outbox"
    " WHERE store = %d AND NOT folded ORDER BY order_key, change) TO STDOUT (FORMAT binary)";

/* OFFSET 0 keeps the planner from turning the search for a few orders into a walk over all lines. */
static const char stored[] =
    "COPY (SELECT l.* FROM (SELECT DISTINCT order_key FROM affinity.order_outbox"
    " WHERE store = %d AND NOT folded) q CROSS JOIN LATERAL (SELECT order_key, customer, ordered_at, product,"
    " quantity - returned, unit_price, unit_cost, discounted FROM affinity.order_line"
    " WHERE store = %d AND order_key = q.order_key AND quantity > returned OFFSET 0) l)"
    " TO STDOUT (FORMAT binary)";

static aff_status no_memory(struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

struct aff_change *aff_changes_add(struct aff_changes *changes, int64_t order_key)
{
    if (changes->n == changes->capacity) {
        uint32_t capacity = changes->capacity == 0 ? 64 : changes->capacity * 2;
        struct aff_change *bigger = realloc(changes->changes, capacity * sizeof *bigger);
        if (bigger == NULL)
            return NULL;
        changes->changes = bigger;
        changes->capacity = capacity;
    }
    struct aff_change *change = &changes->changes[changes->n++];
    *change = (struct aff_change){.order_key = order_key};
    return change;
}

bool aff_changes_add_line(struct aff_changes *changes, const struct aff_change_line *line)
{
    if (changes->n_lines == changes->line_capacity) {
        uint32_t capacity = changes->line_capacity == 0 ? 256 : changes->line_capacity * 2;
        struct aff_change_line *bigger = realloc(changes->lines, capacity * sizeof *bigger);
        if (bigger == NULL)
            return false;
        changes->lines = bigger;
        changes->line_capacity = capacity;
    }
    changes->lines[changes->n_lines++] = *line;
    return true;
}

static aff_status take_before(struct aff_changes *changes, struct aff_copy_reader *reader,
                              int64_t counted_from_us, struct aff_error *reterr)
{
    struct aff_change *change = aff_changes_add(changes, aff_copy_get_int64(reader, 0));

    if (change == NULL)
        return no_memory(reterr);
    change->before.customer = aff_copy_get_int64(reader, AFF_NO_CUSTOMER);
    change->before.at_us = aff_copy_get_time(reader, INT64_MIN);
    struct aff_copy_array products = aff_copy_get_array(reader, sizeof(int32_t));
    struct aff_copy_array units = aff_copy_get_array(reader, sizeof(int32_t));
    struct aff_copy_array prices = aff_copy_get_array(reader, sizeof(int64_t));
    struct aff_copy_array costs = aff_copy_get_array(reader, sizeof(int64_t));
    struct aff_copy_array discounted = aff_copy_get_array(reader, sizeof(int32_t));
    change->before.first = changes->n_lines;
    if (products.n != units.n || products.n != prices.n || products.n != costs.n ||
        products.n != discounted.n)
        return aff_error_set(reterr, AFF_DATA,
                             "affinity.order_outbox: the arrays of order key %" PRId64
                             " differ in length; run 'affinityctl rebuild'",
                             change->order_key);
    if (change->before.at_us < counted_from_us)
        return AFF_OK;
    for (size_t i = 0; i < products.n; i++) {
        struct aff_change_line line = {.product = aff_copy_element_int32(products, i),
                                       .units = aff_copy_element_int32(units, i),
                                       .unit_price = aff_copy_element_int64(prices, i),
                                       .unit_cost = aff_copy_element_int64(costs, i),
                                       .discounted = aff_copy_element_int32(discounted, i) != 0};
        if (!aff_changes_add_line(changes, &line))
            return no_memory(reterr);
        change->before.n++;
    }
    return AFF_OK;
}

/* The lines of one order come one after another. */
static aff_status take_after(struct aff_changes *changes, struct aff_copy_reader *reader,
                             int64_t counted_from_us, struct aff_error *reterr)
{
    struct aff_change_line line;

    /* Columns are read in order, which an initializer would not promise. */
    int64_t order_key = aff_copy_get_int64(reader, 0);
    int64_t customer = aff_copy_get_int64(reader, AFF_NO_CUSTOMER);
    int64_t at_us = aff_copy_get_time(reader, INT64_MIN);
    line.product = aff_copy_get_int32(reader, -1);
    line.units = aff_copy_get_int32(reader, 0);
    line.unit_price = aff_copy_get_int64(reader, 0);
    line.unit_cost = aff_copy_get_int64(reader, AFF_COST_UNKNOWN);
    line.discounted = aff_copy_get_bool(reader);
    struct aff_change *change = aff_changes_find(changes, order_key);
    if (change == NULL || at_us < counted_from_us)
        return AFF_OK;
    if (change->after.n == 0)
        change->after =
            (struct aff_change_content){.customer = customer, .at_us = at_us, .first = changes->n_lines};
    if (!aff_changes_add_line(changes, &line))
        return no_memory(reterr);
    change->after.n++;
    return AFF_OK;
}

typedef aff_status (*take_fn)(struct aff_changes *changes, struct aff_copy_reader *reader,
                              int64_t counted_from_us, struct aff_error *reterr);

static aff_status read(struct aff_connection *connection, const char *statement, take_fn take,
                       int64_t counted_from_us, struct aff_changes *changes, struct aff_error *reterr)
{
    struct aff_copy_reader reader;
    bool more;

    aff_status status = aff_copy_read_begin(&reader, connection, statement, reterr);
    while (status == AFF_OK && (status = aff_copy_read(&reader, &more, reterr)) == AFF_OK && more)
        status = take(changes, &reader, counted_from_us, reterr);
    aff_copy_read_close(&reader);
    return status;
}

aff_status aff_changes_read_before(struct aff_connection *connection, int store, int64_t counted_from_us,
                                   struct aff_changes *changes, struct aff_error *reterr)
{
    char statement[512];

    (void)snprintf(statement, sizeof statement, queue, store);
    return read(connection, statement, take_before, counted_from_us, changes, reterr);
}

aff_status aff_changes_read(struct aff_connection *connection, int store, int64_t counted_from_us,
                            struct aff_changes *changes, struct aff_error *reterr)
{
    char statement[512];

    aff_status status = aff_changes_read_before(connection, store, counted_from_us, changes, reterr);
    if (status != AFF_OK || changes->n == 0)
        return status;
    (void)snprintf(statement, sizeof statement, stored, store, store);
    return read(connection, statement, take_after, counted_from_us, changes, reterr);
}

void aff_changes_done(struct aff_changes *changes)
{
    free(changes->changes);
    free(changes->lines);
    *changes = (struct aff_changes){0};
}

struct aff_change *aff_changes_find(const struct aff_changes *changes, int64_t order_key)
{
    uint32_t low = 0, high = changes->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (changes->changes[middle].order_key < order_key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < changes->n && changes->changes[low].order_key == order_key ? &changes->changes[low] : NULL;
}
