/* SPDX-License-Identifier: Apache-2.0 */
/* What units of products cost where their order lines do not say it: the cost that the product had when it
 * was first counted, kept in affinity.product_stat, so that taking a line back takes back what was counted.
 */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"
#include "sql/fold/changes.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_cost {
    int32_t product;
    bool counted;       /* it has a row of product_stat */
    int64_t unit_cost;  /* AFF_COST_UNKNOWN (core/intake/line.h) */
    int64_t last_at_us; /* of that row; INT64_MIN without */
};

struct aff_costs {
    struct aff_cost *costs; /* by ascending product, each once */
    uint32_t n, capacity;
};

/* Costs of all products of product_stat. *costs is zero before; aff_costs_done() ends it, after a failure,
 * too.
 */
AFF_MUST_CHECK aff_status aff_costs_read_all(struct aff_connection *connection, int store,
                                             struct aff_costs *costs, struct aff_error *reterr);

/* Costs of the products in the lines of `a` and `b`; of those that are not counted yet, the catalogue's. */
AFF_MUST_CHECK aff_status aff_costs_read(struct aff_connection *connection, int store,
                                         const struct aff_changes *a, const struct aff_changes *b,
                                         struct aff_costs *costs, struct aff_error *reterr);
void aff_costs_done(struct aff_costs *costs);

/* NULL if the product is not among them. */
const struct aff_cost *aff_costs_find(const struct aff_costs *costs, int32_t product);

/* Revenue and margin of a line; `cost` may be NULL. The margin is 0 where the cost is not known. False if
 * they do not fit. */
AFF_MUST_CHECK bool aff_line_money(const struct aff_change_line *line, const struct aff_cost *cost,
                                   int64_t *ret_revenue, int64_t *ret_margin);
