/* SPDX-License-Identifier: Apache-2.0 */
/* Weights for one situation that answer its questions best: each weight in turn takes the value of a grid
 * that is best on every second question, two rounds. Whether they are better than before is judged by the
 * other half. */
#pragma once

#include "core/measure/tasks.h"

struct aff_fit {
    struct aff_weights before, after;
    uint32_t n; /* questions of the half that judges */
    struct aff_task_score before_mean, after_mean;
    double gain, standard_error; /* of the value that is fitted, question by question */
    bool better;                 /* the gain is above one standard error, and something changed */
};

AFF_MUST_CHECK aff_status aff_fit_weights(const struct aff_task *task, const struct aff_model *model,
                                          const struct aff_weights *before, double personal_half_life_days,
                                          struct aff_fit *ret);
