/* SPDX-License-Identifier: Apache-2.0 */
/* How fitted weights look in /health and /metrics. */
#pragma once

#include "core/recommend/weights.h"
#include "server/learner_board.h"
#include "json/writer.h"

/* Writes the situations in which fitted weights hold, as an array of their names. */
void aff_present_fitted(struct aff_json *json, const struct aff_fitted *fitted);

/* Writes what this process fitted. */
void aff_present_tuner_metrics(struct aff_json *to, struct aff_learner_board *board);
