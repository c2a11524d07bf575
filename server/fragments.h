/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer says of a product whatever the question: its id and its prices, as JSON that is made once
 * when a model is loaded and copied into answers. A product's record is several cache lines in memory that
 * nothing else touches; a fragment is one or two. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/index/model.h"

#include <stdint.h>

/* Members of an item's object without braces: "product":"ID","price":...,"compare_at":...,"discount":... */
struct aff_fragment {
    struct aff_text members;
    struct aff_text id; /* the id's characters as they stand inside the quotes of a JSON string */
};

/* Makes the fragments of all products and hands them to the model (prepared). The model must not be published
 * yet. AFF_LIMIT: they would take more than 4 GiB. */
AFF_MUST_CHECK aff_status aff_fragments_prepare(struct aff_model *model);

/* The fragment of a row. The model must have been prepared. */
struct aff_fragment aff_fragments_get(const struct aff_model *model, uint32_t row);

/* Starts to load a row's fragment: first where it is, then its bytes. */
void aff_fragments_prefetch_place(const struct aff_model *model, uint32_t row);
void aff_fragments_prefetch_bytes(const struct aff_model *model, uint32_t row);
