/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that answering for one store needs, as one object that is published as a whole. */
#pragma once

#include "core/catalogue/catalogue.h"
#include "core/customer/customers.h"
#include "core/index/neighbours.h"

/* Totals of the learned counts, for evidence. */
struct aff_totals {
    uint64_t orders;      /* baskets counted */
    uint64_t next_orders; /* consecutive orders counted for `next` */
    int64_t weight;       /* sum of basket weights, fixed point 2^20 */
    int64_t landmark_us;  /* time at which a basket weighs 1 */
    int64_t half_life_s;
    int64_t from_us, to_us; /* oldest and newest order counted */
};

/* Owned by whoever holds the pointer until it is published (core/index/slot.h). The parts are owned by the
 * model; none is NULL in a published model. Rows of `together` and `next` are rows of `catalogue`. */
struct aff_model {
    char store[AFF_ID_MAX + 1];
    char currency[4];
    uint64_t version;    /* affinity.state.published */
    int64_t built_at_us; /* of the last rebuild */
    int64_t loaded_at_us;
    struct aff_totals totals;
    struct aff_catalogue *catalogue;
    struct aff_customers *customers;
    struct aff_neighbours *together;
    struct aff_neighbours *next;
};

/* Frees the model and its parts; parts may be NULL, `model` may be NULL. */
void aff_model_free(struct aff_model *model);

/* Bytes of memory of all parts. */
size_t aff_model_bytes(const struct aff_model *model);
