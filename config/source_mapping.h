/* SPDX-License-Identifier: Apache-2.0 */
/* The shop's own tables, from the configuration; for service and affinityctl. */
#pragma once

#include "config/config.h"
#include "core/intake/source_mapping.h"

#include <string.h>

/* Texts are borrowed from `config`. */
static inline struct aff_source_mapping aff_config_source_mapping(const struct aff_config *config)
{
    return (struct aff_source_mapping){
        .relations = {[AFF_SOURCE_ORDERS] = config->source_orders,
                      [AFF_SOURCE_LINES] = config->source_lines,
                      [AFF_SOURCE_PRODUCTS] = config->source_products,
                      [AFF_SOURCE_CUSTOMERS] = config->source_customers},
        .triggers = strcmp(config->source_changes, "trigger") == 0,
        .outbox = config->source_outbox,
        .overlap_s = config->source_overlap_s,
    };
}

/* Of the shop's database, which is ours if none is named. Borrowed from `config`. */
static inline const char *aff_config_source_url(const struct aff_config *config)
{
    return config->source_url[0] == '\0' ? config->database_url : config->source_url;
}
