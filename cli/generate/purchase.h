/* SPDX-License-Identifier: Apache-2.0 */
/* One order of the demo store and all that follows from it. Used by simulate.c. */
#pragma once

#include "cli/generate/agenda.h"
#include "cli/generate/basket.h"
#include "cli/generate/orders.h"
#include "cli/generate/simulate.h"

#include <stdint.h>

/* What is kept of a customer. While `open` deeds stand in the agenda the customer does not come by otherwise:
 * so a return always finds its purchase as the newest one of its product, and a planned order is the next
 * one. */
struct aff_demo_customer {
    uint64_t previous; /* watched products of the last order that was not cancelled (bits[0] of the set) */
    int32_t previous_day;
    int32_t last_day; /* of any deed; -1 for none */
    uint32_t open;
};

struct aff_demo_run {
    const struct aff_demo_scale *scale;
    const struct aff_demo_calendar *calendar;
    struct aff_demo_shop shop;
    struct aff_demo_truth *truth;
    struct aff_demo_agenda *agenda;
    struct aff_demo_customer *customers; /* [scale->customers] */
    struct aff_demo_day orders;
    struct aff_demo_market market;
    struct aff_random random;
    uint64_t written, owed; /* lines written or in `orders`; return lines that stand in the agenda */
    uint64_t n_orders;      /* so far, of all kinds */
    int32_t day;
    int32_t cuts[AFF_DEMO_TYPES]; /* price cut of each type today, per cent */
};

/* Lines that may still be made today or later without leaving too little room for returns. */
static inline uint64_t aff_demo_room(const struct aff_demo_run *run)
{
    return run->scale->lines - run->written - run->owed;
}

/* Lets a customer (or AFF_DEMO_GUEST) order: `planned` products first, nothing of `avoid`. The lines go to
 * the order that was begun last; there must be room for at least one. */
AFF_MUST_CHECK aff_status aff_demo_purchase(struct aff_demo_run *run, uint32_t customer,
                                            const struct aff_demo_line *planned, uint32_t n_planned,
                                            const int32_t *avoid, uint32_t n_avoid);
