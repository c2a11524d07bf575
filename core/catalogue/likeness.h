/* SPDX-License-Identifier: Apache-2.0 */
/* How alike two products are by what the catalogue says of them. All from 0 to 1,
 * and the same for (a, b) and (b, a). */
#pragma once

#include "core/catalogue/catalogue.h"

/* Levels that both category paths begin with, as a share of the longer path's; 0 without a category. */
float aff_likeness_path(const struct aff_product *a, const struct aff_product *b);

/* True for the same brand, if there is one. */
bool aff_likeness_brand(const struct aff_product *a, const struct aff_product *b);

/* True if both have a price and the lower one is at least four fifths of the higher one. */
bool aff_likeness_price(const struct aff_product *a, const struct aff_product *b);

/* Attributes that both have with the same value, as a share of the longer list's. */
float aff_likeness_attributes(const struct aff_product *a, const struct aff_product *b);

/* Distinct words that both names have, as a share of all of both (Jaccard), case of ASCII letters aside; the
 * first 24 words of a name count. */
float aff_likeness_words(const struct aff_product *a, const struct aff_product *b);

/* All of it: 0.4 path + 0.15 brand + 0.15 price + 0.15 attributes + 0.15 words. */
float aff_likeness(const struct aff_product *a, const struct aff_product *b);
