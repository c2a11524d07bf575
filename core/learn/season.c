/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/season.h"

#include <math.h>

static void add(struct aff_season *season, double n_a, double n_b, double n)
{
    if (n < n_a || n < n_b)
        return;
    season->expected += n_a * n_b / n;
    if (n > 1)
        season->variance += n_a * n_b * (n - n_a) * (n - n_b) / (n * n * (n - 1));
}

struct aff_season aff_season_of(struct aff_month_row a, struct aff_month_row b, struct aff_month_row all,
                                uint64_t orders)
{
    struct aff_season season = {0};
    uint32_t i = 0, j = 0, k = 0;

    while (i < a.n && j < b.n) {
        if (a.months[i] != b.months[j]) {
            i += a.months[i] < b.months[j];
            j += i < a.n && a.months[i] > b.months[j];
            continue;
        }
        while (k < all.n && all.months[k] < a.months[i])
            k++;
        if (k < all.n && all.months[k] == a.months[i])
            add(&season, a.orders[i], b.orders[j], all.orders[k]);
        i++;
        j++;
    }
    if (season.variance > 0)
        season.z = ((double)orders - season.expected) / sqrt(season.variance);
    return season;
}

struct aff_season_lift aff_season_lift_of(uint64_t orders, double expected, double z)
{
    struct aff_season_lift lift = {0};

    if (!(expected > 0) || orders == 0)
        return lift;
    double log_lift = log((double)orders / expected);
    /* The standard error that the test implies; of a pair that is as expected, by the counts alone. */
    double error = z != 0 && log_lift / z > 0 ? log_lift / z : 1 / sqrt(expected);
    lift.lift = exp(log_lift);
    lift.low = exp(log_lift - AFF_SEASON_Z * error);
    lift.high = exp(log_lift + AFF_SEASON_Z * error);
    return lift;
}
