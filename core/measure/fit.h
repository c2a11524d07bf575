/* SPDX-License-Identifier: Apache-2.0 */
/* Weights for one situation that answer its questions best, as far as the questions can tell.
 *
 * Every second order or session (group) fits: each weight in turn takes the value of a grid that is best, two
 * rounds. Of the weights found, those go back to the configured ones, or half of the way, without which the
 * answers are worse by less than one standard error: the rule of one standard error (Breiman, Friedman,
 * Olshen, Stone, "Classification and Regression Trees", 1984, section 3.4.3), with the error of the paired
 * difference. The other half judges: the weights are better than those in use if the mean difference,
 * question by question, is above AFF_FIT_Z of its standard errors, over at least AFF_FIT_JUDGES questions, of
 * whose groups at least AFF_FIT_DIFFERING are answered differently, below which the mean is not normal.
 * Standard errors are those of groups, since questions of one session are alike.
 *
 * The same questions and settings give the same fit. */
#pragma once

#include "core/base/parallel.h"
#include "core/measure/tasks.h"

/* One-sided 95 % for all situations of a run together (Bonferroni): the normal quantile of 1 - 0.05 / 6. */
#define AFF_FIT_Z 2.394

enum { AFF_FIT_JUDGES = 200, AFF_FIT_QUESTIONS = 2 * AFF_FIT_JUDGES, AFF_FIT_DIFFERING = 25 };

struct aff_fit_settings {
    struct aff_weights in_use, configured; /* what to be better than, what to go back to */
    double personal_half_life_days;
    struct aff_watch watch; /* told how many sets of weights were tried, of how many; cancels */
};

struct aff_fit {
    struct aff_weights before, after;
    uint32_t n, differing; /* questions of the half that judges; groups in which the two differ */
    struct aff_task_score before_mean, after_mean;
    double gain, standard_error; /* of aff_task_value(), by the half that judges */
    bool better;
};

/* Fits the weights of the task's situation. With fewer than AFF_FIT_QUESTIONS questions nothing is ever
 * better. AFF_CANCELLED: the watch said so. */
AFF_MUST_CHECK aff_status aff_fit_weights(const struct aff_task *task, const struct aff_model *model,
                                          const struct aff_fit_settings *settings, struct aff_fit *ret);
