/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a published model as new as the tables, by reading only what changed since its versions. */
#pragma once

#include "core/base/status.h"
#include "core/index/slot.h"
#include "sql/connection.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_follow_report {
    bool behind;                         /* nothing was changed: the model has to be loaded anew */
    bool counts_changed;                 /* lists by popularity are not those of the counts any more */
    uint32_t products, rows, customers;  /* read */
    uint64_t version, catalogue_version; /* that the model has now */
};

/* Reads in one snapshot what affinity.touched and affinity.catalogue_change name since the versions of the
 * model in the slot, and publishes it in one batch (core/index/update.h). `behind`: the tables were rebuilt,
 * do not go back that far, or the model has no room for what is new. `popularity`: lists by popularity are
 * made anew, too, which takes time in proportion to the catalogue.
 *
 * The caller holds the lock of the store's publisher, and the slot has a model. Must not be called inside a
 * transaction. After a failure the model is as it was. */
AFF_MUST_CHECK aff_status aff_follow(struct aff_connection *connection, int store, struct aff_slot *slot,
                                     bool popularity, struct aff_follow_report *ret,
                                     struct aff_error *reterr);
