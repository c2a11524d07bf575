/* SPDX-License-Identifier: Apache-2.0 */
/* The customers of one store in memory: a map from the shop's ids, and for each customer what was bought, how
 * often and when. Built once, then read by many threads without locks; while they read, histories can be
 * exchanged and customers added (core/index/update.h). */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

#include <stdint.h>

/* One product that a customer has bought. Times are whole seconds since 1970, which fit 32 bits until 2106.
 */
struct aff_purchase {
    uint32_t row;    /* of the product in the catalogue */
    uint32_t orders; /* baskets that held it */
    uint32_t first_s, last_s;
};

/* A customer's purchases, most recently bought first, and behind them the customer's id, so that a look-up
 * stays in one place. The same bytes stand in a snapshot file. */
struct aff_history {
    uint32_t orders; /* baskets of the customer */
    uint32_t n;
    uint32_t id_size;
    struct aff_purchase purchases[];
};

static inline struct aff_text aff_history_id(const struct aff_history *history)
{
    return (struct aff_text){(const char *)(history->purchases + history->n), history->id_size};
}

static inline size_t aff_history_bytes(const struct aff_history *history)
{
    return sizeof *history + history->n * sizeof history->purchases[0] + history->id_size;
}

struct aff_customers;
struct aff_customers_builder;

AFF_MUST_CHECK aff_status aff_customers_builder_new(struct aff_customers_builder **ret_builder);
void aff_customers_builder_free(struct aff_customers_builder *builder);

/* Adds a customer with a copy of the purchases (n may be 0). AFF_INVALID: no id, or it came before. */
AFF_MUST_CHECK aff_status aff_customers_builder_add(struct aff_customers_builder *builder, struct aff_text id,
                                                    uint32_t orders, const struct aff_purchase *purchases,
                                                    uint32_t n);
AFF_MUST_CHECK aff_status aff_customers_builder_finish(struct aff_customers_builder *builder,
                                                       struct aff_customers **ret_customers);
void aff_customers_free(struct aff_customers *customers);

uint32_t aff_customers_size(const struct aff_customers *customers);

/* What the customer bought; NULL if the customer is unknown. Valid until aff_slot_release. */
const struct aff_history *aff_customers_find(const struct aff_customers *customers, struct aff_text id);

/* Bytes of memory that the customers hold. */
size_t aff_customers_bytes(const struct aff_customers *customers);

/* The same of `n` customers with so many bytes of ids and so many purchases in all, made at once, with the
 * room that they keep for growth. */
uint64_t aff_customers_bytes_for(uint64_t n, uint64_t id_text, uint64_t purchases);
