/* SPDX-License-Identifier: Apache-2.0 */
/* The recommender's weights from the configuration: the one mapping that service and affinityctl share. */
#pragma once

#include "config/config.h"
#include "core/recommend/recommend.h"

static inline struct aff_blend aff_config_blend(const struct aff_config *config)
{
    return (struct aff_blend){
        .affinity = config->recommend_weight_affinity,
        .sequence = config->recommend_weight_sequence,
        .personal = config->recommend_weight_personal,
        .popularity = config->recommend_weight_popularity,
        .personal_half_life_days = config->recommend_personal_half_life_days,
    };
}
