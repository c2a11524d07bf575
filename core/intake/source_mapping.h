/* SPDX-License-Identifier: Apache-2.0 */
/* Where a shop itself keeps what it sold, sells, and to whom (docs/source.md). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What is mapped. `lines` belongs to `orders`. */
enum aff_source_what {
    AFF_SOURCE_ORDERS,
    AFF_SOURCE_LINES,
    AFF_SOURCE_PRODUCTS,
    AFF_SOURCE_CUSTOMERS,
    AFF_SOURCE_WHATS,
};

/* Texts are borrowed from whoever made the mapping. */
struct aff_source_mapping {
    /* "": not mapped; a name, or a text that begins with SELECT or WITH. Orders and lines go together. */
    const char *relations[AFF_SOURCE_WHATS];
    bool triggers;      /* changes come from `outbox`, else from updated_at */
    const char *outbox; /* name of the table in the shop's database */
    int64_t overlap_s;  /* polling: how far behind the newest change seen it looks again */
};

/* Whether there is anything to read. */
static inline bool aff_source_mapping_is_empty(const struct aff_source_mapping *mapping)
{
    return mapping->relations[AFF_SOURCE_ORDERS][0] == '\0' &&
           mapping->relations[AFF_SOURCE_PRODUCTS][0] == '\0' &&
           mapping->relations[AFF_SOURCE_CUSTOMERS][0] == '\0';
}
