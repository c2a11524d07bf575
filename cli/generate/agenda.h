/* SPDX-License-Identifier: Apache-2.0 */
/* What customers of the demo store are going to do on later days: bring lines back, or order what is planned.
 * Memory follows the number of open entries, not the number of orders. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* One line of an order; quantity < 0 takes units back. */
struct aff_demo_line {
    int32_t product;
    int32_t quantity;
    int32_t unit_price, unit_cost; /* minor units */
    bool discounted;
};

enum aff_demo_deed {
    AFF_DEED_CANCEL, /* the whole order, with its own kind of order id */
    AFF_DEED_RETURN, /* some lines */
    AFF_DEED_ORDER,  /* of the lines only the product counts */
};

struct aff_demo_agenda;

AFF_MUST_CHECK aff_status aff_demo_agenda_new(int32_t n_days, struct aff_demo_agenda **ret_agenda);
void aff_demo_agenda_free(struct aff_demo_agenda *agenda); /* NULL is a no-op */

/* Notes a deed of 1 to 64 lines (AFF_DEMO_BASKET_MAX), which are copied, for a day below n_days. */
AFF_MUST_CHECK aff_status aff_demo_agenda_add(struct aff_demo_agenda *agenda, int32_t day,
                                              enum aff_demo_deed deed, uint32_t customer,
                                              const struct aff_demo_line *lines, uint32_t n);

/* One deed taken out of the agenda. */
struct aff_demo_task {
    enum aff_demo_deed deed;
    uint32_t customer;
    uint32_t n;
    struct aff_demo_line lines[64];
};

/* Takes one deed of the day; false if there is none left. */
bool aff_demo_agenda_take(struct aff_demo_agenda *agenda, int32_t day, struct aff_demo_task *ret_task);
