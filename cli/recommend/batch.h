/* SPDX-License-Identifier: Apache-2.0 */
/* Many questions from a file of JSON lines (json/query.h), answered in order. */
#pragma once

#include "cli/recommend/options.h"
#include "core/index/model.h"
#include "core/recommend/recommend.h"

#include <stdio.h>

/* Answers each line of options->batch with one line {"query_id": ..., "items": [...]} on `to`. Lines that are
 * wrong are told on standard error with their number and left out; *ret_rejected counts them. Progress on
 * standard error unless it is quiet. */
AFF_MUST_CHECK aff_status aff_recommend_batch(const struct aff_recommend_options *options,
                                              const struct aff_model *model, const struct aff_blend *blend,
                                              FILE *to, uint64_t *ret_rejected, struct aff_error *reterr);
