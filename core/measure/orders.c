/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/orders.h"

#include <stdlib.h>
#include <string.h>

void aff_measured_orders_drop(struct aff_measured_orders *orders, uint32_t from)
{
    if (from == 0)
        return;
    const uint32_t first = orders->orders[from].start, end = orders->orders[orders->n].start;

    memmove(orders->rows, orders->rows + first, (size_t)(end - first) * sizeof *orders->rows);
    memmove(orders->orders, orders->orders + from, ((size_t)(orders->n - from) + 1) * sizeof *orders->orders);
    orders->n -= from;
    for (uint32_t o = 0; o <= orders->n; o++)
        orders->orders[o].start -= first;
}

void aff_measured_orders_done(struct aff_measured_orders *orders)
{
    free(orders->orders);
    free(orders->rows);
    *orders = (struct aff_measured_orders){0};
}
