/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that answering for one store needs, as one object that is published as a whole. A batch of
 * changes (core/index/update.h) publishes a new struct aff_model with the same parts. */
#pragma once

#include "core/catalogue/catalogue.h"
#include "core/customer/customers.h"
#include "core/index/neighbours.h"
#include "core/recommend/weights.h"
#include "core/sequence/traces.h"

/* Totals of the learned counts, for evidence. */
struct aff_totals {
    uint64_t orders;      /* baskets counted */
    uint64_t next_orders; /* consecutive orders counted for `next` */
    int64_t weight;       /* sum of basket weights, fixed point 2^20 */
    int64_t landmark_us;  /* time at which a basket weighs 1 */
    int64_t half_life_s;
    int64_t from_us, to_us;               /* oldest and newest order counted */
    uint64_t sessions;                    /* counted for `viewed` */
    int64_t viewed_from_us, viewed_to_us; /* oldest and newest session */
};

/* Owned by whoever holds the pointer until it is published (core/index/slot.h). The parts are owned by the
 * model; none is NULL in a published model unless it says so. Rows of the relations are rows of `catalogue`.
 */
struct aff_model {
    char store[AFF_ID_MAX + 1];
    char currency[4];
    uint64_t version;           /* affinity.state.published */
    uint64_t generation;        /* affinity.state.generation; row numbers differ between loads all the same */
    uint64_t catalogue_version; /* affinity.catalogue_state.version */
    int64_t built_at_us;        /* of the last rebuild */
    int64_t loaded_at_us;       /* tells apart models that were loaded one after the other */
    int64_t snapshot_at_us;     /* it is as of a file written then; 0: as of the database */
    struct aff_totals totals;
    struct aff_fitted fitted; /* that hold for the store */
    uint64_t fitted_version;  /* affinity.fitting.version; 0: none were ever read */
    struct aff_catalogue *catalogue;
    struct aff_customers *customers;
    struct aff_neighbours *together;
    struct aff_neighbours *next;
    struct aff_neighbours *viewed; /* NULL: sessions are not counted */
    struct aff_traces *traces;     /* NULL: none were loaded */
    struct aff_mapping *mapping;   /* the snapshot file that parts of it are in; NULL: none */
};

/* Frees the model and its parts; parts may be NULL, `model` may be NULL. */
void aff_model_free(struct aff_model *model);

/* Bytes of memory of all parts. */
size_t aff_model_bytes(const struct aff_model *model);
