/* SPDX-License-Identifier: Apache-2.0 */
/* The codes and sentences that go with an item, for the shop's page and for people who ask why. */
#pragma once

#include "core/recommend/answer.h"

/* A code for the button's text, which the shop words and translates. */
struct aff_text aff_wording_cta(enum aff_kind kind);

/* The argument that the offer is made with; a refused offer may come back with another one. */
struct aff_text aff_wording_angle(const struct aff_item *item);

/* Why the item is there, as a code and as an English sentence, which is `before`, the id of the item's `via`
 * product when `names_via`, and `behind`. */
struct aff_wording_reason {
    struct aff_text code, before, behind;
    bool names_via;
};
struct aff_wording_reason aff_wording_reason(const struct aff_item *item);
