/* SPDX-License-Identifier: Apache-2.0 */
/* Texts about a model that do not change while it is served, made once a model and worker. */
#pragma once

#include "core/base/clock.h"
#include "core/index/model.h"

#define AFF_NOTES 8 /* models remembered; with more stores the oldest note makes room */

struct aff_note {
    const struct aff_model *model; /* never followed: together with the two below it tells models apart */
    uint64_t version;
    int64_t loaded_at_us;
    char built_at[AFF_TIME_TEXT];                /* empty: never learned */
    char from[AFF_TIME_TEXT], to[AFF_TIME_TEXT]; /* of the orders counted; empty: none */
    double half_life_days;
};

/* Set to zero before first use. */
struct aff_notes {
    struct aff_note at[AFF_NOTES];
    unsigned next;
};

/* The note of a model, valid until AFF_NOTES other models have been asked for. */
const struct aff_note *aff_notes_of(struct aff_notes *notes, const struct aff_model *model);
