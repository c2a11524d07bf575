/* SPDX-License-Identifier: Apache-2.0 */
/* What the learner does for each store, as metrics. */
#pragma once

#include "server/learner_board.h"
#include "json/writer.h"

/* One figure of each store on the board; strings are borrowed and live as long as the program. */
struct aff_learner_metric {
    const char *name, *type, *help;
    double (*value)(const struct aff_learned_store *store);
};

/* Writes `n` metrics, each for all stores of the board. */
void aff_present_board(struct aff_json *to, struct aff_learner_board *board,
                       const struct aff_learner_metric *metrics, size_t n);

/* Writes what the learner does. */
void aff_present_learner_metrics(struct aff_json *to, struct aff_learner_board *board);
