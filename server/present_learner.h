/* SPDX-License-Identifier: Apache-2.0 */
/* What the learner does for each store, as metrics. */
#pragma once

#include "server/learner_board.h"
#include "json/writer.h"

void aff_present_learner_metrics(struct aff_json *to, struct aff_learner_board *board);
