/* SPDX-License-Identifier: Apache-2.0 */
/* Changes to a published model while readers read it: a batch is prepared beside the model and becomes
 * visible by exchanging pointers, then waits until no reader can hold what it replaced, and frees that.
 *
 * One batch at a time and slot: whoever makes one holds the lock of the store's publisher (server/stores.h).
 * A reader sees each product, history and neighbour row either before or after the batch, never in between;
 * totals, version and popularity change last and together, since they come with a new struct aff_model that
 * shares all tables with the one before. A call that fails leaves the batch as it was before the call, and it
 * can still be published; after AFF_NOMEM a new category may stay in it without a product. Not to be used
 * between aff_slot_acquire and aff_slot_release. */
#pragma once

#include "core/catalogue/catalogue.h"
#include "core/customer/customers.h"
#include "core/index/model.h"
#include "core/index/neighbours.h"
#include "core/index/slot.h"

struct aff_update;

/* One neighbour by database key, as in affinity.neighbour. */
struct aff_update_neighbour {
    int32_t product;
    float score;
    struct aff_pair_counts counts;
};

/* A purchase by database key, as in affinity.customer_history. */
struct aff_update_purchase {
    int32_t product;
    uint32_t orders, first_s, last_s;
};

/* Begins a batch for the model in the slot. AFF_NOTFOUND: the slot is empty. */
AFF_MUST_CHECK aff_status aff_update_begin(struct aff_slot *slot, struct aff_update **ret_update);

/* Changes the catalogue's part of a product's record, or adds the product; `orders` to `last_at_us` and
 * `category_row` are ignored. A product that is new in this batch can be named by later calls. AFF_LIMIT: the
 * model has no room for another product or category; it has to be loaded anew. AFF_INVALID: id and key belong
 * to different products, or the id is no id, or the category is 16 MiB or longer. */
AFF_MUST_CHECK aff_status aff_update_product(struct aff_update *update, const struct aff_product *product);

/* Changes a product's learned counts. Lists by popularity follow with aff_update_popularity(). AFF_NOTFOUND:
 * no such product. */
AFF_MUST_CHECK aff_status aff_update_product_counts(struct aff_update *update, int32_t product,
                                                    const struct aff_product_counts *counts);

/* Makes the lists of popular products, of the store and of each category, and the products' popularity from
 * the counts as they are now, with this batch's changes so far. In proportion to the catalogue (some 100 ms a
 * million products), so not for every batch. */
AFF_MUST_CHECK aff_status aff_update_popularity(struct aff_update *update);

/* Replaces the neighbours of a product (n = 0 removes them), best first. Neighbours that the catalogue does
 * not hold are left out. AFF_NOTFOUND: the product is not held. AFF_INVALID: no such relation.
 * AFF_LIMIT: the model was made without this relation; it has to be loaded anew. */
AFF_MUST_CHECK aff_status aff_update_row(struct aff_update *update, enum aff_relation relation,
                                         int32_t product, const struct aff_update_neighbour *neighbours,
                                         uint32_t n);

/* Replaces what is known of a customer's purchases, most recent first, or adds the customer. Purchases of
 * products that the catalogue does not hold are left out. AFF_LIMIT as above. AFF_INVALID: the id is no id.
 */
AFF_MUST_CHECK aff_status aff_update_customer(struct aff_update *update, struct aff_text id, uint32_t orders,
                                              const struct aff_update_purchase *purchases, uint32_t n);

/* Replaces the sessions of single visitors and what was made of them: takes what is made of them and
 * `sessions_left_out` out of `made`, also when it fails. What else the model keeps of single sessions and
 * baskets stays. Once in a batch. */
AFF_MUST_CHECK aff_status aff_update_sessions(struct aff_update *update, struct aff_traces *made);

/* Totals and version that hold from this batch on; without the call they stay. A model that came from a
 * snapshot file counts as fresh from then on (snapshot_at_us becomes 0). */
void aff_update_totals(struct aff_update *update, const struct aff_totals *totals, uint64_t version);

/* The version of the catalogue that the model has from this batch on; without the call it stays. */
void aff_update_catalogue_version(struct aff_update *update, uint64_t catalogue_version);

/* The fitted weights that hold from this batch on; without the call they stay. */
void aff_update_fitted(struct aff_update *update, const struct aff_fitted *fitted, uint64_t version);

/* Makes the batch visible, waits for readers of what it replaced, frees the batch. */
void aff_update_publish(struct aff_update *update);

/* Frees a batch that was not published; the model stays as it was. NULL is a no-op. */
void aff_update_drop(struct aff_update *update);
