/* SPDX-License-Identifier: Apache-2.0 */
/* How a model of the earlier orders is learned for measuring, from the configuration. */
#pragma once

#include "config/rows.h"
#include "core/measure/train.h"

/* `config` was checked (aff_config_check). */
static inline struct aff_train_settings aff_config_train(const struct aff_config *config, int n_threads)
{
    return (struct aff_train_settings){
        .baskets = aff_config_baskets(config), .rows = aff_config_rows(config), .n_threads = n_threads};
}
