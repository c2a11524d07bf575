/* SPDX-License-Identifier: Apache-2.0 */
/* What the makers of the customers and their readers share; for core/customer/ only. Readers hold a view as
 * they do of a catalogue (core/catalogue/catalogue_internal.h). */
#pragma once

#include "core/base/idmap.h"
#include "core/base/room.h"
#include "core/customer/customers.h"

struct aff_history_place {
    struct aff_history *_Atomic history;
};

struct aff_customers {
    struct aff_history_place *histories; /* by the row that `ids` answers; the first n are set */
    uint32_t n, capacity;
    struct aff_idmap ids;
    size_t history_bytes; /* of all histories that are allocations of their own */
    const char *borrowed; /* memory that is not theirs, where histories may be; or NULL */
    size_t borrowed_bytes;
};

/* A history with a copy of the id behind it, as one allocation. NULL: out of memory. */
struct aff_history *aff_history_new(struct aff_text id, uint32_t orders, const struct aff_purchase *purchases,
                                    uint32_t n);

bool aff_history_is_borrowed(const struct aff_customers *customers, const struct aff_history *history);

/* Gives histories and ids the room that later additions need. */
AFF_MUST_CHECK aff_status aff_customers_complete(struct aff_customers *customers);
