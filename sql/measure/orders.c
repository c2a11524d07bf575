/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/measure/orders.h"

#include "core/learn/baskets.h"
#include "sql/copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    const struct aff_catalogue *catalogue;
    struct aff_measured_orders *orders;
    size_t capacity, rows_capacity, n_rows;
    uint32_t *last; /* of each product: 1 + the order that held it last */
};

static aff_status no_memory(struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

static aff_status reserve(struct reading *reading, size_t n, struct aff_error *reterr)
{
    struct aff_measured_orders *orders = reading->orders;

    if ((size_t)orders->n + 2 > reading->capacity) {
        reading->capacity = reading->capacity * 2 + 1024;
        struct aff_measured_order *larger =
            realloc(orders->orders, reading->capacity * sizeof *orders->orders);
        if (larger == NULL)
            return no_memory(reterr);
        orders->orders = larger;
    }
    if (reading->n_rows + n > reading->rows_capacity || orders->rows == NULL) {
        reading->rows_capacity = reading->rows_capacity * 2 + n + 4096;
        uint32_t *larger = realloc(orders->rows, reading->rows_capacity * sizeof *orders->rows);
        if (larger == NULL)
            return no_memory(reterr);
        orders->rows = larger;
    }
    return AFF_OK;
}

static aff_status take(struct reading *reading, int64_t customer, int64_t at_s,
                       struct aff_copy_array products, struct aff_error *reterr)
{
    struct aff_measured_orders *orders = reading->orders;
    aff_status status = reserve(reading, products.n, reterr);

    if (status != AFF_OK)
        return status;
    orders->orders[orders->n] = (struct aff_measured_order){
        .customer = customer,
        .at_s = at_s < 0            ? 0
                : at_s > UINT32_MAX ? UINT32_MAX
                                    : (uint32_t)at_s,
        .start = (uint32_t)reading->n_rows,
    };
    for (size_t i = 0; i < products.n; i++) {
        const uint32_t row = aff_catalogue_find_key(reading->catalogue, aff_copy_element_int32(products, i));
        if (row == AFF_NO_ROW || reading->last[row] == orders->n + 1)
            continue;
        reading->last[row] = orders->n + 1;
        orders->rows[reading->n_rows++] = row;
    }
    orders->n++;
    orders->orders[orders->n].start = (uint32_t)reading->n_rows;
    return AFF_OK;
}

aff_status aff_measured_orders_read(struct aff_connection *connection, int store,
                                    const struct aff_catalogue *catalogue, struct aff_measured_orders *ret,
                                    struct aff_error *reterr)
{
    struct reading reading = {.catalogue = catalogue, .orders = ret};
    struct aff_copy_reader reader = {0};
    char statement[1024];
    bool more = true;

    /* Orders come evenly enough for a bound on the lines to be one on the time. */
    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT coalesce(min(customer), '%" PRId64
                   "'::bigint), extract(epoch FROM min(ordered_at))::bigint,"
                   " array_agg(product ORDER BY line) FROM affinity.order_line"
                   " WHERE store = %d AND quantity > returned AND ordered_at >= coalesce((SELECT window_to -"
                   " (window_to - window_from) * least(1, %d / greatest(lines, 1)::float8)"
                   " FROM affinity.state WHERE store = %d), 'epoch')"
                   " GROUP BY order_key ORDER BY 2, order_key) TO STDOUT (FORMAT binary)",
                   AFF_NO_CUSTOMER, store, AFF_MEASURE_LINES, store);
    reading.last = calloc((size_t)aff_catalogue_size(catalogue) + 1, sizeof *reading.last);
    if (reading.last == NULL)
        return no_memory(reterr);
    aff_status status = reserve(&reading, 0, reterr);
    if (status == AFF_OK) {
        ret->orders[0] = (struct aff_measured_order){0};
        status = aff_copy_read_begin(&reader, connection, statement, reterr);
    }
    while (status == AFF_OK && (status = aff_copy_read(&reader, &more, reterr)) == AFF_OK && more) {
        const int64_t customer = aff_copy_get_int64(&reader, AFF_NO_CUSTOMER);
        const int64_t at_s = aff_copy_get_int64(&reader, 0);
        status = take(&reading, customer, at_s, aff_copy_get_array(&reader, sizeof(int32_t)), reterr);
    }
    aff_copy_read_close(&reader);
    free(reading.last);
    return status;
}
