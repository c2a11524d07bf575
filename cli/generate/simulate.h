/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the demo store: day by day, customers bring back, order what they planned, and come by. Every
 * day fills up to its share of the order lines. Memory follows products, customers and one day, not the
 * number of lines. */
#pragma once

#include "cli/generate/calendar.h"
#include "cli/generate/catalogue.h"
#include "cli/generate/output.h"
#include "cli/generate/truth.h"
#include "cli/progress.h"
#include "core/base/status.h"

#include <stdint.h>

struct aff_demo_scale {
    uint64_t seed;
    uint64_t lines;                   /* order lines to write, exactly; at least 1 */
    uint32_t customers;               /* at least 1 */
    uint32_t basket_mean_thousandths; /* at least 1000 */
};

/* Writes order_lines.csv into `output` and counts in `truth`. Fails for want of memory only; what happens to
 * the output stays in it. */
AFF_MUST_CHECK aff_status aff_demo_simulate(const struct aff_demo_scale *scale,
                                            const struct aff_demo_calendar *calendar,
                                            const struct aff_demo_catalogue *catalogue,
                                            struct aff_output *output, struct aff_demo_truth *truth,
                                            struct aff_progress *progress);
