/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs that people look through, as JSON. */
#pragma once

#include "sql/review/review.h"
#include "json/writer.h"

/* One pair with its evidence, an object. */
void aff_present_review(struct aff_json *json, const struct aff_review_pair *pair);
