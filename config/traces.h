/* SPDX-License-Identifier: Apache-2.0 */
/* How much of sessions and baskets a model keeps, from the configuration; for service and affinityctl. */
#pragma once

#include "config/config.h"
#include "core/sequence/traces.h"

static inline struct aff_traces_bounds aff_config_traces(const struct aff_config *config)
{
    return (struct aff_traces_bounds){
        .sessions = (uint32_t)config->recommend_sessions,
        .holders = (uint32_t)config->recommend_session_holders,
        .lines = (uint32_t)config->recommend_basket_lines,
    };
}
