/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/orders.h"

#include <stdlib.h>

void aff_measured_orders_done(struct aff_measured_orders *orders)
{
    free(orders->orders);
    free(orders->rows);
    *orders = (struct aff_measured_orders){0};
}
