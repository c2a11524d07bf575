/* SPDX-License-Identifier: Apache-2.0 */
/* Writes what the core answers as JSON. */
#pragma once

#include "core/index/model.h"
#include "core/learn/evidence.h"
#include "core/recommend/answer.h"
#include "server/notes.h"
#include "server/parameters.h"
#include "json/writer.h"

/* {"amount", "currency"}, or null for AFF_NO_MONEY. */
void aff_present_money(struct aff_json *json, int64_t amount, const char *currency);

/* A time that notes made, or null for "". */
void aff_present_time(struct aff_json *json, const char *text);

/* {"version", "built_at", "age_s"}; age_s as aff_store_age_s() gives it, null below 0. */
void aff_present_index(struct aff_json *json, const struct aff_model *model, const struct aff_note *note,
                       int64_t age_s);

/* The relation's name in requests and answers. */
const char *aff_present_relation(enum aff_relation relation);

/* What the counts of a pair say: of orders, or under `viewed` of sessions. */
struct aff_evidence aff_present_evidence_of(const struct aff_model *model, enum aff_relation relation,
                                            uint32_t via, uint32_t other,
                                            const struct aff_pair_counts *counts);

/* The evidence that `via` speaks for `other` under a relation: counts, ratios, interval, weights, money. */
void aff_present_evidence(struct aff_json *json, const struct aff_model *model, const struct aff_note *note,
                          enum aff_relation relation, uint32_t via, uint32_t other,
                          const struct aff_pair_counts *counts);

/* A member `name`: [low, high]. */
void aff_present_interval(struct aff_json *json, const char *name, double low, double high);

/* A member "season": what the months explain of `orders` with both (core/learn/season.h), null where it is
 * not known. */
void aff_present_season(struct aff_json *json, uint64_t orders, const struct aff_evidence *plain,
                        double expected, double z);

/* "items": [...] of an answer. */
void aff_present_items(struct aff_json *json, const struct aff_model *model, const struct aff_note *note,
                       const struct aff_parameters *parameters, const struct aff_answer *answer);

/* What follows the items: "dropped", "candidates", "unknown_ids", "short_reason", "why_not" if asked. */
void aff_present_rest(struct aff_json *json, const struct aff_parameters *parameters,
                      const struct aff_answer *answer);
