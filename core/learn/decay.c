/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/decay.h"

#include "core/base/clock.h"

#include <math.h>

int64_t aff_decay_weight(const struct aff_decay *decay, int64_t at_us, uint32_t size)
{
    double age =
        ((double)at_us - (double)decay->landmark_us) / ((double)decay->half_life_s * (double)AFF_SECOND_US);
    double weight = (double)AFF_WEIGHT_ONE * exp2(age) / sqrt((double)size);

    return weight >= (double)AFF_WEIGHT_MAX ? AFF_WEIGHT_MAX : (int64_t)llround(weight);
}
