/* SPDX-License-Identifier: Apache-2.0 */
/* The recommender's weights from the configuration: the one mapping that service and affinityctl share. */
#pragma once

#include "config/config.h"
#include "core/recommend/recommend.h"

static inline struct aff_blend aff_config_blend(const struct aff_config *config)
{
    struct aff_blend blend = aff_blend_default();

    for (int i = 0; i < AFF_SITUATION_MAX; i++) {
        struct aff_weights *weights = &blend.of[i];
        weights->sequence = config->recommend_weight_sequence;
        if (i == AFF_SITUATION_VIEWS || i == AFF_SITUATION_NEXT_BASKET)
            continue;
        weights->affinity = config->recommend_weight_affinity;
        weights->personal = config->recommend_weight_personal;
        weights->popularity = config->recommend_weight_popularity;
    }
    blend.personal_half_life_days = config->recommend_personal_half_life_days;
    blend.impressions = config->recommend_weight_impressions;
    blend.content = config->recommend_weight_content;
    blend.content_below_orders = (uint32_t)config->recommend_content_below_orders;
    blend.fitted = config->recommend_fitted;
    return blend;
}
