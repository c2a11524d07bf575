/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of a published catalogue, prepared beside it; for core/index/ (see core/index/update.h, which says
 * what the calls mean). One thread, and one set of changes at a time for a catalogue. */
#pragma once

#include "core/catalogue/catalogue.h"

struct aff_catalogue_changes;

/* Begins with the catalogue as it is. No row is ever added at or above `limit`. */
AFF_MUST_CHECK aff_status aff_catalogue_changes_new(struct aff_catalogue *catalogue, uint32_t limit,
                                                    struct aff_catalogue_changes **ret_changes);

AFF_MUST_CHECK aff_status aff_catalogue_changes_product(struct aff_catalogue_changes *changes,
                                                        const struct aff_product *product);
AFF_MUST_CHECK aff_status aff_catalogue_changes_counts(struct aff_catalogue_changes *changes, int32_t key,
                                                       const struct aff_product_counts *counts);
AFF_MUST_CHECK aff_status aff_catalogue_changes_popularity(struct aff_catalogue_changes *changes);

/* The row of a product, also of one that the changes add; AFF_NO_ROW. */
uint32_t aff_catalogue_changes_find(const struct aff_catalogue_changes *changes, int32_t key);

/* Puts everything into the shared tables while readers read, and gives the catalogue for the next model.
 * Cannot fail. What it replaced is freed by aff_catalogue_changes_settle, after a grace period in which the
 * model with the catalogue before was taken from the readers. */
struct aff_catalogue *aff_catalogue_changes_apply(struct aff_catalogue_changes *changes);

/* After apply: frees what was replaced, the catalogue before, and the changes. */
void aff_catalogue_changes_settle(struct aff_catalogue_changes *changes);

/* Instead of apply: frees the changes; the catalogue stays as it was. NULL is a no-op. */
void aff_catalogue_changes_drop(struct aff_catalogue_changes *changes);
