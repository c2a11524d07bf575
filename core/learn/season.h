/* SPDX-License-Identifier: Apache-2.0 */
/* Whether two products go together, or only sell at the same time of the year.
 *
 * An umbrella and wellingtons both sell in wet months. Over the whole year their lift is above 1 though
 * nobody buys one because of the other: within each month it is 1. So the baskets are split into strata, the
 * calendar months m, and a pair's orders are compared with what would be expected if the two were independent
 * inside each stratum (Cochran, Biometrics 1954; Mantel, Haenszel, J. Natl. Cancer Inst. 1959):
 *
 *     expected = sum n_am n_bm / N_m
 *     variance = sum n_am n_bm (N_m - n_am) (N_m - n_bm) / (N_m^2 (N_m - 1))
 *     lift     = orders / expected          z = (orders - expected) / sqrt(variance)
 *
 * Only the margins of each month are needed, since the pair's own orders come in as their sum. The 95 %
 * interval of the lift is test-based (Miettinen, Am. J. Epidemiol. 1976): lift^(1 +- 1.96 / z), which leaves
 * 1 out exactly if the test does. */
#pragma once

#include "core/learn/evidence.h"
#include "core/learn/months.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_season {
    double expected, variance; /* expected 0: the two never sold in the same month, or months are not known */
    double z;                  /* 0 where the variance is */
};

/* Of `orders` baskets with both; `a`, `b` and `all` are the months of the two and of all baskets. Months that
 * `all` does not hold, or in which it holds less than one of the two, are left out. */
struct aff_season aff_season_of(struct aff_month_row a, struct aff_month_row b, struct aff_month_row all,
                                uint64_t orders);

/* The least z of a pair that goes together: 95 %, two-sided. */
#define AFF_SEASON_Z 1.959963984540054

/* True for a pair that looks related as long as nobody looks at months (the interval of its plain lift lies
 * above 1), and whose orders are yet no more than its months explain. False where nothing is expected. */
static inline bool aff_season_marks(const struct aff_evidence *plain, double expected, double z)
{
    return expected > 0 && z < AFF_SEASON_Z && plain->lift_low > 1;
}

struct aff_season_lift {
    double lift, low, high; /* 0 where nothing is expected */
};
struct aff_season_lift aff_season_lift_of(uint64_t orders, double expected, double z);
