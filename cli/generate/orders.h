/* SPDX-License-Identifier: Apache-2.0 */
/* The orders of one day of the demo store, put into the sequence of their times and written as CSV. */
#pragma once

#include "cli/generate/agenda.h"
#include "cli/generate/catalogue.h"
#include "cli/generate/output.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Set to zero before first use. */
struct aff_demo_day {
    uint64_t *keys; /* [n_orders]: second of the day * 2^32 + number of the order */
    struct aff_demo_order *orders;
    struct aff_demo_line *lines;
    size_t n_orders, n_lines, room_keys, room_orders, room_lines;
};

struct aff_demo_order {
    uint32_t customer; /* AFF_DEMO_GUEST: none */
    uint32_t n_lines;
    size_t first_line;
    bool cancels;
};

/* Begins an order; its lines follow by aff_demo_day_add_line(). */
AFF_MUST_CHECK aff_status aff_demo_day_add_order(struct aff_demo_day *day, int32_t second, uint32_t customer,
                                                 bool cancels);
AFF_MUST_CHECK aff_status aff_demo_day_add_line(struct aff_demo_day *day, const struct aff_demo_line *line);

/* Writes all orders by time and empties the day. Order ids count up from *number, which moves on. */
void aff_demo_day_write(struct aff_demo_day *day, const struct aff_demo_catalogue *catalogue,
                        struct aff_demo_date date, uint64_t *number, struct aff_output *output);

void aff_demo_day_done(struct aff_demo_day *day);

/* The header of order_lines.csv. */
extern const char aff_demo_orders_header[];
