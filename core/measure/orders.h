/* SPDX-License-Identifier: Apache-2.0 */
/* A store's orders one by one, for measuring how well they could have been foreseen. */
#pragma once

#include <stdint.h>

struct aff_measured_order {
    int64_t customer;     /* AFF_NO_CUSTOMER (core/learn/baskets.h) for a guest */
    uint32_t at_s, start; /* start: of its products in `rows`; those end where the next order's start */
};

/* By time; products in the order of their lines, each once, as rows of a catalogue. */
struct aff_measured_orders {
    uint32_t n;
    struct aff_measured_order *orders; /* n + 1: the last one only ends the products */
    uint32_t *rows;
};

/* Forgets the orders before number `from`. */
void aff_measured_orders_drop(struct aff_measured_orders *orders, uint32_t from);

void aff_measured_orders_done(struct aff_measured_orders *orders);

static inline uint32_t aff_measured_order_size(const struct aff_measured_orders *orders, uint32_t order)
{
    return orders->orders[order + 1].start - orders->orders[order].start;
}

static inline const uint32_t *aff_measured_order_rows(const struct aff_measured_orders *orders,
                                                      uint32_t order)
{
    return orders->rows + orders->orders[order].start;
}
