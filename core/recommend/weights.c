/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recommend/weights.h"

double *aff_weights_at(struct aff_weights *weights, int weight)
{
    switch (weight) {
    case AFF_WEIGHT_AFFINITY:
        return &weights->affinity;
    case AFF_WEIGHT_SEQUENCE:
        return &weights->sequence;
    case AFF_WEIGHT_PERSONAL:
        return &weights->personal;
    case AFF_WEIGHT_POPULARITY:
        return &weights->popularity;
    case AFF_FADE_HALF_LIFE:
        return &weights->half_life_days;
    case AFF_FADE_CART_LINES:
        return &weights->cart_lines;
    case AFF_FADE_ALIKE_VIEWS:
        return &weights->alike_views;
    default:
        return &weights->traces[weight - AFF_WEIGHT_TRACE];
    }
}

const char *aff_weight_name(int weight)
{
    static const char *const names[] = {"affinity",
                                        "sequence",
                                        "personal",
                                        "popularity",
#define X(name, text) text,
                                        AFF_TRACE_LIST(X)
#undef X
                                            "half_life_days",
                                        "cart_lines",
                                        "alike_views"};
    return names[weight];
}

const char *aff_situation_name(enum aff_situation situation)
{
    static const char *const names[] = {
#define X(name, text) text,
        AFF_SITUATION_LIST(X)
#undef X
    };
    return names[situation];
}
