/* SPDX-License-Identifier: Apache-2.0 */
/* One answer for a person or as JSON. */
#pragma once

#include "core/index/model.h"
#include "core/learn/evidence.h"
#include "core/recommend/recommend.h"
#include "json/writer.h"

#include <stdio.h>

/* A table of the items with reason and evidence, and what is to be said about the rest. With explain full
 * also the terms of each score and what was dropped. */
void aff_show_table(const struct aff_model *model, const struct aff_request *request,
                    const struct aff_answer *answer, FILE *to);

/* The same as one JSON object. */
void aff_show_json(const struct aff_model *model, const struct aff_request *request,
                   const struct aff_answer *answer, struct aff_json *json);

/* The item's statistics against the product behind it; false if there are none. */
bool aff_show_evidence(const struct aff_model *model, const struct aff_item *item,
                       struct aff_evidence *ret_evidence);

const char *aff_show_origin(enum aff_origin origin);
const char *aff_show_kind(enum aff_kind kind);
const char *aff_show_drop(enum aff_drop drop);
const char *aff_show_short(enum aff_short reason);
const char *aff_show_fate(enum aff_fate fate);
