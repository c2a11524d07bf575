/* SPDX-License-Identifier: Apache-2.0 */
#include "config/blend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void every_weight_comes_from_its_own_key(void **state)
{
    struct aff_config config;
    struct aff_error error;
    static const char *const keys[] = {
        "recommend.weight_affinity",   "recommend.weight_sequence",         "recommend.weight_personal",
        "recommend.weight_popularity", "recommend.personal_half_life_days", "recommend.weight_impressions",
        "recommend.weight_content",    "recommend.content_below_orders",
    };
    static const char *const values[] = {"1", "2", "3", "4", "5", "0.5", "0.25", "7"};

    (void)state;
    aff_config_init(&config);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_int_equal(aff_config_set(&config, keys[i], values[i], "test", &error), AFF_OK);
    struct aff_blend blend = aff_config_blend(&config);
    const struct aff_weights *cart = &blend.of[AFF_SITUATION_CART_KNOWN];
    assert_true(cart->affinity == 1 && cart->sequence == 2 && cart->personal == 3 && cart->popularity == 4 &&
                blend.personal_half_life_days == 5 && blend.impressions == 0.5 && blend.content == 0.25 &&
                blend.content_below_orders == 7);
}

static void defaults_of_configuration_and_recommender_agree(void **state)
{
    struct aff_config config;

    (void)state;
    aff_config_init(&config);
    struct aff_blend ours = aff_config_blend(&config), theirs = aff_blend_default();
    for (int i = 0; i < AFF_SITUATION_MAX; i++) {
        assert_true(
            ours.of[i].affinity == theirs.of[i].affinity && ours.of[i].sequence == theirs.of[i].sequence &&
            ours.of[i].personal == theirs.of[i].personal && ours.of[i].popularity == theirs.of[i].popularity);
        for (int trace = 0; trace < AFF_TRACE_MAX; trace++)
            assert_true(ours.of[i].traces[trace] == theirs.of[i].traces[trace]);
    }
    assert_true(ours.personal_half_life_days == theirs.personal_half_life_days &&
                ours.impressions == theirs.impressions && ours.content == theirs.content &&
                ours.content_below_orders == theirs.content_below_orders);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_weight_comes_from_its_own_key),
        cmocka_unit_test(defaults_of_configuration_and_recommender_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
