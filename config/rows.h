/* SPDX-License-Identifier: Apache-2.0 */
/* How orders are counted and neighbour rows are made, from the configuration: the one mapping that all share
 * who learn. */
#pragma once

#include "config/config.h"
#include "core/base/clock.h"
#include "core/learn/baskets.h"
#include "core/learn/rows.h"
#include "core/learn/viewed.h"

#include <string.h>

/* `config` was checked (aff_config_check), so its words are known. */
static inline struct aff_rows_settings aff_config_rows(const struct aff_config *config)
{
    struct aff_rows_settings settings = {
        .neighbours = (uint32_t)config->learn_neighbours,
        .others = (uint32_t)config->learn_ridge_others,
        .lambda = config->learn_ridge_lambda,
        .season_damping = config->learn_season_damping,
    };

    (void)aff_method_parse(aff_text_of(config->learn_method), &settings.method);
    if (strcmp(config->learn_floors, "interval") == 0) {
        settings.floors = aff_floors_default();
        settings.floors.min_orders = (uint32_t)config->learn_min_orders;
    } else if (strcmp(config->learn_floors, "classic") == 0) {
        settings.floors = aff_floors_classic();
    }
    return settings;
}

/* Floors and number of neighbours are those of orders. */
static inline struct aff_viewed_settings aff_config_viewed(const struct aff_config *config)
{
    const struct aff_rows_settings rows = aff_config_rows(config);

    return (struct aff_viewed_settings){.neighbours = rows.neighbours, .floors = rows.floors};
}

static inline struct aff_baskets_settings aff_config_baskets(const struct aff_config *config)
{
    return (struct aff_baskets_settings){.window_us = config->learn_window_days * AFF_DAY_US,
                                         .half_life_s = (int64_t)(config->learn_half_life_days * 86400.0),
                                         .cap = (uint32_t)config->learn_basket_cap};
}
