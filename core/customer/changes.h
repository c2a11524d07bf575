/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of published customers, prepared beside them; for core/index/ (see core/index/update.h). The calls
 * are those of core/catalogue/changes.h. */
#pragma once

#include "core/customer/customers.h"

struct aff_customers_changes;

AFF_MUST_CHECK aff_status aff_customers_changes_new(struct aff_customers *customers,
                                                    struct aff_customers_changes **ret_changes);

/* Replaces a customer's history or adds the customer. AFF_INVALID: no id. AFF_LIMIT: no room. */
AFF_MUST_CHECK aff_status aff_customers_changes_put(struct aff_customers_changes *changes, struct aff_text id,
                                                    uint32_t orders, const struct aff_purchase *purchases,
                                                    uint32_t n);

struct aff_customers *aff_customers_changes_apply(struct aff_customers_changes *changes);
void aff_customers_changes_settle(struct aff_customers_changes *changes);
void aff_customers_changes_drop(struct aff_customers_changes *changes); /* NULL is a no-op */
