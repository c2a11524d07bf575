/* SPDX-License-Identifier: Apache-2.0 */
/* Baskets for tests, from lines written as a table. */
#pragma once

#include "core/base/clock.h"
#include "core/learn/baskets.h"

#include <assert.h>
#include <stddef.h>

/* Ten years of window, half-life of 100 days, no cap that matters. */
static inline struct aff_baskets_settings plain_settings(void)
{
    return (struct aff_baskets_settings){
        .window_us = 3650 * AFF_DAY_US, .half_life_s = 100 * INT64_C(86400), .cap = 512};
}

static inline struct aff_baskets *baskets_with(const struct aff_line *lines, size_t n,
                                               struct aff_baskets_settings settings)
{
    struct aff_baskets_builder *builder = NULL;
    struct aff_baskets *baskets = NULL;

    aff_status status = aff_baskets_builder_new(&builder);
    assert(status == AFF_OK);
    for (size_t i = 0; i < n; i++) {
        status = aff_baskets_builder_add(builder, &lines[i]);
        assert(status == AFF_OK);
    }
    status = aff_baskets_builder_finish(builder, &settings, &baskets);
    assert(status == AFF_OK);
    aff_baskets_builder_free(builder);
    return baskets;
}

static inline struct aff_baskets *baskets_of(const struct aff_line *lines, size_t n)
{
    return baskets_with(lines, n, plain_settings());
}
