/* SPDX-License-Identifier: Apache-2.0 */
/* What came out of what was planted: exact counts of the orders as an import leaves them, so without lines
 * that came back and without orders that were cancelled. */
#pragma once

#include "cli/generate/calendar.h"
#include "cli/generate/catalogue.h"
#include "cli/generate/planted.h"
#include "core/base/status.h"
#include "json/writer.h"

#include <stdint.h>

struct aff_demo_month_count {
    struct aff_demo_date date; /* first day counted */
    uint64_t orders, orders_a, orders_b, orders_both;
};

struct aff_demo_next_count {
    uint64_t trials; /* the chance was drawn, early enough for the next order to fall into the time written */
    uint64_t planned; /* trials that succeeded */
    uint64_t
        orders;     /* times the customer's next order held b (and, unless a repeat, the first one did not) */
    uint32_t *gaps; /* [n_days]: of these, by days between the two orders */
};

struct aff_demo_truth {
    uint64_t orders, guest_orders; /* that hold something in the end */
    uint64_t cancelled_orders;     /* taken back whole */
    uint64_t return_lines;         /* lines with a negative quantity, those of cancellations included */
    uint64_t discounted_lines;     /* bought at a reduced price */
    uint64_t lines;                /* all lines, returns included */
    uint64_t with[AFF_WATCHES];
    uint64_t with_bestseller[AFF_WATCHES];
    uint64_t both[AFF_PAIRS];
    uint64_t
        firsts[64]; /* by watch: orders of a customer with a later order of the same customer after them */
    struct aff_demo_next_count nexts[AFF_NEXTS];
    struct aff_demo_month_count *months;
    uint32_t n_months, room_months;
    int32_t n_days;
    uint32_t *gaps; /* memory of nexts[].gaps */
};

AFF_MUST_CHECK aff_status aff_demo_truth_init(struct aff_demo_truth *truth, int32_t n_days);
void aff_demo_truth_done(struct aff_demo_truth *truth);

/* Orders counted from now on belong to the month of `date`. */
void aff_demo_truth_begin_month(struct aff_demo_truth *truth, struct aff_demo_date date);

/* Counts an order that holds at least one product in the end; `set`: the watched ones. */
void aff_demo_truth_count(struct aff_demo_truth *truth, const struct aff_demo_set *set, bool guest);

/* Counts two consecutive orders of a customer: their watched products (bits[0] of the sets), and the days
 * between. */
void aff_demo_truth_count_next(struct aff_demo_truth *truth, uint64_t first, uint64_t second,
                               int32_t gap_days);

/* What the store was made from, for truth.json. */
struct aff_demo_origin {
    uint64_t seed, lines;
    uint32_t products, customers;
    const struct aff_demo_calendar *calendar;
    const struct aff_demo_catalogue *catalogue;
};

/* Writes truth.json (docs/demo-store.md describes it). `json` fails only for want of memory. */
void aff_demo_truth_write(const struct aff_demo_truth *truth, const struct aff_demo_origin *origin,
                          struct aff_json *json);
